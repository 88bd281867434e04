; Kotlin.
(line_comment) @comment
(block_comment) @comment

; Annotations with arguments, one to a line, may be read as a statement of their own.
(source_file (annotated_expression) @leading)

(package_header (qualified_identifier) @name) @definition.module

(class_declaration "interface" name: (_) @name (class_body)? @body) @definition.interface
(class_declaration (modifiers (class_modifier "enum")) name: (_) @name
    [(class_body) (enum_class_body)]? @body) @definition.enum
; The body behind a where is read as an enum's.
(class_declaration name: (_) @name [(class_body) (enum_class_body)]? @body) @definition.class
(object_declaration name: (_) @name (class_body)? @body) @definition.class
(companion_object name: (_) @name (class_body)? @body) @definition.class
((companion_object !name "companion" @name (class_body)? @body) @definition.class
  (#set! name "Companion"))
(enum_entry (identifier) @name (class_body)? @body) @definition.enum_member
(type_alias type: (identifier) @name) @definition.type_alias
(secondary_constructor "constructor" @name (block)? @body) @definition.constructor
(class_parameter ["val" "var"] . (identifier) @name) @definition.property

; An extension is named after what it extends.
(function_declaration [(user_type) @scope (nullable_type (user_type) @scope)] "." name: (_) @name (function_body)? @body) @definition.function
(function_declaration name: (_) @name (function_body)? @body) @definition.function

; Locals stand in blocks and are none.
((property_declaration (modifiers (property_modifier) @_modifier)
    (variable_declaration . (identifier) @name)) @definition.constant
  (#eq? @_modifier "const"))
(class_body (property_declaration
  (variable_declaration . (identifier) @name) (getter)? @body) @definition.property)
(enum_class_body (property_declaration
  (variable_declaration . (identifier) @name) (getter)? @body) @definition.property)
(source_file (property_declaration [(user_type) @scope (nullable_type (user_type) @scope)] "."
  (variable_declaration . (identifier) @name) (getter)? @body) @definition.property)
(source_file (property_declaration
  (variable_declaration . (identifier) @name)) @definition.variable)
(source_file (property_declaration
  (multi_variable_declaration (variable_declaration . (identifier) @name))) @definition.variable)

(class_declaration "interface" (delegation_specifiers (delegation_specifier [
    (user_type (identifier) @name .)
    (user_type (identifier) @name . (type_arguments) .)
  ]))) @reference.inherit
(delegation_specifier (constructor_invocation [
    (user_type (identifier) @name .)
    (user_type (identifier) @name . (type_arguments) .)
  ])) @reference.inherit
(delegation_specifier [
    (user_type (identifier) @name .)
    (user_type (identifier) @name . (type_arguments) .)
    (explicit_delegation . (user_type (identifier) @name .))
    (explicit_delegation . (user_type (identifier) @name . (type_arguments) .))
  ]) @reference.implement
