(import_declaration [(identifier) (scoped_identifier)] @name) @reference.import
(requires_module_directive module: (_) @name) @reference.import
