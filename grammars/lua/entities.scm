; Lua. function M.f and function M:f belong to M; a function bound to a name or to a field of a
; table has that name. Names local to a function are left out by their parent.
(comment) @comment

(function_declaration name: (identifier) @name body: (_)? @body) @definition.function
(function_declaration name: (dot_index_expression table: (_) @scope field: (identifier) @name)
  body: (_)? @body) @definition.function
(function_declaration name: (method_index_expression table: (_) @scope method: (identifier) @name)
  body: (_)? @body) @definition.method

(variable_declaration (assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list . value: (function_definition body: (_)? @body)))) @definition.function
(assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list . value: (function_definition body: (_)? @body))) @definition.function
(assignment_statement
  (variable_list . name: (dot_index_expression table: (_) @scope field: (identifier) @name) .)
  (expression_list . value: (function_definition body: (_)? @body))) @definition.function
(assignment_statement
  (variable_list . name: (bracket_index_expression table: (_) @scope field: (_) @name) .)
  (expression_list . value: (function_definition body: (_)? @body))) @definition.function
(field name: (_) @name
  value: (function_definition body: (_)? @body)) @definition.function

; Variables of the file.
((variable_declaration (assignment_statement
    (variable_list name: (identifier) @name . attribute: (attribute (identifier) @_const))) @definition.constant)
  (#eq? @_const "const"))
((chunk (variable_declaration (assignment_statement
    (variable_list name: (identifier) @name))) @definition.variable)
  (#set! first))
((chunk (variable_declaration (variable_list name: (identifier) @name)) @definition.variable)
  (#set! first))
((chunk (assignment_statement
    (variable_list name: (identifier) @name)) @definition.variable)
  (#set! first))
((chunk (assignment_statement
    (variable_list . name: (dot_index_expression table: (identifier) @scope field: (identifier) @name) .))
    @definition.variable)
  (#not-match? @name "^__")
  (#set! first))
