; Any command may be a function; the builtins that scripts consist of are none.
((command name: (command_name . (word) @name .)) @reference.call
  (#not-any-of? @name ":" "." "[" "alias" "break" "cd" "continue" "echo" "eval" "exec" "exit" "false"
    "printf" "read" "return" "set" "shift" "source" "test" "trap" "true" "unset"))
((command name: (command_name (word) @_trap) . argument: (word) @name . argument: (_)) @reference.call
  (#eq? @_trap "trap")
  (#match? @name "^[A-Za-z_]"))
