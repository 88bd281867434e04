(preproc_include path: (_) @name) @reference.import
