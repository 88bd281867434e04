; Rust. An impl is an entity by the name of its type and the parent of what is in it. In function
; bodies items (fn, struct, enum, impl, macro_rules!) and what they hold count; let, const and
; static there do not.
(line_comment !inner) @comment
(block_comment !inner) @comment
(attribute_item) @leading

(mod_item name: (identifier) @name body: (_)? @body) @definition.module
(struct_item name: (type_identifier) @name body: (field_declaration_list) @body) @definition.struct
(struct_item name: (type_identifier) @name) @definition.struct
(union_item name: (type_identifier) @name body: (_) @body) @definition.union
(enum_item name: (type_identifier) @name body: (_) @body) @definition.enum
(enum_variant name: (identifier) @name) @definition.enum_member
(field_declaration name: (field_identifier) @name) @definition.field
(trait_item name: (type_identifier) @name body: (_) @body) @definition.trait
(impl_item type: [
  (type_identifier) @name
  (primitive_type) @name
  (scoped_type_identifier name: (type_identifier) @name)
  (generic_type type: (type_identifier) @name)
  (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
  (reference_type type: (type_identifier) @name)
  (reference_type type: (primitive_type) @name)
  (reference_type type: (generic_type type: (type_identifier) @name))
  (reference_type type: (scoped_type_identifier name: (type_identifier) @name))
  (dynamic_type trait: (type_identifier) @name)
  (dynamic_type trait: (generic_type type: (type_identifier) @name))
] body: (_)? @body) @definition.impl
(impl_item type: [
  (array_type) (tuple_type) (unit_type) (pointer_type) (function_type) (never_type)
  (reference_type type: [
    (array_type) (tuple_type) (dynamic_type) (pointer_type) (function_type) (reference_type)
  ])
  (bounded_type) (macro_invocation) (qualified_type)
] @name body: (_)? @body) @definition.impl

(function_item name: (_) @name body: (_) @body) @definition.function
(function_signature_item name: (_) @name) @definition.function
(macro_definition name: (identifier) @name) @definition.macro
(type_item name: (type_identifier) @name) @definition.type_alias
(associated_type name: (type_identifier) @name) @definition.type_alias
((const_item name: (identifier) @name) @definition.constant
  (#not-eq? @name "_"))
(static_item (mutable_specifier) name: (identifier) @name) @definition.variable
(static_item name: (identifier) @name) @definition.constant

(trait_item bounds: (trait_bounds [
  (type_identifier) @name
  (generic_type type: (type_identifier) @name)
  (scoped_type_identifier name: (type_identifier) @name)
  (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
]) @reference.inherit)
(impl_item trait: [
  (type_identifier) @name
  (generic_type type: (type_identifier) @name)
  (scoped_type_identifier name: (type_identifier) @name)
  (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
] @reference.implement)
((attribute_item (attribute (identifier) @_derive arguments: (token_tree (identifier) @name . ["," ")"]))) @reference.implement
  (#eq? @_derive "derive"))
