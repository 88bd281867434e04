(preproc_include path: (_) @name) @reference.import
(module_import path: (identifier) @name) @reference.import
