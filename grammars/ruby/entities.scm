; Ruby. What a class says of itself with calls (attr_reader, define_method) defines, too. Wildcards
; stand where a field says enough: they cost less to compile.
(comment) @comment

(module name: (constant) @name body: (_)? @body) @definition.module
(module name: (scope_resolution !scope name: (constant) @name) body: (_)? @body) @definition.module
(module name: (_ scope: (_) @scope name: (constant) @name) body: (_)? @body) @definition.module
(class name: (constant) @name body: (_)? @body) @definition.class
(class name: (scope_resolution !scope name: (constant) @name) body: (_)? @body) @definition.class
(class name: (_ scope: (_) @scope name: (constant) @name) body: (_)? @body) @definition.class

((method name: (_) @name body: (_)? @body) @definition.constructor
  (#eq? @name "initialize"))
(program (method name: (_) @name body: (_)? @body) @definition.function)
(method name: (_) @name body: (_)? @body) @definition.method
(singleton_method object: [(constant) (identifier)] @scope name: (_) @name body: (_)? @body) @definition.method
(singleton_method name: (_) @name body: (_)? @body) @definition.method

; Point = Struct.new(:x) do … end, Error = Class.new(StandardError)
((assignment left: (constant) @name
    right: (_ receiver: (constant) @_maker block: (_)? @body)) @definition.class
  (#any-of? @_maker "Struct" "Class" "Data"))
(assignment left: [
    (constant) @name
    (_ name: (constant) @name)
    (left_assignment_list (constant) @name)
  ]) @definition.constant
((program (assignment left: (global_variable) @name) @definition.variable) (#set! first))

((call method: (identifier) @_attr arguments: (_
    (simple_symbol) @name @declarator)) @definition.property
  (#any-of? @_attr "attr_accessor" "attr_reader" "attr_writer" "attr" "cattr_accessor" "mattr_accessor"
    "class_attribute" "mattr_reader" "mattr_writer" "cattr_reader" "cattr_writer" "thread_mattr_accessor")
  (#set! prefix ":"))
((call method: (identifier) @_define arguments: (_ . (simple_symbol) @name)) @definition.method
  (#any-of? @_define "define_method" "define_singleton_method" "alias_method" "scope")
  (#set! prefix ":"))
((alias name: (_) @name) @definition.method (#set! prefix ":"))

(superclass [(constant) @name (_ name: (constant) @name)]) @reference.inherit
((call method: (identifier) @_mix
    arguments: (_ [(constant) @name (_ name: (constant) @name)])) @reference.inherit
  (#any-of? @_mix "include" "extend" "prepend"))
