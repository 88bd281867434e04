; var(--name)
((call_expression (function_name) @_function (arguments . (plain_value) @name)) @reference.call
  (#eq? @_function "var"))
