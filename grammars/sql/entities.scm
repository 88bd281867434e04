; SQL. A schema's name is the scope. The grammar is PostgreSQL's with some of the others': what it
; does not know, as procedures and the bodies of MySQL's and T-SQL's functions, lies in an error and
; is found by its first words.
(comment) @comment
(marginalia) @comment

(create_table (object_reference schema: (_)? @scope name: (_) @name) . (column_definitions)? @body) @definition.table
(create_view [(keyword_view) (keyword_exists)] . (object_reference schema: (_)? @scope name: (_) @name)
  (create_query) @body) @definition.table
(create_materialized_view [(keyword_view) (keyword_exists)] . (object_reference schema: (_)? @scope name: (_) @name)
  (create_query) @body) @definition.table
(create_table (column_definitions (column_definition name: (_) @name) @definition.field))
(create_type (column_definitions (column_definition name: (_) @name) @definition.field))

(create_function (keyword_function) . (object_reference schema: (_)? @scope name: (_) @name)
  (function_body) @body) @definition.function
(create_trigger [(keyword_trigger) (keyword_exists)] . (object_reference schema: (_)? @scope name: (_) @name)) @definition.function

(create_type (object_reference schema: (_)? @scope name: (_) @name) (enum_elements) @body) @definition.enum
(create_type (object_reference schema: (_)? @scope name: (_) @name) (column_definitions) @body) @definition.struct
(create_type (object_reference schema: (_)? @scope name: (_) @name)) @definition.type_alias
(enum_elements enum_element: (_) @name @definition.enum_member)

(create_index column: (_) @name (object_reference)) @definition.key
(create_sequence (object_reference schema: (_)? @scope name: (_) @name)) @definition.variable
(create_schema [(keyword_schema) (keyword_exists)] . (identifier) @name) @definition.namespace
(create_database [(keyword_database) (keyword_exists)] . (identifier) @name) @definition.namespace

((ERROR) @definition.function
  (#set! find
    "^[ \\t]*CREATE[[:space:]]+((OR|REPLACE|ALTER|CONSTRAINT|TEMP|TEMPORARY|UNIQUE|UNLOGGED|RECURSIVE|MATERIALIZED|GLOBAL|LOCAL|VIRTUAL|FOREIGN|EXTERNAL|EDITIONABLE|NONEDITIONABLE|DEFINER *= *[^[:space:]]+)[[:space:]]+)*(FUNCTION|PROCEDURE|PROC|TRIGGER|AGGREGATE|EVENT)[[:space:]]+(IF[[:space:]]+NOT[[:space:]]+EXISTS[[:space:]]+)?(([^[:space:](.;,]+)\\.)?([^[:space:](.;,]+)"))
((ERROR) @definition.table
  (#set! find
    "^[ \\t]*CREATE[[:space:]]+((OR|REPLACE|ALTER|CONSTRAINT|TEMP|TEMPORARY|UNIQUE|UNLOGGED|RECURSIVE|MATERIALIZED|GLOBAL|LOCAL|VIRTUAL|FOREIGN|EXTERNAL|EDITIONABLE|NONEDITIONABLE|DEFINER *= *[^[:space:]]+)[[:space:]]+)*(TABLE|VIEW)[[:space:]]+(IF[[:space:]]+NOT[[:space:]]+EXISTS[[:space:]]+)?(([^[:space:](.;,]+)\\.)?([^[:space:](.;,]+)"))
((ERROR) @definition.type_alias
  (#set! find
    "^[ \\t]*CREATE[[:space:]]+((OR|REPLACE|ALTER|CONSTRAINT|TEMP|TEMPORARY|UNIQUE|UNLOGGED|RECURSIVE|MATERIALIZED|GLOBAL|LOCAL|VIRTUAL|FOREIGN|EXTERNAL|EDITIONABLE|NONEDITIONABLE|DEFINER *= *[^[:space:]]+)[[:space:]]+)*(TYPE|DOMAIN)[[:space:]]+(IF[[:space:]]+NOT[[:space:]]+EXISTS[[:space:]]+)?(([^[:space:](.;,]+)\\.)?([^[:space:](.;,]+)"))
((ERROR) @definition.key
  (#set! find
    "^[ \\t]*CREATE[[:space:]]+((OR|REPLACE|ALTER|CONSTRAINT|TEMP|TEMPORARY|UNIQUE|UNLOGGED|RECURSIVE|MATERIALIZED|GLOBAL|LOCAL|VIRTUAL|FOREIGN|EXTERNAL|EDITIONABLE|NONEDITIONABLE|DEFINER *= *[^[:space:]]+)[[:space:]]+)*(INDEX|INDEX[[:space:]]+CONCURRENTLY)[[:space:]]+(IF[[:space:]]+NOT[[:space:]]+EXISTS[[:space:]]+)?(([^[:space:](.;,]+)\\.)?([^[:space:](.;,]+)"))
