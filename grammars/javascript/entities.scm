; JavaScript's own: bases and class fields.
(class_heritage [
    (identifier) @name
    (member_expression property: (property_identifier) @name)
  ]) @reference.inherit
(field_definition property: (_) @name value: (_ body: (_) @body)) @definition.method
(field_definition property: (_) @name) @definition.field
