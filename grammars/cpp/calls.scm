(call_expression function: [
  (identifier) @declarator
  (qualified_identifier) @declarator
  (template_function) @declarator
  (field_expression field: (field_identifier) @declarator)
  (field_expression field: (template_method) @declarator)
  (field_expression field: (qualified_identifier) @declarator)
  (field_expression field: (dependent_name (template_method) @declarator))
]) @reference.call
(new_expression type: [(type_identifier) (qualified_identifier) (template_type)] @declarator) @reference.call
