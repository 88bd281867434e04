(apply function: [
  (variable) @name
  (constructor) @name
  (_ id: [(variable) (constructor)] @name)
]) @reference.call
(record expression: [(constructor) @name (_ id: (constructor) @name)]) @reference.call
; f $ x, f <$> x, f . g
((infix
    left_operand: [(variable) @name (constructor) @name (_ id: (variable) @name)]
    operator: (operator) @_operator) @reference.call
  (#any-of? @_operator "$" "$!" "<$>" "<$!>" "." "<&>" "=<<" ">>="))
((infix operator: [(operator) @name (_ (variable) @name) (_ (_ id: (variable) @name))]) @reference.call
  (#not-any-of? @name "$" "$!" "." "+" "-" "*" "/" "^" "==" "/=" "<" ">" "<=" ">=" "&&" "||" "++" ":" "<$>" "<*>" "<>"
    ">>=" ">>" "=<<" "<$" "*>" "<*" "!" "!!" "<|>" "&" "<&>" "<$!>" "div" "mod" "elem" "seq"))
; Run as a step: action, x <- action.
(exp [(variable) @name (_ id: (variable) @name)]) @reference.call
(bind expression: [(variable) @name (_ id: (variable) @name)]) @reference.call
