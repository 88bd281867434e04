(import_statement source: (string) @name) @reference.import
(export_statement source: (string) @name) @reference.import
(import_specifier name: (identifier) @name) @reference.import
(export_statement (export_clause (export_specifier name: (identifier) @name)) source: (string)) @reference.import
((call_expression function: (identifier) @_require arguments: (arguments . (string) @name .)) @reference.import
  (#eq? @_require "require"))
(call_expression function: (import) arguments: (arguments . (string) @name)) @reference.import
