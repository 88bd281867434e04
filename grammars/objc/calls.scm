((message_expression receiver: (_) . method: (identifier) @name) @reference.call (#set! selector "identifier"))
(call_expression function: (identifier) @name) @reference.call
(call_expression function: (field_expression field: (field_identifier) @name)) @reference.call
