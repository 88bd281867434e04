((call_expression function: (identifier) @name) @reference.call
  (#not-any-of? @name "bool" "byte" "rune" "string" "error" "any" "uintptr" "float32" "float64"
    "int" "int8" "int16" "int32" "int64" "uint" "uint8" "uint16" "uint32" "uint64"
    "complex64" "complex128"))
(call_expression function: (selector_expression field: (field_identifier) @name)) @reference.call
(call_expression function: (parenthesized_expression [
  (identifier) @name
  (selector_expression field: (field_identifier) @name)
])) @reference.call
(call_expression function: (index_expression operand: [
  (identifier) @name
  (selector_expression field: (field_identifier) @name)
])) @reference.call
; F[int](x) reads as a conversion to a type.
(type_conversion_expression type: (generic_type type: [
  (type_identifier) @name
  (qualified_type name: (type_identifier) @name)
])) @reference.call
