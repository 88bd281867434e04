; YAML: the keys at the top of each document. A value of several lines is no part of the signature.
(comment) @comment

; A manifest, which names its kind and, under its metadata, itself: a stream may hold many, all with
; the same keys.
((document (block_node (block_mapping
    (block_mapping_pair key: (_) @_kind value: (_) @scope)
    . (block_mapping_pair key: (_) @_metadata value: (block_node (block_mapping
        (block_mapping_pair key: (_) @_name value: (flow_node (_) @name))))) @body))) @definition.block
  (#eq? @_kind "kind") (#eq? @_metadata "metadata") (#eq? @_name "name"))

(document (block_node (block_mapping
  (block_mapping_pair key: (flow_node [(plain_scalar) (double_quote_scalar) (single_quote_scalar)] @name)
    value: (block_node) @body) @definition.key)))
((document (block_node (block_mapping
  (block_mapping_pair key: (flow_node [(plain_scalar) (double_quote_scalar) (single_quote_scalar)] @name)
    ) @definition.key))) (#set! depth "4"))
((document (flow_node (flow_mapping
  (flow_pair key: (flow_node [(plain_scalar) (double_quote_scalar) (single_quote_scalar)] @name)
    ) @definition.key))) (#set! depth "4"))
