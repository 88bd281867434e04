; Swift. What an extension adds is named after the type that it extends. A class's first base is taken
; for its superclass, all others for protocols.
(comment) @comment
(multiline_comment) @comment

(class_declaration ["class" "actor"] . (_) @name body: (_) @body) @definition.class
(class_declaration "struct" . (_) @name body: (_) @body) @definition.struct
(class_declaration name: (_) @name body: (enum_class_body) @body) @definition.enum
(class_declaration "extension" . (_) @name body: (_) @body) @definition.impl
(protocol_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_entry name: (simple_identifier) @name) @definition.enum_member
(typealias_declaration name: (type_identifier) @name) @definition.type_alias
(associatedtype_declaration name: (type_identifier) @name) @definition.type_alias
(macro_declaration (simple_identifier) @name) @definition.macro

(function_declaration "func" . name: _ @name body: (_) @body) @definition.function
(protocol_function_declaration "func" . name: _ @name) @definition.method
(init_declaration "init" @name body: (_) @body) @definition.constructor
(init_declaration "init" @name) @definition.constructor
(deinit_declaration "deinit" @name body: (_) @body) @definition.method
((subscript_declaration "subscript" @name) @definition.property (#set! body "{"))

; Locals stand elsewhere and are none.
((class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.property)
  (#set! body "{"))
((enum_class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.property)
  (#set! body "{"))
(protocol_property_declaration name: (pattern bound_identifier: (_) @name)) @definition.property
((source_file (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.constant)
  (#match? @definition.constant "^(([a-z]+([(][a-z]+[)])?|@[A-Za-z]+)[[:space:]]+)*let[[:space:]]"))
((source_file (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.variable)
  (#set! body "{"))

(class_declaration "class" ":" . (inheritance_specifier inherits_from: [
    (user_type (type_identifier) @name .)
    (user_type (type_identifier) @name . (type_arguments) .)
  ])) @reference.inherit
(protocol_declaration (inheritance_specifier inherits_from: [
    (user_type (type_identifier) @name .)
    (user_type (type_identifier) @name . (type_arguments) .)
  ])) @reference.inherit
(inheritance_specifier inherits_from: [
    (user_type (type_identifier) @name .)
    (user_type (type_identifier) @name . (type_arguments) .)
  ]) @reference.implement

; let (a, b) = …
(class_body (property_declaration name: (pattern (pattern (simple_identifier) @name))) @definition.property)
(source_file (property_declaration (value_binding_pattern "let")
  name: (pattern (pattern (simple_identifier) @name))) @definition.constant)
(source_file (property_declaration (value_binding_pattern "var")
  name: (pattern (pattern (simple_identifier) @name))) @definition.variable)
