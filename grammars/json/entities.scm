; JSON: the keys of the object at the top.
(comment) @comment

((document (object (pair key: (string) @name) @definition.key)) (#set! depth "2"))
