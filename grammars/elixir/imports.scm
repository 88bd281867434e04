((call target: (identifier) @_keyword (arguments . [(alias) @name (dot left: (alias) @name)])) @reference.import
  (#any-of? @_keyword "alias" "import" "require" "use"))
