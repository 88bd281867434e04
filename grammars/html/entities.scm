; HTML: what has an id, and the anchors of old pages. What script and style elements hold is text.
(comment) @comment
[(element) (script_element) (style_element)] @around

((start_tag (attribute (attribute_name) @_id
    [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)])) @definition.element
  (#any-of? @_id "id" "ID" "Id"))
((self_closing_tag (attribute (attribute_name) @_id
    [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)])) @definition.element
  (#any-of? @_id "id" "ID" "Id"))
((start_tag (tag_name) @_tag (attribute (attribute_name) @_name
    [(attribute_value) @name (quoted_attribute_value (attribute_value) @name)])) @definition.element
  (#any-of? @_name "name" "NAME") (#any-of? @_tag "a" "A"))
