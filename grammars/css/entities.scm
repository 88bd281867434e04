; CSS. Each selector of a list is an entity; at-rules hold what is in them.
(comment) @comment

((rule_set (selectors (_) @name) (block) @body) @definition.selector
  (#not-match? @name "^/[*]"))
((declaration (property_name) @name) @definition.property
  (#match? @name "^--"))

(keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @definition.block
(media_statement . (_) @name (_)* @name . (block) @body) @definition.block
(supports_statement . (_) @name (_)* @name . (block) @body) @definition.block
(scope_statement . (_) @name (_)* @name . (block) @body) @definition.block
(at_rule (at_keyword) . (ERROR)? @name . (_) @name (_)* @name . (block) @body) @definition.block
