((start_tag (tag_name) @_tag (attribute (attribute_name) @_src
    [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)])) @reference.import
  (#any-of? @_src "src" "SRC") (#any-of? @_tag "script" "SCRIPT"))
(([
    (start_tag (tag_name) @_tag (attribute (attribute_name) @_href
      [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)]))
    (self_closing_tag (tag_name) @_tag (attribute (attribute_name) @_href
      [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)]))
  ]) @reference.import
  (#any-of? @_href "href" "HREF") (#any-of? @_tag "link" "LINK"))
