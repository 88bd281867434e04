((function_call name: (identifier) @_require
    arguments: (arguments . (string) @name)) @reference.import
  (#any-of? @_require "require" "dofile" "loadfile"))
((function_call name: (identifier) @_pcall
    arguments: (arguments . (identifier) @_require . (string) @name)) @reference.import
  (#eq? @_pcall "pcall")
  (#eq? @_require "require"))
