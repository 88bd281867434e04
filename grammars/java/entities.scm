; Java. In method bodies local classes, the methods of classes without a name and what is in them
; count; local variables do not.
(line_comment) @comment
(block_comment) @comment

(package_declaration [(identifier) (scoped_identifier)] @name) @definition.module
(module_declaration name: (_) @name body: (_) @body) @definition.module

(class_declaration name: (identifier) @name body: (_) @body) @definition.class
(record_declaration name: (identifier) @name body: (_) @body) @definition.class
(interface_declaration name: (identifier) @name body: (_) @body) @definition.interface
(annotation_type_declaration name: (identifier) @name body: (_) @body) @definition.interface
(enum_declaration name: (identifier) @name body: (_) @body) @definition.enum
(enum_constant name: (identifier) @name body: (_)? @body) @definition.enum_member

(method_declaration name: (identifier) @name body: (_)? @body) @definition.method
(annotation_type_element_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name body: (_) @body) @definition.constructor
(compact_constructor_declaration name: (identifier) @name body: (_) @body) @definition.constructor

((field_declaration (modifiers "static" "final")
   declarator: (variable_declarator name: (identifier)) @declarator) @definition.constant)
((field_declaration (modifiers "final" "static")
   declarator: (variable_declarator name: (identifier)) @declarator) @definition.constant)
(field_declaration declarator: (variable_declarator name: (identifier)) @declarator) @definition.field
(constant_declaration declarator: (variable_declarator name: (identifier)) @declarator) @definition.constant
(record_declaration parameters: (formal_parameters [
  (formal_parameter name: (identifier) @name) @definition.field
  (spread_parameter (variable_declarator name: (identifier) @name)) @definition.field
]))

(class_declaration superclass: (superclass [
  (type_identifier) @name
  (generic_type (type_identifier) @name)
  (scoped_type_identifier (type_identifier) @name .)
  (generic_type (scoped_type_identifier (type_identifier) @name .))
  (annotated_type (type_identifier) @name)
]) @reference.inherit)
(extends_interfaces (type_list [
  (type_identifier) @name
  (generic_type (type_identifier) @name)
  (scoped_type_identifier (type_identifier) @name .)
  (generic_type (scoped_type_identifier (type_identifier) @name .))
]) @reference.inherit)
(super_interfaces (type_list [
  (type_identifier) @name
  (generic_type (type_identifier) @name)
  (scoped_type_identifier (type_identifier) @name .)
  (generic_type (scoped_type_identifier (type_identifier) @name .))
]) @reference.implement)
