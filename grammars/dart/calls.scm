((identifier) @name . (selector (argument_part)) @reference.call)
((selector [
    (unconditional_assignable_selector (identifier) @name)
    (conditional_assignable_selector (identifier) @name)
  ]) . (selector (argument_part)) @reference.call)
((unconditional_assignable_selector (identifier) @name) . (selector (argument_part)) @reference.call)
(cascade_section (cascade_selector (identifier) @name) . (argument_part)) @reference.call
((new_expression (type_identifier) @name) @reference.call (#match? @name "^[_$]*[A-Z]"))
((const_object_expression (type_identifier) @name) @reference.call (#match? @name "^[_$]*[A-Z]"))
