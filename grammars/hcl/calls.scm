(function_call (identifier) @name) @reference.call
; What an expression uses, by its address: var.region, data.aws_ami.ubuntu, aws_instance.web.
((expression . (variable_expr (identifier) @_of) . (get_attr (identifier) @name)) @reference.call
  (#any-of? @_of "var" "local" "module"))
((expression . (variable_expr (identifier) @_of) . (get_attr) . (get_attr (identifier) @name)) @reference.call
  (#eq? @_of "data"))
((expression . (variable_expr (identifier) @_of) . (get_attr (identifier) @name)) @reference.call
  (#match? @_of "^[a-z0-9]+_[a-z0-9_]+$"))
