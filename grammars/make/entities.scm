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
((rule target: (pattern_list (_) @name)) @definition.target ; $(OBJS): out/%.o: src/%.c
  (#set! body "\r\n\t;"))
((variable_assignment !target_or_pattern name: (word) @name) @definition.variable
  (#set! first)
  (#not-match? @name "[?]$")) ; prefix?=/usr: the mark is taken for a part of the name
((variable_assignment target_or_pattern: (list (_) @scope) name: (word) @name) @definition.variable
  (#set! first) (#set! flat))
((shell_assignment name: (word) @name) @definition.variable (#set! first))
((VPATH_assignment name: _ @name) @definition.variable (#set! first))
((define_directive name: (word) @name value: (_)? @body) @definition.macro)

; The grammar takes an assignment to a computed name, obj-$(X) += a.o, for the head of a rule that goes on
; over the lines that follow. But a makefile is lines: what the tree lacks is found in them,
; also where the tree is none, but one error.
([(makefile) (ERROR)] @definition.variable
  (#set! lines)
  (#set! find "^ *([a-z0-9_.%/${}()-]+)[ \t]*[:+?!]*=.*")
  (#set! first))
([(makefile) (ERROR)] @definition.variable
  (#set! lines)
  (#set! find "^[a-z0-9_.%/${}()*@+-]+[ \t]*: *([a-z0-9_.-]+)[ \t]*[:+?]*=.*")
  (#set! first) (#set! flat))
([(makefile) (ERROR)] @definition.variable
  (#set! lines)
  (#set! find "^[a-z0-9_.%/${}()*@+-]+[ \t]*: *export +([a-z0-9_.-]+)[ \t]*[:+?]*=.*")
  (#set! first) (#set! flat))
; Behind a tab only what is no command: a shell has no blanks before its "=".
([(makefile) (ERROR)] @definition.variable
  (#set! lines)
  (#set! find "^\t+([a-z0-9_.-]+)[ \t]*[ \t:?+]=.*")
  (#set! first))
([(makefile) (ERROR)] @definition.variable
  (#set! lines)
  (#set! find "^\t+export[ \t]+([a-z0-9_.-]+)[ \t]*[ \t:?+]=.*")
  (#set! first))
([(makefile) (ERROR)] @definition.macro
  (#set! lines)
  (#set! find "^define[ \t]+([a-z0-9_.-]+).*")
  (#set! first))
([(makefile) (ERROR)] @definition.target
  (#set! lines)
  (#set! first) (#set! each)
  (#set! find "^([a-z0-9_.%/${}()*@+-][a-z0-9_.%/${}()*@+, \t-]*):[^:=].*")
  (#not-match? @name "^[.][A-Z_]+$|^[$][({][0-9]"))
([(makefile) (ERROR)] @definition.target
  (#set! lines)
  (#set! first) (#set! each)
  (#set! find "^([a-z0-9_.%/${}()*@+-][a-z0-9_.%/${}()*@+, \t-]*)::?[ \t]*$")
  (#not-match? @name "^[.][A-Z_]+$|^[$][({][0-9]"))
