((call_expression . [
    (simple_identifier) @name
    (navigation_expression suffix: (navigation_suffix (simple_identifier) @name))
  ] (call_suffix) @_arguments) @reference.call
  (#not-match? @_arguments "^\\["))
(constructor_expression (user_type (type_identifier) @name . (type_arguments)? .)) @reference.call
(macro_invocation (simple_identifier) @name) @reference.call
