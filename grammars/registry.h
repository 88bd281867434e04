#pragma once
/* The languages that are linked in, as grammars/registry.py writes them from languages.json and the
 * query files. Constant data, any thread; lists end with NULL. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TSLanguage TSLanguage;
typedef struct TSLexer TSLexer;

struct grammar_extension {
    const char *suffix;      // without the dot, lower case: "jsx"
    const char *language_id; // as LSP names it: "javascriptreact"
    /* Of an extension that several languages claim: words one of which begins a line of this
     * one's files, behind spaces. NULL: the language of all files that no other one knows. */
    const char *const *line_starts;
};

/* A macro that the grammar is not shown. */
struct grammar_mask {
    /* "NS_ENUM"; "*_ENUM": ends so; "^": any in capitals that has its line alone; "#": lines of #if, #else, #endif */
    const char *word;
    /* What stands there for the parser: "" nothing, "()" nothing for its arguments either, "extern" that word,
     * "enum(2)" that word and the second argument, "(*)": all arguments; of "#": "@a @b{ @end", in regions that begin
     * with a line @a or @b and end with @end, but not in the braces of @b; "": everywhere. */
    const char *as;
};

struct grammar {
    const char *name;       // "javascript"
    const char *key_prefix; // "js"
    const TSLanguage *(*language)(void);
    const struct grammar_extension *extensions; // ends with suffix NULL
    const char *const *filenames;               // whole names: "SConstruct"
    const char *const *shebangs;                // programs: "python3"
    const char *language_id;                    // of files known by name or shebang
    const char *outline; // of its bodies: a row of src/bodies/syntax.c; NULL: not known
    const struct grammar_mask *masks; // ends with word NULL; NULL: none
    /* Query texts, "" where there is none. */
    const char *entities;
    const char *calls;
    const char *imports;
};

/* A keyword that is never an identifier, but behind that token ("": behind none). */
struct grammar_reserved {
    const char *word, *behind; // ends with word NULL
};

/* adapt.c: what a grammar lacks. Only registry.c has such. */
struct grammar_adaptation {
    const struct grammar_reserved *reserved;
    const char *empty_token; // of the scanner, "_class_member_semi"; NULL: none
    int32_t before;          // the byte before which it is there, empty
    bool (*scan_first)(void *, TSLexer *, const bool *); // calls grammar_scan
    /* Filled by grammar_adapt. */
    uint32_t token, n_tokens;
    bool (*scan)(void *, TSLexer *, const bool *);
};

/* Made once, never freed. */
const TSLanguage *grammar_adapt(const TSLanguage *from, struct grammar_adaptation *by);
bool grammar_scan(const struct grammar_adaptation *by, void *state, TSLexer *lexer,
                  const bool *valid);

/* In the order of languages.json. */
extern const struct grammar grammars[];
extern const size_t n_grammars;
/* Of what an index is made: this file's data, the parsers, and registry.py's READING. */
extern const char grammars_maker[];
