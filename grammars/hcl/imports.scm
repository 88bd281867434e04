((block . (identifier) @_type (body (attribute . (identifier) @_source
    (expression (literal_value (string_lit) @name))))) @reference.import
  (#eq? @_type "module")
  (#eq? @_source "source"))
