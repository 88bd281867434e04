(use_declaration argument: [
  (identifier) @name
  (scoped_identifier) @name
  (use_as_clause path: (_) @name)
  (use_wildcard (_) @name)
  (scoped_use_list path: (_) @name)
]) @reference.import
(use_declaration argument: (use_list [
  (identifier) @name
  (scoped_identifier) @name
  (use_as_clause path: (_) @name)
  (use_wildcard (_) @name)
  (scoped_use_list path: (_) @name)
]) @reference.import)
(extern_crate_declaration name: (identifier) @name) @reference.import
