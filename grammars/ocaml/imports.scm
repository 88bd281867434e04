(open_module module: (module_path) @name) @reference.import
(include_module module: (module_path) @name) @reference.import
; module M = A.B
(module_binding body: (module_path) @name) @reference.import
