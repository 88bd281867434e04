; Make: targets and variables, each variable once.
(comment) @comment
(export_directive) @wrapper
(override_directive) @wrapper
(private_directive) @wrapper

; A target's variable belongs to it; names of the program's own are no targets.
((rule (targets (_) @name) @_targets) @definition.target
  (#set! body "\r\n\t;") ; the recipe: as a pattern's node it would have each of many names wait for it
  (#not-match? @_targets "=") ; an assignment to a name that the grammar does not know as one
  (#not-any-of? @name ".PHONY" ".SUFFIXES" ".DEFAULT" ".PRECIOUS" ".INTERMEDIATE" ".SECONDARY"
    ".SECONDEXPANSION" ".DELETE_ON_ERROR" ".IGNORE" ".LOW_RESOLUTION_TIME" ".SILENT"
    ".EXPORT_ALL_VARIABLES" ".NOTPARALLEL" ".ONESHELL" ".POSIX" ".NOTINTERMEDIATE" ".WAIT"
    ".NOEXPORT" ".EXTRA_PREREQS"))
((variable_assignment !target_or_pattern name: (word) @name) @definition.variable (#set! first))
((variable_assignment target_or_pattern: (list (_) @scope) name: (word) @name) @definition.variable
  (#set! first) (#set! flat))
((shell_assignment name: (word) @name) @definition.variable (#set! first))
((VPATH_assignment name: _ @name) @definition.variable (#set! first))
((define_directive name: (word) @name value: (_)? @body) @definition.macro)

; The grammar takes an assignment to a computed name, obj-$(X) += a.o, for the head of a rule that goes on
; over the lines that follow. But a makefile is lines: what the tree lacks is found in them.
((makefile) @definition.variable
  (#set! find "^ *([a-z0-9_.%/${}()-]+)[ \t]*[:+?!]*=.*")
  (#set! first))
((makefile) @definition.variable
  (#set! find "^[a-z0-9_.%/${}()*@+-]+[ \t]*: *([a-z0-9_.-]+)[ \t]*[:+?]*=.*")
  (#set! first) (#set! flat))
((makefile) @definition.variable
  (#set! find "^\t+([a-z0-9_.-]+)[ \t]*[:?]=.*")
  (#set! first))
((makefile) @definition.target
  (#set! first)
  (#set! find "^([a-z0-9_.%/${}()*@+-]+)[ \t]*:[^:=].*")
  (#not-match? @name "^[.][A-Z_]+$|^[$][({][0-9]"))
