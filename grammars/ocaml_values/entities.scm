; OCaml, implementations only: values of a module, not of an expression (let … in).
((compilation_unit (value_definition (let_binding pattern: [
    (value_name) @name
    (parenthesized_operator) @name
    (tuple_pattern (value_name) @name)
    (_ (tuple_pattern (value_name) @name))
    (_ . (value_name) @name)
  ]) @definition.constant))
  (#not-eq? @name "_"))
((structure (value_definition (let_binding pattern: [
    (value_name) @name
    (parenthesized_operator) @name
    (tuple_pattern (value_name) @name)
    (_ (tuple_pattern (value_name) @name))
    (_ . (value_name) @name)
  ]) @definition.constant))
  (#not-eq? @name "_"))
((ERROR (value_definition (let_binding pattern: [
    (value_name) @name
    (parenthesized_operator) @name
    (tuple_pattern (value_name) @name)
    (_ (tuple_pattern (value_name) @name))
    (_ . (value_name) @name)
  ]) @definition.constant))
  (#not-eq? @name "_"))
