(create_extension [(keyword_extension) (keyword_exists)] . (identifier) @name) @reference.import
