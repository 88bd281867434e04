((invocation_expression function: (identifier) @name) @reference.call
  (#not-eq? @name "nameof"))
(invocation_expression function: [
    (generic_name . (identifier) @name)
    (member_access_expression name: [(identifier) @name (generic_name . (identifier) @name)])
    (conditional_access_expression
      (member_binding_expression name: [(identifier) @name (generic_name . (identifier) @name)]))
    (alias_qualified_name name: [(identifier) @name (generic_name . (identifier) @name)])
  ]) @reference.call
(object_creation_expression type: [
    (identifier) @name
    (generic_name . (identifier) @name)
    (qualified_name name: [(identifier) @name (generic_name . (identifier) @name)])
  ]) @reference.call
