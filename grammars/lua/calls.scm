((function_call name: (identifier) @name) @reference.call
  (#not-any-of? @name "require" "dofile" "loadfile"))
(function_call name: (dot_index_expression field: (identifier) @name)) @reference.call
(function_call name: (method_index_expression method: (identifier) @name)) @reference.call
