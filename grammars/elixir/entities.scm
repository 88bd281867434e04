; Elixir. Everything is a call: what defines is known by its name. Clauses of a function that follow
; each other are one definition; @doc stands above it, @spec belongs to it.
; Wildcards are calls (target), arguments and operators (left): named they cost more to compile.
(comment) @comment
((unary_operator operator: "@" operand: (_ target: (identifier) @_attribute
    (_ . [(string) (sigil)]))) @comment
  (#any-of? @_attribute "doc" "typedoc" "shortdoc"))
((unary_operator operator: "@" operand: (_ target: (identifier) @_attribute)) @leading
  (#any-of? @_attribute "spec" "impl" "deprecated"))

((call target: (identifier) @_keyword
    (_ . (alias) @name)
    (do_block . (_ operand: (_ target: (identifier) @_moduledoc
      (_ . [(string) (sigil)] @doc)))) @body) @definition.module
  (#eq? @_keyword "defmodule")
  (#eq? @_moduledoc "moduledoc"))
((call target: (identifier) @_keyword (_ . (alias) @name) (do_block) @body) @definition.module
  (#eq? @_keyword "defmodule"))
((call target: (identifier) @_keyword (_ . (alias) @name) (do_block) @body) @definition.interface
  (#eq? @_keyword "defprotocol"))
((call target: (identifier) @_keyword (_ . (alias) @name (_ . (_ value: (alias) @scope)))
    (do_block) @body) @definition.impl
  (#eq? @_keyword "defimpl"))
((call target: (identifier) @_keyword (_ . (alias) @name) (do_block) @body) @definition.impl
  (#eq? @_keyword "defimpl"))
((call target: (identifier) @_keyword (_ . (alias) @name) (do_block)) @reference.implement
  (#eq? @_keyword "defimpl"))
((unary_operator operator: "@" operand: (_ target: (identifier) @_attribute (_ . (alias) @name)))
    @reference.implement
  (#eq? @_attribute "behaviour"))

((call target: (identifier) @_keyword
    (arguments . [
      (identifier) @name
      (_ target: (identifier) @name)
      (_ left: [(identifier) @name (_ target: (identifier) @name)] operator: "when")
    ] . (keywords)? @body)
    (do_block)? @body) @definition.function
  (#any-of? @_keyword "def" "defp" "defdelegate" "defn" "defnp")
  (#set! merge))
((call target: (identifier) @_keyword
    (arguments . [
      (identifier) @name
      (_ target: (identifier) @name)
      (_ left: [(identifier) @name (_ target: (identifier) @name)] operator: "when")
    ] . (keywords)? @body)
    (do_block)? @body) @definition.macro
  (#any-of? @_keyword "defmacro" "defmacrop" "defguard" "defguardp")
  (#set! merge))
; def a + b, do: …
((call target: (identifier) @_keyword
    (arguments . (_ left: (_) operator: _ @name) . (keywords)? @body) (do_block)? @body) @definition.function
  (#any-of? @_keyword "def" "defp")
  (#not-any-of? @name "when" "do"))
((call target: (identifier) @_keyword (_ . (string) @name) (do_block) @body) @definition.function
  (#any-of? @_keyword "test" "describe" "feature" "property"))

; Fields of the module's struct.
((call target: (identifier) @_keyword (_ (list (atom) @definition.field)))
  (#any-of? @_keyword "defstruct" "defexception")
  (#set! find "^:(.+)"))
((call target: (identifier) @_keyword (_ [
    (list (keywords (pair) @definition.field))
    (keywords (pair) @definition.field)
  ]))
  (#any-of? @_keyword "defstruct" "defexception")
  (#set! find "^([^:]+):.*"))

; Module attributes: types, callbacks, and constants, which are what has no other meaning.
((unary_operator operator: "@" operand: (_ target: (identifier) @_attribute
    (_ . (_ left: [(identifier) @name (_ target: (identifier) @name)] operator: "::"))))
    @definition.type_alias
  (#any-of? @_attribute "type" "typep" "opaque"))
((unary_operator operator: "@" operand: (_ target: (identifier) @_attribute
    (_ . (_ left: [(identifier) @name (_ target: (identifier) @name)] operator: "::"))))
    @definition.method
  (#any-of? @_attribute "callback" "macrocallback"))
((unary_operator operator: "@" operand: (_ target: (identifier) @name (arguments))) @definition.constant
  (#not-any-of? @name "moduledoc" "doc" "typedoc" "shortdoc" "spec" "impl" "type" "typep" "opaque" "callback"
    "macrocallback" "behaviour" "deprecated" "derive" "enforce_keys" "optional_callbacks" "before_compile"
    "after_compile" "on_definition" "on_load" "external_resource" "compile" "dialyzer" "tag" "moduletag"
    "describetag" "since" "fallback_to_any" "for" "protocol")
  (#set! first))
