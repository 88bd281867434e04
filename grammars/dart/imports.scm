(import_specification [(configurable_uri . (uri) @name) (uri) @name]) @reference.import
(library_export (configurable_uri . (uri) @name)) @reference.import
(part_directive (uri) @name) @reference.import
