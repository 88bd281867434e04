; Zig. Types are values: what a constant is, its value says, else its name (TitleCase is a type). In
; functions types and what they hold count, other constants there do not; a function that returns a
; container is the parent of its members.
((comment) @comment
  (#not-match? @comment "^//!"))

((variable_declaration "const" . (identifier) @name (struct_declaration "{" @body "}" @body)) @definition.struct
  (#set! prefix "@"))
((variable_declaration "const" . (identifier) @name (opaque_declaration "{" @body "}" @body)) @definition.struct
  (#set! prefix "@"))
((variable_declaration "const" . (identifier) @name (union_declaration "{" @body "}" @body)) @definition.union
  (#set! prefix "@"))
((variable_declaration "const" . (identifier) @name (enum_declaration "{" @body "}" @body)) @definition.enum
  (#set! prefix "@"))
((variable_declaration "const" . (identifier) @name (error_set_declaration "{" @body "}" @body)) @definition.enum
  (#set! prefix "@"))
(variable_declaration "const" . (identifier) @name (binary_expression operator: "||")) @definition.enum
((variable_declaration (error_set_declaration (identifier) @name @definition.enum_member))
  (#set! prefix "@"))
(binary_expression (error_set_declaration (identifier) @name @definition.enum_member) operator: "||")

; A name without a type is a type, in a tuple.
((container_field name: (_) @name type: (_)) @definition.field
  (#not-eq? @name "_")
  (#set! prefix "@"))
((union_declaration (container_field name: [(identifier) (builtin_type)] @name) @definition.field)
  (#set! prefix "@"))
((enum_declaration (container_field name: [(identifier) (builtin_type)] @name) @definition.enum_member)
  (#not-eq? @name "_")
  (#set! prefix "@"))

((return_expression (struct_declaration
    (function_declaration name: (identifier) @name body: (block)? @body) @definition.method))
  (#set! prefix "@"))
((function_declaration name: (identifier) @name body: (block)? @body) @definition.function
  (#set! prefix "@"))
; test open {…} would be a second open.
(test_declaration (string) @name (block) @body) @definition.function

; pub const mem = @import("mem.zig"); what is imported for the file itself is no definition.
((variable_declaration "pub" "const" . (identifier) @name . "=" . (builtin_function (builtin_identifier) @_import))
    @definition.module
  (#eq? @_import "@import"))
((return_expression (struct_declaration
    (variable_declaration "const" . (identifier) @name) @definition.type_alias))
  (#match? @name "^[A-Z]([A-Z0-9_]*[a-z]|[0-9]?$)"))
((return_expression (struct_declaration
    (variable_declaration "const" . (identifier) @name) @definition.constant))
  (#set! local "keep"))
((return_expression (struct_declaration
    (variable_declaration "var" . (identifier) @name) @definition.variable))
  (#set! local "keep"))
((variable_declaration "const" . (identifier) @name . "=" . [(builtin_type) (pointer_type) (slice_type) (array_type)
    (nullable_type) (error_union_type) (function_signature) (anyframe_type)]) @definition.type_alias
  (#set! local "drop"))
((variable_declaration "const" . (identifier) @name . "=" . [(identifier) (field_expression) (call_expression)
    (if_expression) (switch_expression) (labeled_type_expression)]) @definition.type_alias
  (#match? @name "^[A-Z]([A-Z0-9_]*[a-z]|[0-9]?$)")
  (#set! local "drop"))
((variable_declaration "const" . (identifier) @name . "=" . (builtin_function (builtin_identifier) @_builtin))
    @definition.type_alias
  (#any-of? @_builtin "@This" "@TypeOf" "@Type" "@Vector")
  (#set! local "drop"))
((variable_declaration "const" . (identifier) @name (_) @_value . ";") @definition.constant
  (#not-match? @_value "^@import\\(")
  (#set! prefix "@"))
(variable_declaration "extern" "const" . (identifier) @name) @definition.constant
(variable_declaration "var" . (identifier) @name) @definition.variable

; The names of another container become its own.
(using_namespace_declaration [
  (identifier) @name
  (field_expression member: (identifier) @name)
  (call_expression function: (identifier) @name)
  (call_expression function: (field_expression member: (identifier) @name))
]) @reference.inherit
