((call_expression . [
    (identifier) @name
    (_ value: (_) (identifier) @name .)
    (_ . (identifier) @name . (curly_expression))
  ]) @reference.call
  (#not-any-of? @name "new" "include"))
(broadcast_call_expression . [
  (identifier) @name
  (_ value: (_) (identifier) @name .)
]) @reference.call
(macrocall_expression (macro_identifier (identifier) @name)) @reference.call
; x |> f
((binary_expression (operator) @_operator . (identifier) @name .) @reference.call
  (#any-of? @_operator "|>" ".|>"))
