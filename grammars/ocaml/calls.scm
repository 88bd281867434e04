(application_expression function: [
  (value_path (value_name) @name)
  (constructor_path (constructor_name) @name)
  (_ method: (method_name) @name)
]) @reference.call
; x |> f, f @@ x
((infix_expression operator: (_) @_operator right: (value_path (value_name) @name)) @reference.call
  (#any-of? @_operator "|>" ">>=" ">>|" ">|="))
((infix_expression left: (value_path (value_name) @name) operator: (_) @_operator) @reference.call
  (#eq? @_operator "@@"))
((infix_expression operator: (_) @name) @reference.call
  (#not-any-of? @name "+" "-" "*" "/" "+." "-." "*." "/." "**" "=" "<>" "==" "!=" "<" ">" "<=" ">=" "&&" "||" "&" "or"
    "^" "@" "@@" "|>" ":=" "::" "mod" "land" "lor" "lxor" "lsl" "lsr" "asr"))
(method_invocation method: (method_name) @name) @reference.call
(new_expression (class_path (class_name) @name)) @reference.call
(module_application functor: (module_path (module_name) @name)) @reference.call
