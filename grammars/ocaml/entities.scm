; OCaml, implementations and interfaces. A binding is a definition of its own, whether let, type or
; module begins it or the "and" of another; of what an expression binds (let … in) functions count. Variants
; and exceptions, which are those of an open type, are enum members.
(comment) @comment
(value_definition ["let" "rec" "and" "%" (attribute_id) (attribute)] @leading)
(type_definition ["type" "nonrec" "and" (attribute)] @leading)
(module_definition ["module" "rec" "and" (attribute)] @leading)
(class_definition ["class" "and" (attribute)] @leading)
(class_type_definition ["class" "type" "and" (attribute)] @leading)
(let_class_expression (value_definition) @opaque)
; module M : sig … end = struct … end: what the body defines counts.
(module_binding module_type: (signature) @opaque body: (structure))

(module_binding (module_name) @name body: (structure) @body) @definition.module
(module_binding (module_name) @name module_type: (signature) @body .) @definition.module
((module_binding (module_name) @name) @definition.module
  (#not-eq? @name "_"))
(module_type_definition (module_type_name) @name body: (signature) @body) @definition.interface
(module_type_definition (module_type_name) @name) @definition.interface
(class_binding (class_name) @name "=" @body body: (_) @body) @definition.class
(class_binding (class_name) @name class_type: [(class_body_type) @body (_ codomain: (class_body_type) @body)])
  @definition.class
(class_binding (class_name) @name) @definition.class
(class_type_binding (class_type_name) @name "=" @body body: (_) @body) @definition.interface

(type_binding name: (type_constructor) @name "=" @body body: (record_declaration) @body) @definition.struct
(type_binding name: (type_constructor) @name "=" @body body: (variant_declaration) @body) @definition.enum
(type_binding name: (type_constructor) @name "=" @body equation: (polymorphic_variant_type) @body) @definition.enum
(type_binding name: (type_constructor) @name) @definition.type_alias
((type_binding equation: (polymorphic_variant_type (_ (tag) @name) @definition.enum_member))
  (#set! prefix "`"))
(exception_definition (_ (constructor_name) @name)) @definition.enum_member
(constructor_declaration (constructor_name) @name) @definition.enum_member
(field_declaration (field_name) @name) @definition.field

((let_binding pattern: [(value_name) (parenthesized_operator)] @name . [(parameter) (abstract_type)]
    "=" @body body: (_) @body) @definition.function
  (#not-eq? @name "_"))
((let_binding pattern: [(value_name) (parenthesized_operator)] @name
    "=" @body body: [(fun_expression) (function_expression)] @body) @definition.function
  (#not-eq? @name "_"))
((let_binding pattern: (value_name) @name type: [(function_type) (_ type: (function_type))]
    "=" @body body: (_) @body) @definition.function
  (#not-eq? @name "_"))
; let%test "of what" = …
(let_binding pattern: (string) @name "=" @body body: (_) @body) @definition.function
(value_specification [(value_name) (parenthesized_operator)] @name type: [(function_type) (_ type: (function_type))])
  @definition.function
(value_specification [(value_name) (parenthesized_operator)] @name) @definition.constant
(external [(value_name) (parenthesized_operator)] @name) @definition.function

(method_definition (method_name) @name "="? @body body: (_)? @body) @definition.method
(method_specification (method_name) @name) @definition.method
(instance_variable_definition (instance_variable_name) @name) @definition.field
(instance_variable_specification (instance_variable_name) @name) @definition.field

(inheritance_definition class: [
  (class_path (class_name) @name)
  (_ (class_path (class_name) @name))
]) @reference.inherit
(inheritance_specification class_type: [
  (class_type_path (class_type_name) @name)
  (_ (class_type_path (class_type_name) @name))
]) @reference.inherit
(module_binding module_type: [
  (module_type_path (module_type_name) @name)
  (_ module_type: (module_type_path (module_type_name) @name))
]) @reference.implement
(include_module module: (module_path (module_name) @name)) @reference.inherit
(include_module_type module_type: [
  (module_type_path (module_type_name) @name)
  (_ module_type: (module_type_path (module_type_name) @name))
]) @reference.inherit
