((builtin_function (builtin_identifier) @_import (arguments . (string) @name .)) @reference.import
  (#any-of? @_import "@import" "@cInclude" "@embedFile"))
