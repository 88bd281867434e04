; TypeScript's own.
(ambient_declaration) @wrapper
(class_body (decorator) @leading)

(abstract_class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(enum_body name: (_) @name @definition.enum_member)
(enum_assignment name: (_) @name) @definition.enum_member
(type_alias_declaration name: (_) @name) @definition.type_alias
(internal_module name: (_) @name body: (_) @body) @definition.namespace
(module name: (_) @name body: (_) @body) @definition.module
(ambient_declaration "global" @name (statement_block) @body) @definition.namespace

; Bases of classes and interfaces, without their module and type arguments.
(extends_clause value: [
    (identifier) @name
    (member_expression property: (property_identifier) @name)
  ]) @reference.inherit
(implements_clause [
    (type_identifier) @name
    (nested_type_identifier name: (type_identifier) @name)
    (generic_type name: [(type_identifier) @name (nested_type_identifier name: (type_identifier) @name)])
  ]) @reference.implement
(extends_type_clause [
    (type_identifier) @name
    (nested_type_identifier name: (type_identifier) @name)
    (generic_type name: [(type_identifier) @name (nested_type_identifier name: (type_identifier) @name)])
  ]) @reference.inherit

; Overloads and declarations without a body are what a .d.ts consists of.
(function_signature name: (identifier) @name) @definition.function
((method_signature name: (property_identifier) @name) @definition.constructor
  (#eq? @name "constructor"))
(method_signature ["get" "set"] name: (_) @name) @definition.property
(method_signature name: (_) @name) @definition.method
(interface_body (construct_signature "new" @name) @definition.constructor)
(abstract_method_signature name: (_) @name) @definition.method

(public_field_definition name: (_) @name value: (_ body: (_) @body)) @definition.method
(public_field_definition name: (_) @name) @definition.field
(interface_body (property_signature name: (_) @name) @definition.property)
(type_alias_declaration value: [
  (object_type (property_signature name: (_) @name) @definition.property)
  (union_type (object_type (property_signature name: (_) @name) @definition.property))
  (intersection_type (object_type (property_signature name: (_) @name) @definition.property))
])
; constructor(private x: number, readonly y = 1) makes members of the class.
(required_parameter [(accessibility_modifier) "readonly"] pattern: (identifier) @name) @definition.field
(optional_parameter [(accessibility_modifier) "readonly"] pattern: (identifier) @name) @definition.field

; Names at the top of a namespace or module, exported or not, and of ambient declarations.
(internal_module body: (statement_block (lexical_declaration kind: "const"
  (variable_declarator name: (identifier) @name) @definition.constant)))
(internal_module body: (statement_block (lexical_declaration kind: "let"
  (variable_declarator name: (identifier) @name) @definition.variable)))
(module body: (statement_block (lexical_declaration kind: "const"
  (variable_declarator name: (identifier) @name) @definition.constant)))
(module body: (statement_block [
  (lexical_declaration kind: "let"
    (variable_declarator name: (identifier) @name) @definition.variable)
  (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)
]))
(ambient_declaration (lexical_declaration kind: "const"
  (variable_declarator name: (identifier) @name) @definition.constant))
(ambient_declaration [
  (lexical_declaration kind: "let"
    (variable_declarator name: (identifier) @name) @definition.variable)
  (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)
])
(ambient_declaration (statement_block [
  (lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable)
  (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)
]))
