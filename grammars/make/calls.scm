; What a target is made from.
((rule (targets . (_) @_target) normal: (prerequisites (word) @name)) @reference.call
  (#not-match? @name "[%*?]") (#not-match? @_target "^[.][A-Z_]+$"))
((rule order_only: (prerequisites (word) @name)) @reference.call
  (#not-match? @name "[%*?]"))
