; Go. A method stands outside its type: the receiver's type is its scope. In function bodies only
; named types and what they hold count; variables, constants and func literals there do not.
(comment) @comment
(type_declaration) @wrapper
(const_declaration) @wrapper
(var_declaration) @wrapper

(package_clause (package_identifier) @name) @definition.module

(function_declaration name: (identifier) @name body: (block)? @body) @definition.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @scope
    (generic_type type: (type_identifier) @scope)
    (pointer_type (type_identifier) @scope)
    (pointer_type (generic_type type: (type_identifier) @scope))
    (parenthesized_type (type_identifier) @scope)
    (parenthesized_type (pointer_type (type_identifier) @scope))
    (pointer_type (parenthesized_type (type_identifier) @scope))
  ]))
  name: (field_identifier) @name body: (block)? @body) @definition.method
(method_declaration name: (field_identifier) @name body: (block)? @body) @definition.method

(type_spec name: (type_identifier) @name
  type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec name: (type_identifier) @name type: (interface_type)) @definition.interface
(type_spec name: (type_identifier) @name) @definition.type_alias
(type_alias name: (type_identifier) @name) @definition.type_alias

; Fields of named types, also behind *, [] and map, and of structs without a name in them.
(type_spec type: [
  (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field))
  (pointer_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
  (slice_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
  (array_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
  (map_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
])
(field_declaration type: [
  (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field))
  (pointer_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
  (slice_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
  (array_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
  (map_type (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)))
])
(source_file (var_declaration (var_spec type: (struct_type (field_declaration_list
  (field_declaration name: (field_identifier) @name) @definition.field)))))
(method_elem name: (field_identifier) @name) @definition.method

; (Names of a const_spec are asked for without their field: with it only the first is found.)
((source_file (const_declaration (const_spec (identifier) @name) @definition.constant))
  (#not-eq? @name "_"))
((source_file (var_declaration (var_spec name: (identifier) @name) @definition.variable))
  (#not-eq? @name "_"))
((source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @definition.variable)))
  (#not-eq? @name "_"))

; What is embedded is inherited.
(type_spec type: (struct_type (field_declaration_list (field_declaration !name type: [
  (type_identifier) @name
  (qualified_type name: (type_identifier) @name)
  (generic_type type: (type_identifier) @name)
  (generic_type type: (qualified_type name: (type_identifier) @name))
]) @reference.inherit)))
(interface_type (type_elem . [
  (type_identifier) @name
  (qualified_type name: (type_identifier) @name)
  (generic_type type: (type_identifier) @name)
] .) @reference.inherit)
