(invocation (object_reference name: (_) @name)) @reference.call
(create_trigger (keyword_execute) . [(keyword_function) (keyword_procedure)] . (object_reference name: (_) @name)) @reference.call
