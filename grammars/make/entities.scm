; Make: targets and variables, each variable once.
(comment) @comment
(export_directive) @wrapper
(override_directive) @wrapper
(private_directive) @wrapper

; A target's variable belongs to it; names of the program's own are no targets.
((rule (targets (_) @name) @_targets (recipe)? @body) @definition.target
  (#not-match? @_targets "=") ; an assignment to a name that the grammar does not know as one
  (#not-any-of? @name ".PHONY" ".SUFFIXES" ".DEFAULT" ".PRECIOUS" ".INTERMEDIATE" ".SECONDARY"
    ".SECONDEXPANSION" ".DELETE_ON_ERROR" ".IGNORE" ".LOW_RESOLUTION_TIME" ".SILENT"
    ".EXPORT_ALL_VARIABLES" ".NOTPARALLEL" ".ONESHELL" ".POSIX" ".NOTINTERMEDIATE" ".WAIT"
    ".NOEXPORT" ".EXTRA_PREREQS"))
((variable_assignment !target_or_pattern name: (word) @name) @definition.variable (#set! first))
((shell_assignment name: (word) @name) @definition.variable (#set! first))
((VPATH_assignment name: _ @name) @definition.variable (#set! first))
((define_directive name: (word) @name value: (_)? @body) @definition.macro)
