; Scala 2 and 3. What an extension adds is named after the type that it extends; a given without a name
; goes by its type. The first base is taken for the superclass.
[(comment) (block_comment)] @comment

(package_clause name: (_) @name body: (_) @body) @definition.namespace
(package_clause name: (_) @name) @definition.module
(package_object name: (_) @name body: (_) @body) @definition.module

(class_definition name: (_) @name body: (_) @body) @definition.class
(class_definition name: (_) @name) @definition.class
(object_definition name: (_) @name body: (_) @body) @definition.class
(object_definition name: (_) @name) @definition.class
(trait_definition name: (_) @name body: (_) @body) @definition.trait
(trait_definition name: (_) @name) @definition.trait
(enum_definition name: (_) @name body: (_) @body) @definition.enum
(simple_enum_case name: (_) @name) @definition.enum_member
(full_enum_case name: (_) @name) @definition.enum_member
(enum_case_definitions "case" @leading)
(given_definition name: (_) @name body: (_) @body) @definition.impl
(given_definition !name return_type: [(type_identifier) (generic_type) (stable_type_identifier)] @name
  body: (_) @body) @definition.impl
(type_definition name: (_) @name) @definition.type_alias

(extension_definition parameters: (parameters . (parameter type: (_) @scope))
  (function_definition name: (_) @name body: (_) @body) @definition.function)
(extension_definition parameters: (parameters . (parameter type: (_) @scope))
  (function_declaration name: (_) @name) @definition.function)
((function_definition name: (_) @name body: (_) @body) @definition.constructor (#eq? @name "this"))
(function_definition name: (_) @name body: (_) @body) @definition.function
(function_declaration name: (_) @name) @definition.method

; Of a case class every parameter is a member, of others what val or var says.
(class_definition "case" class_parameters: (class_parameters (class_parameter name: (_) @name) @definition.property))
(class_parameter ["val" "var"] name: (_) @name) @definition.property
((template_body [
    (val_definition pattern: (identifier) @name)
    (var_definition pattern: (identifier) @name)
    (val_definition pattern: (_ (identifier) @name))
    (var_definition pattern: (_ (identifier) @name))
  ] @definition.property) (#set! local "drop"))
((with_template_body [(val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)]
  @definition.property) (#set! local "drop"))
((enum_body [(val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)]
  @definition.property) (#set! local "drop"))
([(val_declaration name: (identifier) @name) (var_declaration name: (identifier) @name)] @definition.property
  (#set! local "drop"))
(compilation_unit (val_definition pattern: (identifier) @name) @definition.constant)
(compilation_unit (var_definition pattern: (identifier) @name) @definition.variable)
(compilation_unit (val_definition pattern: (_ (identifier) @name)) @definition.constant)
(compilation_unit (var_definition pattern: (_ (identifier) @name)) @definition.variable)

(extends_clause . [
    (type_identifier) @name
    (stable_type_identifier (type_identifier) @name .)
    (generic_type type: (type_identifier) @name)
    (generic_type type: (stable_type_identifier (type_identifier) @name .))
  ]) @reference.inherit
([
  (extends_clause [
    (type_identifier) @name
    (stable_type_identifier (type_identifier) @name .)
    (generic_type type: (type_identifier) @name)
    (generic_type type: (stable_type_identifier (type_identifier) @name .))
  ])
  (derives_clause (type_identifier) @name)
 ] @reference.implement)
(given_definition return_type: [
    (type_identifier) @name
    (generic_type type: (type_identifier) @name)
  ]) @reference.implement
