; Python. What lies in a class becomes method or field by its parent; names local to a function
; are left out by their parent, too.
(comment) @comment
(decorated_definition) @wrapper
(block . (expression_statement . (string) @doc))

(class_definition name: (identifier) @name body: (_) @body) @definition.class
(class_definition superclasses: (argument_list [
    (identifier) @name
    (attribute attribute: (identifier) @name)
    (subscript value: [(identifier) @name (attribute attribute: (identifier) @name)])
  ])) @reference.inherit

((function_definition name: (identifier) @name body: (_) @body) @definition.constructor
  (#eq? @name "__init__"))
((decorated_definition (decorator [(identifier) @_decorator (attribute attribute: (identifier) @_decorator)])
  definition: (function_definition name: (identifier) @name body: (_) @body) @definition.property)
  (#any-of? @_decorator "property" "cached_property" "setter" "getter" "deleter" "abstractproperty"))
(function_definition name: (identifier) @name body: (_) @body) @definition.function

((assignment left: (identifier) @name right: (lambda body: (_) @body)) @definition.function
  (#set! first))
((assignment left: (identifier) @name) @definition.constant
  (#match? @name "^_*[A-Z][A-Z0-9_]*$")
  (#set! first))
((assignment left: (identifier) @name) @definition.variable
  (#set! first))
((assignment left: [
    (pattern_list [
      (identifier) @name @definition.variable
      (list_splat_pattern (identifier) @name @definition.variable)
      (tuple_pattern [
        (identifier) @name @definition.variable
        (list_splat_pattern (identifier) @name @definition.variable)
      ])
    ])
    (tuple_pattern (identifier) @name @definition.variable)
  ])
  (#set! first))
(type_alias_statement left: (type [(identifier) @name (generic_type . (identifier) @name)])) @definition.type_alias
