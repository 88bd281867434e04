(using_statement [
  (identifier) @name
  (scoped_identifier) @name
  (import_path) @name
  (import_alias . (_) @name)
  (selected_import . (_) @name)
]) @reference.import
(import_statement [
  (identifier) @name
  (scoped_identifier) @name
  (import_path) @name
  (import_alias . (_) @name)
  (selected_import . (_) @name)
]) @reference.import
((call_expression . (identifier) @_include (_ . (string_literal) @name .)) @reference.import
  (#eq? @_include "include"))
