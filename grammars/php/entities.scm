; PHP, in HTML or without. Names of variables and properties go without their $.
(comment) @comment

(namespace_definition name: (_) @name body: (_) @body) @definition.namespace
((program (namespace_definition name: (_) @name !body) @definition.namespace) (#set! level "1"))

(class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(trait_declaration name: (_) @name body: (_) @body) @definition.trait
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(enum_case name: (_) @name) @definition.enum_member

((method_declaration name: (_) @name body: (_)? @body) @definition.constructor
  (#match? @name "^__[cC][oO][nN][sS][tT][rR][uU][cC][tT]$"))
(method_declaration name: (_) @name body: (_)? @body) @definition.method
(function_definition name: (_) @name body: (_) @body) @definition.function
(assignment_expression left: (variable_name (name) @name) right: [
    (anonymous_function body: (_) @body)
    (arrow_function body: (_) @body)
  ]) @definition.function

(property_declaration (property_element name: (variable_name (name) @name))
  (property_hook_list) @body) @definition.property
(property_declaration
  (property_element name: (variable_name (name) @name)) @declarator) @definition.property
(property_promotion_parameter name: (variable_name (name) @name)) @definition.property

(const_declaration (const_element . (name) @name) @declarator) @definition.constant
; A constant of all files, wherever it is called.
((expression_statement (function_call_expression function: (name) @_define
    arguments: (arguments . (argument [(string) (encapsed_string)] @name)))) @definition.constant
  (#any-of? @_define "define" "DEFINE")
  (#set! flat))

; Variables of a file or a namespace; those of functions are left out by their parent.
((program (expression_statement (assignment_expression
    left: (variable_name (name) @name))) @definition.variable) (#set! first))
((namespace_definition (compound_statement (expression_statement (assignment_expression
    left: (variable_name (name) @name))) @definition.variable)) (#set! first))

(class_declaration (base_clause [(name) @name (qualified_name (name) @name)])) @reference.inherit
(interface_declaration (base_clause [(name) @name (qualified_name (name) @name)])) @reference.inherit
(declaration_list (use_declaration [(name) @name (qualified_name (name) @name)])) @reference.inherit
(enum_declaration_list (use_declaration [(name) @name (qualified_name (name) @name)])) @reference.inherit
(class_declaration (class_interface_clause [(name) @name (qualified_name (name) @name)])) @reference.implement
(enum_declaration (class_interface_clause [(name) @name (qualified_name (name) @name)])) @reference.implement
