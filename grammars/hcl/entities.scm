; HCL: Terraform, Packer, Nomad. A block is named by its last label, what stands before is its scope,
; but a resource is known without that word; a block without labels is one at the top of the file.
(comment) @comment

((block . (identifier) @_type . [(string_lit (template_literal) @scope) (identifier) @scope]
    . [(string_lit (template_literal) @name) (identifier) @name] . (block_start) @body) @definition.block
  (#eq? @_type "resource"))
(block . (identifier) @scope . (string_lit (template_literal) @scope) . (string_lit (template_literal) @name)
  . (block_start) @body) @definition.block
(block . (identifier) @scope . [(string_lit (template_literal) @name) (identifier) @name]
  . (block_start) @body) @definition.block
(config_file (body (block . (identifier) @name . (block_start) @body) @definition.block))

((block . (identifier) @_type . (block_start) (body (attribute . (identifier) @name) @definition.constant))
  (#eq? @_type "locals"))
; A file of values.
(config_file (body (attribute . (identifier) @name) @definition.variable))
