(using_directive !name
  [(identifier) (qualified_name) (alias_qualified_name)] @name) @reference.import
(using_directive name: (identifier) . [
    (identifier)
    (qualified_name)
    (generic_name)
    (alias_qualified_name)
  ] @name) @reference.import
