(import_declaration (identifier) @name) @reference.import
