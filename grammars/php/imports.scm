(namespace_use_clause . [(name) (qualified_name)] @name) @reference.import
(namespace_use_declaration (namespace_name) @name) @reference.import
(include_expression [
    (string) @name
    (encapsed_string) @name
    (binary_expression right: (string) @name)
    (parenthesized_expression (binary_expression right: (string) @name))
    (parenthesized_expression (string) @name)
  ]) @reference.import
(include_once_expression [
    (string) @name
    (encapsed_string) @name
    (binary_expression right: (string) @name)
    (parenthesized_expression (binary_expression right: (string) @name))
    (parenthesized_expression (string) @name)
  ]) @reference.import
(require_expression [
    (string) @name
    (encapsed_string) @name
    (binary_expression right: (string) @name)
    (parenthesized_expression (binary_expression right: (string) @name))
    (parenthesized_expression (string) @name)
  ]) @reference.import
(require_once_expression [
    (string) @name
    (encapsed_string) @name
    (binary_expression right: (string) @name)
    (parenthesized_expression (binary_expression right: (string) @name))
    (parenthesized_expression (string) @name)
  ]) @reference.import
