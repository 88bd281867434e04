((call target: (identifier) @name) @reference.call
  (#not-any-of? @name "def" "defp" "defmacro" "defmacrop" "defmodule" "defprotocol" "defimpl" "defstruct"
    "defexception" "defdelegate" "defguard" "defguardp" "alias" "import" "require" "use" "if" "unless" "case"
    "cond" "with" "for" "quote" "unquote" "unquote_splicing" "receive" "try" "raise" "fn" "describe" "test"
    "doc" "moduledoc" "typedoc" "spec" "type" "typep" "opaque" "callback" "impl" "behaviour"))
(call target: (dot right: (identifier) @name)) @reference.call
