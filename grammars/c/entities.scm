; C. A declarator may lie nested at any depth: @declarator is followed inward to its name.
(comment) @comment

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
    "void" "char" "int" "unsigned" "struct" "union" "enum" "static" "typedef" "extern" "const")
  (#set! flat) (#set! nested-declarator "function_declarator"))

; File-scope variables: not prototypes, not extern declarations.
([
  (translation_unit (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_if (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_ifdef (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_else (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_elif (declaration declarator: (_) @declarator) @definition.variable)
  (preproc_elifdef (declaration declarator: (_) @declarator) @definition.variable)
  (linkage_specification (declaration_list (declaration declarator: (_) @declarator) @definition.variable))
 ]
  (#not-match? @definition.variable "^extern[[:space:]]")
  (#set! reject-declarator "function_declarator"))

((preproc_def name: (identifier) @name) @definition.macro (#set! flat))
((preproc_function_def name: (identifier) @name value: (_)? @body) @definition.macro (#set! flat))
