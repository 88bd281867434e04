(function_call_expression function: [(name) @name (qualified_name (name) @name)]) @reference.call
(member_call_expression name: (name) @name) @reference.call
(nullsafe_member_call_expression name: (name) @name) @reference.call
(scoped_call_expression name: (name) @name) @reference.call
((object_creation_expression [(name) @name (qualified_name (name) @name)]) @reference.call
  (#not-any-of? @name "static" "self" "parent"))
