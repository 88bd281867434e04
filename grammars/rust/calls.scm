(call_expression function: [
  (identifier) @name
  (scoped_identifier name: (identifier) @name)
  (field_expression field: (field_identifier) @name)
  (generic_function function: [
    (identifier) @name
    (scoped_identifier name: (identifier) @name)
    (field_expression field: (field_identifier) @name)
  ])
]) @reference.call
(macro_invocation macro: [
  (identifier) @name
  (scoped_identifier name: (identifier) @name)
]) @reference.call
; Arguments of a macro are not parsed: a name before parentheses is a call in most of them.
(macro_invocation (token_tree (identifier) @name . (token_tree "(")) @reference.call)
(token_tree (token_tree (identifier) @name . (token_tree "(")) @reference.call)
