(call_expression function: [
  (identifier) @declarator
  (qualified_identifier) @declarator
  (template_function) @declarator
  (_ field: [(field_identifier) (template_method) (qualified_identifier)] @declarator)
  (_ field: (_ (template_method) @declarator))
]) @reference.call
(new_expression type: [(type_identifier) (qualified_identifier) (template_type)] @declarator) @reference.call
