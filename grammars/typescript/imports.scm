(import_require_clause source: (string) @name) @reference.import
