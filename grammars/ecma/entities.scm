; What JavaScript and TypeScript have in common.
(comment) @comment
(export_statement) @wrapper
(lexical_declaration) @wrapper
(variable_declaration) @wrapper

(function_declaration name: (identifier) @name body: (_) @body) @definition.function
(generator_function_declaration name: (identifier) @name body: (_) @body) @definition.function
(class_declaration name: (_) @name body: (_) @body) @definition.class

; Functions and classes bound to a name.
; (What else has a body: the three ways to write a function.)
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @definition.class
(variable_declarator name: (identifier) @name value: (_ body: (_) @body)) @definition.function
(pair key: (_) @name value: (class body: (_) @body)) @definition.class
(pair key: (_) @name value: (_ body: (_) @body)) @definition.function
((assignment_expression
    left: (member_expression
      object: (member_expression object: (_) @scope property: (property_identifier) @_prototype)
      property: (property_identifier) @name)
    right: (_ body: (statement_block) @body)) @definition.method
  (#eq? @_prototype "prototype"))
(assignment_expression
  left: [(identifier) @name
         (member_expression property: (property_identifier) @name)]
  right: (class body: (_) @body)) @definition.class
(assignment_expression
  left: [(identifier) @name
         (member_expression property: [(property_identifier) (private_property_identifier)] @name)]
  right: (_ body: (_) @body)) @definition.function

; Those with a name of their own that nothing else gives one: returned, passed, set by a computed key, exported.
(return_statement (function_expression name: (_) @name body: (_) @body) @definition.function)
(arguments (function_expression name: (_) @name body: (_) @body) @definition.function)
(parenthesized_expression (function_expression name: (_) @name body: (_) @body) @definition.function)
(assignment_expression left: (subscript_expression)
  right: (function_expression name: (_) @name body: (_) @body) @definition.function)
((assignment_expression left: (member_expression property: (property_identifier) @_exports)
    right: (function_expression name: (_) @name body: (_) @body) @definition.function)
  (#eq? @_exports "exports"))
(return_statement (class name: (_) @name body: (_) @body) @definition.class)
(arguments (class name: (_) @name body: (_) @body) @definition.class)
((assignment_expression left: (member_expression property: (property_identifier) @_exports)
    right: (class name: (_) @name body: (_) @body) @definition.class)
  (#eq? @_exports "exports"))

(method_definition ["get" "set"] name: (_) @name body: (_) @body) @definition.property
((method_definition name: (property_identifier) @name body: (_) @body) @definition.constructor
  (#eq? @name "constructor"))
(method_definition name: (_) @name body: (_) @body) @definition.method

; export default of what has no name.
(export_statement "default" @name value: [
    (arrow_function body: (_) @body)
    (function_expression !name body: (_) @body)
    (generator_function !name body: (_) @body)
  ]) @definition.function
(export_statement "default" @name value: (class !name body: (_) @body)) @definition.class
(export_statement "default" @name value: (class name: (_) body: (_) @body)) @definition.class
(export_statement "default" @name value: [(object) (array) (call_expression)]) @definition.variable

; Top-level names.
(program (lexical_declaration kind: "const"
  (variable_declarator name: (identifier) @name) @definition.constant))
(program (lexical_declaration kind: "let"
  (variable_declarator name: (identifier) @name) @definition.variable))
(program (variable_declaration
  (variable_declarator name: (identifier) @name) @definition.variable))
(export_statement declaration: (lexical_declaration kind: "const"
  (variable_declarator name: (identifier) @name) @definition.constant))
(export_statement declaration: (lexical_declaration kind: "let"
  (variable_declarator name: (identifier) @name) @definition.variable))
(export_statement declaration: (variable_declaration
  (variable_declarator name: (identifier) @name) @definition.variable))
; const { a, b: c = 1, ...rest } = x, [d] = y: also in one another, one deep.
(program (_ (variable_declarator name: [
  (object_pattern [
    (shorthand_property_identifier_pattern) @name @definition.variable
    (object_assignment_pattern left: (shorthand_property_identifier_pattern) @name @definition.variable)
    (pair_pattern value: [
      (identifier) @name @definition.variable
      (assignment_pattern left: (identifier) @name @definition.variable)
      (object_pattern [
        (shorthand_property_identifier_pattern) @name @definition.variable
        (pair_pattern value: (identifier) @name @definition.variable)
      ])
      (array_pattern (identifier) @name @definition.variable)
    ])
    (rest_pattern (identifier) @name @definition.variable)
  ])
  (array_pattern [
    (identifier) @name @definition.variable
    (assignment_pattern left: (identifier) @name @definition.variable)
    (object_pattern (shorthand_property_identifier_pattern) @name @definition.variable)
    (rest_pattern (identifier) @name @definition.variable)
  ])
])))
(export_statement declaration: (_ (variable_declarator name: [
  (object_pattern [
    (shorthand_property_identifier_pattern) @name @definition.variable
    (object_assignment_pattern left: (shorthand_property_identifier_pattern) @name @definition.variable)
    (pair_pattern value: [
      (identifier) @name @definition.variable
      (assignment_pattern left: (identifier) @name @definition.variable)
      (object_pattern [
        (shorthand_property_identifier_pattern) @name @definition.variable
        (pair_pattern value: (identifier) @name @definition.variable)
      ])
      (array_pattern (identifier) @name @definition.variable)
    ])
    (rest_pattern (identifier) @name @definition.variable)
  ])
  (array_pattern [
    (identifier) @name @definition.variable
    (assignment_pattern left: (identifier) @name @definition.variable)
    (object_pattern (shorthand_property_identifier_pattern) @name @definition.variable)
    (rest_pattern (identifier) @name @definition.variable)
  ])
])))
