#pragma once
/* The languages that are linked in, as grammars/registry.py writes them from languages.json and the
 * query files. Constant data, any thread; lists end with NULL. */
#include <stddef.h>

typedef struct TSLanguage TSLanguage;

struct grammar_extension {
    const char *suffix;      // without the dot, lower case: "jsx"
    const char *language_id; // as LSP names it: "javascriptreact"
    /* Of an extension that several languages claim: words one of which begins a line of this
     * one's files, behind spaces. NULL: the language of all files that no other one knows. */
    const char *const *line_starts;
};

/* A macro that the grammar is not shown. */
struct grammar_mask {
    const char *word; // "NS_ENUM"; "*_ENUM": ends so; "^": any in capitals that has its line alone;
                      // "#": lines of #if, #else, #endif
    const char *as;   // what stands there for the parser: "" nothing, "()" nothing for its arguments
                      // either, "extern" that word, "enum(2)" that word and the second argument, "(*)": all
                      // arguments; of "#": "@a @b{ @end", in regions that begin with a line @a or @b
                      // and end with @end, but not in the braces of @b; "": everywhere
};

struct grammar {
    const char *name;       // "javascript"
    const char *key_prefix; // "js"
    const TSLanguage *(*language)(void);
    const struct grammar_extension *extensions; // ends with suffix NULL
    const char *const *filenames;               // whole names: "SConstruct"
    const char *const *shebangs;                // programs: "python3"
    const char *language_id;                    // of files known by name or shebang
    const char *outline;     // how its bodies are known: a row of src/bodies/syntax.c; NULL: not at all
    const struct grammar_mask *masks; // ends with word NULL; NULL: none
    /* Query texts, "" where there is none. */
    const char *entities;
    const char *calls;
    const char *imports;
};

/* In the order of languages.json. */
extern const struct grammar grammars[];
extern const size_t n_grammars;
