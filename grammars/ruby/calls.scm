((call method: [(identifier) (constant)] @name) @reference.call
  (#not-any-of? @name "require" "require_relative" "load" "autoload" "include" "extend" "prepend" "private" "public"
    "protected" "module_function" "private_constant" "attr_reader" "attr_writer" "attr_accessor" "attr"
    "alias_method" "define_method" "raise" "lambda" "proc" "block_given?"))
