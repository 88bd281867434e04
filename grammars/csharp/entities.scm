; C#. A base that is called as interfaces are (IThing) is one; so is any base of a struct.
(comment) @comment

(namespace_declaration name: (_) @name body: (_) @body) @definition.namespace
((compilation_unit (file_scoped_namespace_declaration name: (_) @name) @definition.namespace)
  (#set! level "1"))

(class_declaration name: (_) @name body: (_) @body) @definition.class
(class_declaration name: (_) @name) @definition.class
(struct_declaration name: (_) @name body: (_)? @body) @definition.struct
(record_declaration "struct" name: (_) @name body: (_)? @body) @definition.struct
(record_declaration name: (_) @name body: (_)? @body) @definition.class
(record_declaration (parameter_list (parameter name: (identifier) @name) @definition.property))
(interface_declaration name: (_) @name body: (_)? @body) @definition.interface
(enum_declaration name: (_) @name body: (_)? @body) @definition.enum
(enum_member_declaration name: (_) @name) @definition.enum_member
(delegate_declaration name: (_) @name) @definition.type_alias

(method_declaration name: (_) @name body: (_)? @body) @definition.method
((local_function_statement name: (_) @name body: (_)? @body) @definition.function
  (#not-any-of? @name "if" "else" "for" "foreach" "while" "switch" "case" "catch" "lock" "return"))
(constructor_declaration name: (_) @name body: (_)? @body) @definition.constructor
(destructor_declaration "~" @name name: (_) @name body: (_)? @body) @definition.method
(operator_declaration "operator" @name operator: _ @name body: (_)? @body) @definition.method
(conversion_operator_declaration "operator" @name type: (_) @name body: (_)? @body) @definition.method

; Accessors that do something are a body; { get; set; } says what the property is.
(property_declaration name: (_) @name
  accessors: (accessor_list (accessor_declaration body: (_))) @body) @definition.property
(property_declaration name: (_) @name value: (arrow_expression_clause) @body) @definition.property
(property_declaration name: (_) @name) @definition.property
(indexer_declaration "this" @name
  accessors: (accessor_list (accessor_declaration body: (_))) @body) @definition.property
(indexer_declaration "this" @name value: (arrow_expression_clause) @body) @definition.property
(indexer_declaration "this" @name) @definition.property
(event_declaration name: (_) @name accessors: (_)? @body) @definition.property
(event_field_declaration (variable_declaration
  (variable_declarator name: (_) @name) @declarator)) @definition.property

(field_declaration (modifier "const") (variable_declaration
  (variable_declarator name: (_) @name) @declarator)) @definition.constant
(field_declaration (variable_declaration
  (variable_declarator name: (_) @name) @declarator)) @definition.field
(global_statement (local_declaration_statement (modifier "const") (variable_declaration
  (variable_declarator name: (_) @name) @declarator)) @definition.constant)
(global_statement (local_declaration_statement (variable_declaration
  (variable_declarator name: (_) @name) @declarator)) @definition.variable)

(interface_declaration (base_list [
    (identifier) @name
    (generic_name . (identifier) @name)
    (qualified_name name: [(identifier) @name (generic_name . (identifier) @name)])
  ])) @reference.inherit
((base_list [
    (identifier) @name
    (generic_name . (identifier) @name)
    (qualified_name name: [(identifier) @name (generic_name . (identifier) @name)])
    (primary_constructor_base_type type: [(identifier) @name (generic_name . (identifier) @name)])
  ]) @reference.implement
  (#match? @name "^I[A-Z]"))
((base_list [
    (identifier) @name
    (generic_name . (identifier) @name)
    (qualified_name name: [(identifier) @name (generic_name . (identifier) @name)])
    (primary_constructor_base_type type: [(identifier) @name (generic_name . (identifier) @name)])
  ]) @reference.inherit
  (#not-match? @name "^I[A-Z]"))
