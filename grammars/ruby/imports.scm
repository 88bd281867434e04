((call method: (identifier) @_require arguments: (argument_list (string (string_content) @name))) @reference.import
  (#any-of? @_require "require" "require_relative" "load" "autoload"))
