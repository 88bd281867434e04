; Dart. Bodies stand beside signatures, and what a variable of a file begins with beside its names.
; Constructors go by the last part of their name, extensions without a name by their type.
[(comment) (documentation_comment)] @comment
(annotation) @leading
[
  (const_builtin) (final_builtin) (inferred_type) (type_identifier) (type_arguments) (nullable_type)
  (function_type) (record_type) "late" "external"
] @leading

(library_name (dotted_identifier_list) @name) @definition.module
(class_definition name: (identifier) @name body: (_) @body) @definition.class
(class_definition (mixin_application_class . (identifier) @name)) @definition.class
(mixin_declaration (mixin) . (identifier) @name (class_body) @body) @definition.trait
(enum_declaration name: (identifier) @name body: (_) @body) @definition.enum
(enum_constant name: (identifier) @name) @definition.enum_member
(extension_declaration name: (identifier) @name body: (_) @body) @definition.impl
(extension_declaration !name class: (type_identifier) @name body: (_) @body) @definition.impl
(extension_type_declaration name: (identifier) @name body: (_) @body) @definition.class
(type_alias (type_identifier) @name . (type_parameters)? . "=") @definition.type_alias
(type_alias (type_identifier) @name . (formal_parameter_list)) @definition.type_alias

(lambda_expression parameters: (function_signature name: (identifier) @name)
  body: (function_body) @body) @definition.function

((method_signature (function_signature name: (identifier) @name)) @definition.method . (function_body) @body)
((method_signature [(getter_signature name: (identifier) @name) (setter_signature name: (identifier) @name)])
  @definition.property . (function_body) @body)
((method_signature (operator_signature "operator" @name . _ @name)) @definition.method . (function_body) @body)
((method_signature [
    (constructor_signature (identifier) @name . (formal_parameter_list))
    (factory_constructor_signature (identifier) @name . (formal_parameter_list))
  ]) @definition.constructor . (function_body) @body)
(declaration (function_signature name: (identifier) @name)) @definition.method
(declaration [
    (getter_signature name: (identifier) @name)
    (setter_signature name: (identifier) @name)
  ]) @definition.property
(declaration (operator_signature "operator" @name . _ @name)) @definition.method
(declaration [
    (constructor_signature (identifier) @name . (formal_parameter_list))
    (constant_constructor_signature (identifier) @name . (formal_parameter_list))
    (factory_constructor_signature (identifier) @name . (formal_parameter_list))
    (redirecting_factory_constructor_signature (identifier) @name . (formal_parameter_list))
  ]) @definition.constructor

(declaration (const_builtin)
  (static_final_declaration_list (static_final_declaration . (identifier) @name) @declarator)) @definition.constant
(declaration
  (static_final_declaration_list (static_final_declaration . (identifier) @name) @declarator)) @definition.field
(declaration
  (initialized_identifier_list (initialized_identifier . (identifier) @name) @declarator)) @definition.field
(declaration (identifier_list (identifier) @name)) @definition.field
; Of a file: what the patterns above have not taken.
((function_signature name: (identifier) @name) @definition.function . (function_body)? @body)
((getter_signature name: (identifier) @name) @definition.property . (function_body)? @body)
((setter_signature name: (identifier) @name) @definition.property . (function_body)? @body)
(static_final_declaration_list
  (static_final_declaration . (identifier) @name) @declarator) @definition.constant
(initialized_identifier_list
  (initialized_identifier . (identifier) @name) @declarator) @definition.variable

; A name in small letters before a base is a library's.
((superclass (type_identifier) @name) @reference.inherit (#match? @name "^[_$]*[A-Z]"))
((mixins (type_identifier) @name) @reference.inherit (#match? @name "^[_$]*[A-Z]"))
((mixin_application (type_identifier) @name) @reference.inherit (#match? @name "^[_$]*[A-Z]"))
((mixin_declaration (type_identifier) @name) @reference.inherit (#match? @name "^[_$]*[A-Z]"))
((interfaces (type_identifier) @name) @reference.implement (#match? @name "^[_$]*[A-Z]"))

(representation_declaration name: (identifier) @name) @definition.field ; extension type Id(int value)
