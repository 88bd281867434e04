((call target: (identifier) @_keyword (arguments . [(alias) @name (_ left: (alias) @name)])) @reference.import
  (#any-of? @_keyword "alias" "import" "require" "use"))
