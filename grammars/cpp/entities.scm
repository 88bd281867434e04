; C++. Declarators as in C; a function defined outside of its class is scoped by its own name
; (A::B::f). In classes declarations of functions count, at file scope only definitions. In function
; bodies classes, enums, typedefs and what they hold count, and macros; variables do not.
; A wildcard with declarator and parameters is a function, one around it a pointer or reference to
; what it returns: not named, for that costs to compile.
(comment) @comment
(template_declaration) @wrapper
(linkage_specification) @wrapper

; A macro before the name of a class (class API Widget : Base { … }) makes it read as a function.
(function_definition type: (class_specifier !body) declarator: (identifier) @name
  body: (compound_statement) @body) @definition.class
(function_definition type: (struct_specifier !body) declarator: (identifier) @name
  body: (compound_statement) @body) @definition.struct
; So does one before a namespace; in what the parser gave up on, a namespace stands by its name only.
((function_definition declarator: (identifier) @_namespace . (ERROR (identifier) @name .)
  body: (compound_statement) @body) @definition.namespace
  (#eq? @_namespace "namespace"))
(ERROR "namespace" . (namespace_identifier) @name @definition.namespace)

(namespace_definition name: (namespace_identifier) @name body: (_) @body) @definition.namespace
(namespace_definition name: (_
  (namespace_identifier)? @scope (namespace_identifier) @name .) body: (_) @body) @definition.namespace
(namespace_definition name: (_ (namespace_identifier)? @scope (_
    (namespace_identifier) @scope (namespace_identifier) @name .)) body: (_) @body) @definition.namespace
(namespace_definition name: (_ (namespace_identifier)? @scope (_ (namespace_identifier) @scope (_
      (namespace_identifier) @scope (namespace_identifier) @name .))) body: (_) @body) @definition.namespace
(namespace_alias_definition name: (namespace_identifier) @name) @definition.namespace

(class_specifier name: (_) @declarator body: (_) @body) @definition.class
(struct_specifier name: (_) @declarator body: (_) @body) @definition.struct
(union_specifier name: (_) @declarator body: (_) @body) @definition.union
(enum_specifier name: (_) @declarator body: (_) @body) @definition.enum
(type_definition type: (class_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.class
(type_definition type: (struct_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.struct
(type_definition type: (union_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.union
(type_definition type: (enum_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.enum
(type_definition declarator: (_) @declarator) @definition.type_alias
(alias_declaration name: (type_identifier) @name) @definition.type_alias
(concept_definition name: (identifier) @name) @definition.interface
(enumerator name: (identifier) @name) @definition.enum_member

; Without a type: constructors, destructors, conversions (and macros that take a body). What
; initializes members is left out of the signature.
((function_definition !type declarator: (function_declarator) @declarator
   (field_initializer_list) @body) @definition.constructor
  (#not-match? @name "^(~|operator)"))
((function_definition !type declarator: (function_declarator) @declarator
   body: (_)? @body) @definition.constructor
  (#not-match? @name "^(~|operator)")
  (#not-any-of? @name "if" "else" "for" "while" "switch" "do" "return" "sizeof" "defined" "catch" "namespace" "class" "struct"))
((function_definition declarator: (_) @declarator body: (_)? @body) @definition.function
  (#not-any-of? @name "if" "else" "for" "while" "switch" "do" "return" "sizeof" "defined" "catch"
    "void" "char" "int" "unsigned" "struct" "union" "enum" "static" "typedef" "extern" "const" "namespace" "class" "public" "private"))

; Members. A constructor's declaration has no type, as a macro in a class has none: told by name.
((declaration !type
   declarator: (_ declarator: (identifier) parameters: (_)) @declarator) @definition.constructor
  (#set! member))
((declaration declarator: [
    (_ declarator: (destructor_name))
    (operator_cast)
  ] @declarator) @definition.method
  (#set! member))
((template_declaration (declaration declarator: [
    (function_declarator)
    (_ (function_declarator))
  ] @declarator) @definition.method)
  (#set! member))
(field_declaration declarator: [
  (_ declarator: [(field_identifier) (destructor_name) (operator_name) (template_method)] parameters: (_))
  (_ (_ declarator: [(field_identifier) (operator_name)] parameters: (_)))
  (_ (_ (_ declarator: [(field_identifier) (operator_name)] parameters: (_))))
] @declarator) @definition.method
((field_declaration (type_qualifier) @_constant declarator: (_) @declarator) @definition.constant
  (#eq? @_constant "constexpr"))
(field_declaration declarator: (_) @declarator) @definition.field

; Variables of files and namespaces, and static members defined outside of their class: not
; prototypes, not extern declarations. Those of function bodies are left out by their parent.
(lambda_expression) @opaque
((declaration (type_qualifier) @_constant declarator: (_) @declarator) @definition.constant
  (#any-of? @_constant "constexpr" "constinit")
  (#set! reject-declarator "function_declarator"))
((declaration declarator: (_) @declarator) @definition.variable
  (#not-match? @definition.variable "^extern[[:space:]]")
  (#set! reject-declarator "function_declarator"))

((preproc_def name: (identifier) @name) @definition.macro (#set! flat))
((preproc_function_def name: (identifier) @name value: (_)? @body) @definition.macro (#set! flat))

(base_class_clause [
  (type_identifier)
  (template_type)
  (qualified_identifier)
] @declarator @reference.inherit)
