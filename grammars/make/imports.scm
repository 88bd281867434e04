((include_directive filenames: (list (_) @name)) @reference.import
  (#not-match? @name "[%*?]"))
