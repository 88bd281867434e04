; Shell scripts. A function is global wherever it stands. A variable is one when it is assigned
; outside of functions, a constant when it is declared so. What a command sees of FOO=1 command is
; no variable of the script.
(comment) @comment

((function_definition name: (word) @name body: (_) @body) @definition.function
  (#set! flat))
; One that is being written, or that holds what the grammar does not know.
((ERROR (word) @name @definition.function . "(" . ")")
  (#set! flat))
((command name: (command_name . (word) @name @definition.function .)) . (ERROR . "(" . ")")
  (#set! flat))
((ERROR "function" . (word) @name @definition.function)
  (#set! flat))

((declaration_command "readonly"
    [(variable_assignment name: (variable_name) @name) (variable_name) @name]) @definition.constant
  (#set! first))
((declaration_command
    (word) @_flags
    [(variable_assignment name: (variable_name) @name) (variable_name) @name]) @definition.constant
  (#match? @_flags "^-[A-Za-z]*r")
  (#set! first))
((declaration_command ["declare" "typeset" "export"]
    (variable_assignment name: (variable_name) @name)) @definition.variable
  (#set! first))
((declaration_command ["declare" "typeset"] (variable_name) @name) @definition.variable
  (#set! first))
([
  (program (variable_assignment name: (variable_name) @name) @definition.variable)
  (variable_assignments (variable_assignment name: (variable_name) @name) @definition.variable)
  (list (variable_assignment name: (variable_name) @name) @definition.variable)
  (if_statement (variable_assignment name: (variable_name) @name) @definition.variable)
  (elif_clause (variable_assignment name: (variable_name) @name) @definition.variable)
  (else_clause (variable_assignment name: (variable_name) @name) @definition.variable)
  (case_item (variable_assignment name: (variable_name) @name) @definition.variable)
  (do_group (variable_assignment name: (variable_name) @name) @definition.variable)
  (compound_statement (variable_assignment name: (variable_name) @name) @definition.variable)
 ]
  (#set! first))

; alias ll='ls -l'
((command name: (command_name (word) @_alias) argument: (concatenation . (word)) @definition.macro)
  (#eq? @_alias "alias")
  (#set! find "^([^=[:space:]]+)=.*"))
