; Haskell. A signature and the clauses that follow it are one function; what where and let bind is
; local. An instance is named by its class and type and the parent of its methods. Fields are the
; type's. A wildcard around what has a field of that name is an operator between its operands, a
; qualified name, parentheses: one pattern for all costs less to compile.
[(comment) (haddock) (pragma)] @comment

(header module: (module) @name "where" @body) @definition.module

(data_type [name: (_) @name (_ operator: (_) @name)] ["=" "where"] @body constructors: (_) @body) @definition.struct
(data_type [name: (_) @name (_ operator: (_) @name)]) @definition.struct
(newtype [name: (_) @name (_ operator: (_) @name)] ["=" "where"] @body [constructor: (_) constructors: (_)] @body)
  @definition.struct

(data_constructor constructor: (_ name: (_) @name fields: (_) @body)) @definition.constructor
(data_constructor constructor: (_ [name: (_) @name operator: (_) @name])) @definition.constructor
(newtype_constructor name: (_) @name field: (_) @body) @definition.constructor
(gadt_constructor [name: (_) @name names: (_ (_) @name)]) @definition.constructor
(field name: (_) @name) @definition.field

(type_synomym [name: (_) @name (_ operator: (_) @name)]) @definition.type_alias
(type_family [name: (_) @name (_ operator: (_) @name)] "where"? @body) @definition.type_alias
(data_family [name: (_) @name (_ operator: (_) @name)]) @definition.type_alias
(type_instance name: (_) @name) @definition.type_alias

(class [name: (_) @name (_ operator: (_) @name)] "where"? @body) @definition.trait
(instance name: (_) @name patterns: (_) @name "where"? @body) @definition.impl
(deriving_instance name: (_) @name patterns: (_) @name) @definition.impl

((foreign_import signature: (_ name: (_) @name)) @definition.function
  (#set! merge))
((default_signature (_ name: (_) @name)) @definition.function
  (#set! merge))
((signature name: (_) @name) @definition.function
  (#set! merge)
  (#set! local "drop"))
; Elsewhere what defines them stands below.
(class_declarations (_ names: (_ (_) @name)) @definition.function)
((function [
    name: (_) @name
    (_ operator: (_) @name)
    parens: (_ (_ operator: (_) @name))
  ] match: (match) @body) @definition.function
  (#set! merge)
  (#set! local "drop"))
((bind name: (_) @name match: (match) @body) @definition.function
  (#set! merge)
  (#set! local "drop"))
(bind pattern: (_ element: (variable) @name) match: (match) @body) @definition.constant
((pattern_synonym (_ synonym: [
    (constructor) @name
    (_ function: (constructor) @name)
    (_ function: (_ function: (constructor) @name))
    (_ function: (_ function: (_ function: (constructor) @name)))
    (_ operator: (constructor_operator) @name)
    (_ constructor: (constructor) @name)
  ])) @definition.function
  (#set! merge))

(class context: (_ context: [
  (_ constructor: [(name) @name (_ id: (name) @name)])
  (_ (_ constructor: [(name) @name (_ id: (name) @name)]))
]) @reference.inherit)
(instance name: [(name) @name (_ id: (name) @name)]) @reference.implement
(deriving_instance name: [(name) @name (_ id: (name) @name)]) @reference.implement
(deriving classes: [(name) @name (_ (name) @name)]) @reference.implement
(foreign_export) @opaque

; One error often makes all of a file one node that says nothing: what begins a line can be told.
((ERROR) @definition.function
  (#set! find "^([a-z_][a-z0-9_']*)[ ]*::.*"))
((ERROR) @definition.struct
  (#set! find "^data +([a-z][a-z0-9_']*)"))
((ERROR) @definition.struct
  (#set! find "^newtype +([a-z][a-z0-9_']*)"))
