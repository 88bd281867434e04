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

struct grammar {
    const char *name;       // "javascript"
    const char *key_prefix; // "js"
    const TSLanguage *(*language)(void);
    const struct grammar_extension *extensions; // ends with suffix NULL
    const char *const *filenames;               // whole names: "SConstruct"
    const char *const *shebangs;                // programs: "python3"
    const char *language_id;                    // of files known by name or shebang
    const char *outline;     // how its bodies are known: a row of src/bodies/syntax.c; NULL: not at all
    /* Query texts, "" where there is none. */
    const char *entities;
    const char *calls;
    const char *imports;
};

/* In the order of languages.json. */
extern const struct grammar grammars[];
extern const size_t n_grammars;
