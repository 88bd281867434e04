; TOML: tables and the keys before the first of them.
(comment) @comment

(table . [(bare_key) (dotted_key) (quoted_key)] @name . (comment)? . (pair)? @body) @definition.section
(table_array_element . [(bare_key) (dotted_key) (quoted_key)] @name . (comment)? . (pair)? @body) @definition.section
((document (pair . [(bare_key) (dotted_key) (quoted_key)] @name) @definition.key) (#set! depth "2"))
