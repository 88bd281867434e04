(call_expression function: [
    (identifier) @name
    (field_expression field: (_) @name)
    (generic_function function: (identifier) @name)
    (generic_function function: (field_expression field: (_) @name))
  ]) @reference.call
(infix_expression operator: (identifier) @name) @reference.call
(instance_expression . [
    (type_identifier) @name
    (stable_type_identifier (type_identifier) @name .)
    (generic_type type: (type_identifier) @name)
    (generic_type type: (stable_type_identifier (type_identifier) @name .))
  ]) @reference.call
