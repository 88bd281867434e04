; Objective-C. Interfaces, categories and implementations go by the name of their class; what of C
; there is as in C. A class's head ends where its first member begins.
(comment) @comment

((class_interface . (identifier) @name . "(") @definition.impl (#set! body "@+-{#"))
((class_interface . (identifier) @name) @definition.class (#set! body "@+-{#"))
((class_implementation . (identifier) @name) @definition.impl (#set! body "@+-{#"))
((protocol_declaration . (identifier) @name) @definition.interface (#set! body "@+-#"))
(compatibility_alias_declaration class: (identifier) @name) @definition.type_alias

((method_declaration) @definition.method (#set! selector "identifier"))
((method_definition) @definition.method (#set! selector "identifier") (#set! body "{"))
(property_declaration (struct_declaration (struct_declarator) @declarator)) @definition.property
(instance_variable (struct_declaration (struct_declarator) @declarator)) @definition.field

(class_interface superclass: (identifier) @name) @reference.inherit
(class_interface superclass: (identifier)
  . (parameterized_arguments (type_name (type_identifier) @name))) @reference.implement
(class_interface ")" . (parameterized_arguments (type_name (type_identifier) @name))) @reference.implement
(protocol_declaration (protocol_reference_list (identifier) @name)) @reference.inherit

; Types, named and anonymous ones that a typedef names.
(struct_specifier name: (type_identifier) @name body: (_) @body) @definition.struct
(union_specifier name: (type_identifier) @name body: (_) @body) @definition.union
(enum_specifier name: (type_identifier) @name body: (_) @body) @definition.enum
(type_definition type: (struct_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.struct
(type_definition type: (union_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.union
(type_definition type: (enum_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.enum
(type_definition declarator: (_) @declarator) @definition.type_alias
(field_declaration declarator: (_) @declarator) @definition.field
(enumerator name: (identifier) @name) @definition.enum_member

; Functions never nest: where a brace inside #if misleads the parser they still stand alone.
((function_definition declarator: (_) @declarator body: (_) @body) @definition.function
  (#not-any-of? @name "if" "else" "for" "while" "switch" "do" "return" "sizeof" "defined"
    "void" "char" "int" "unsigned" "struct" "union" "enum" "static" "typedef" "extern" "const" "interface" "protocol")
  (#set! flat))

; File-scope variables: not prototypes, not extern declarations.
([
  (translation_unit (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_if (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_ifdef (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_else (declaration declarator: (_) @declarator) @definition.variable)
  (linkage_specification (declaration_list (declaration declarator: (_) @declarator) @definition.variable))
  (implementation_definition (declaration declarator: (_) @declarator) @definition.variable)
 ]
  (#not-match? @definition.variable "^(extern|[A-Z_]+EXPORT|[A-Z_]+EXTERN)[[:space:]]")
  (#set! reject-declarator "function_declarator")
  (#set! flat))

((preproc_def name: (identifier) @name) @definition.macro (#set! flat))
((preproc_function_def name: (identifier) @name value: (_)? @body) @definition.macro (#set! flat))
