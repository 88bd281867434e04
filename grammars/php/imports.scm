; Wildcards are operators and parentheses: what they may be need not be said, and costs to compile.
(namespace_use_clause . [(name) (qualified_name)] @name) @reference.import
(namespace_use_declaration (namespace_name) @name) @reference.import
(include_expression [
    (string) @name
    (encapsed_string) @name
    (_ right: (string) @name)
    (_ . (_ right: (string) @name) .)
    (_ . (string) @name .)
  ]) @reference.import
(include_once_expression [
    (string) @name
    (encapsed_string) @name
    (_ right: (string) @name)
    (_ . (_ right: (string) @name) .)
    (_ . (string) @name .)
  ]) @reference.import
(require_expression [
    (string) @name
    (encapsed_string) @name
    (_ right: (string) @name)
    (_ . (_ right: (string) @name) .)
    (_ . (string) @name .)
  ]) @reference.import
(require_once_expression [
    (string) @name
    (encapsed_string) @name
    (_ right: (string) @name)
    (_ . (_ right: (string) @name) .)
    (_ . (string) @name .)
  ]) @reference.import
