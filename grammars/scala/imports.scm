(import_declaration . path: (identifier) @name (["." (identifier) @name])* ) @reference.import
