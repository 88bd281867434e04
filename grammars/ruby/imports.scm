((call method: (identifier) @_require arguments: (_ (_ (string_content) @name))) @reference.import
  (#any-of? @_require "require" "require_relative" "load" "autoload"))
