; Julia. A method is a function (or what is assigned to a call), its name under any where and :: that
; stand around it: wildcards there cost nothing to compile. Strings that stand alone are documentation.
[(line_comment) (block_comment)] @comment
(source_file (string_literal) @comment)
(module_definition (string_literal) @comment)
(struct_definition (string_literal) @comment)
(macrocall_expression (macro_argument_list [
  (function_definition) (assignment) (struct_definition) (abstract_definition) (macrocall_expression) (const_statement)
] .)) @wrapper

(module_definition name: (_) @name . (_)? @body "end" @body) @definition.module
(struct_definition (type_head [
    (identifier) @name
    (_ . (identifier) @name)
    (_ . (_ . (identifier) @name))
  ]) . (_)? @body "end" @body) @definition.struct
(primitive_definition (type_head [(identifier) @name (_ . (identifier) @name)])) @definition.struct
(abstract_definition (type_head [
    (identifier) @name
    (_ . (identifier) @name)
    (_ . (_ . (identifier) @name))
  ]) "end" @body) @definition.interface
(struct_definition [
  (identifier) @name @definition.field
  (typed_expression . (identifier) @name) @definition.field
  (assignment . [(identifier) @name (typed_expression . (identifier) @name)]) @definition.field
  (const_statement (_ . [(identifier) @name (_ . (identifier) @name)])) @definition.field
])

((macrocall_expression (macro_identifier (identifier) @_enum)
    (macro_argument_list . [(identifier) @name (_ . (identifier) @name)])) @definition.enum
  (#eq? @_enum "enum"))
((macrocall_expression (macro_identifier (identifier) @_enum) (macro_argument_list . (_) [
    (identifier) @name @definition.enum_member
    (_ . (identifier) @name . (operator)) @definition.enum_member
    (compound_statement [
      (identifier) @name @definition.enum_member
      (_ . (identifier) @name . (operator)) @definition.enum_member
    ])
  ]))
  (#eq? @_enum "enum"))

(function_definition (signature [
    (identifier) @name
    (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list))
    (_ . (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list)))
    (_ . (_ . (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list))))
  ]) . (_)? @body "end" @body) @definition.function
(macro_definition (signature [(identifier) @name (_ . [(identifier) (operator)] @name)]) . (_)? @body "end" @body)
  @definition.macro
(assignment . [
    (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list))
    (typed_expression . (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list)))
    (where_expression . [
      (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list))
      (_ . (_ . [
        (identifier) @name
        (operator) @name
        (_ value: (_) @scope [(identifier) @name (_ (_) @name)] .)
        (_ . (identifier) @name . (curly_expression))
        (_ . [(operator) @name (_ (identifier) @name .)] .)
      ] (argument_list)))
    ])
  ] (operator) . (_) @body) @definition.function

(const_statement (_ . (identifier) @name . (operator) . [(arrow_function_expression) (function_definition)] @body))
  @definition.function
(const_statement (_ . [
    (identifier) @name
    (_ . (identifier) @name . (curly_expression))
  ] . (operator) . (parametrized_type_expression))) @definition.type_alias
(const_statement (_ . [
    (identifier) @name
    (typed_expression . (identifier) @name)
    (open_tuple (identifier) @name)
    (tuple_expression (identifier) @name)
  ])) @definition.constant
((global_statement (_ . [(identifier) @name (typed_expression . (identifier) @name)])) @definition.variable
  (#set! first))
([
  (source_file (_ . [(identifier) @name (open_tuple (identifier) @name)] . (operator) @_assign) @definition.variable)
  (module_definition (_ . [(identifier) @name (open_tuple (identifier) @name)] . (operator) @_assign)
    @definition.variable)
]
  (#eq? @_assign "=")
  (#set! first))

(type_head (_ (operator) . [
  (identifier) @name
  (_ . (identifier) @name . (curly_expression))
  (_ value: (_) (identifier) @name .)
] .)) @reference.inherit
