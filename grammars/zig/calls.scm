(call_expression function: [
  (identifier) @name
  (field_expression member: (identifier) @name)
]) @reference.call
