(import_statement . (string_value) @name) @reference.import
(import_statement . (call_expression (arguments . (_) @name .))) @reference.import
