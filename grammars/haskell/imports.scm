(import module: (module) @name) @reference.import
