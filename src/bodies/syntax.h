#pragma once
/* How a language writes what the scanner must know. Rows are in syntax.c. */
#include "base/base.h"

/* What a word is to the scanner; all others are names. */
enum word {
    WORD_NAME,
    WORD_DEFINES,   // typedef: what is around it must be parsed
    WORD_AGGREGATE, // struct: so must be its own braces
    WORD_CLASS,     // both at once, where the word can mean nothing else
    WORD_ENUM,      // the same, of constants that may have bodies
    WORD_RECORD,    // the same before a name only
    WORD_SCOPE,     // namespace: braces that hold definitions
    WORD_FUNCTION,  // func, fn: the next braces are a body
    WORD_NEW,
    WORD_PATTERN,   // let: what looks like a call before the next = is none
    WORD_ATTRIBUTE, // __attribute__: its parentheses mean nothing
    WORD_BLOCK,     // else, try: braces may follow at once
    WORD_CONTROL,   // if, return: no name of a call, no type before a name
    WORD_TYPE,      // no name of a call
    WORD_STORAGE,   // static: the same, goes before a type
    WORD_PRIMITIVE, // int: the same, is a type
    WORD_SIZE,      // long: the same, is a type or goes before one
    WORD_CONSTANT,  // NULL: the same, is a value
    WORD_TEMPLATE,  // parameters in <> may follow
    WORD_OPERATOR,
    WORD_VALUE, // requires: braces that follow are no body
};

struct word_row {
    const char *text;
    enum word word;
};

enum raw_string { RAW_NONE, RAW_CPP, RAW_RUST, RAW_CSHARP };

struct bodies_syntax {
    const char *name;
    const struct word_row *words; // ends with text NULL
    enum raw_string raw;
    bool has_macros;        // names in heads that are no part of the language
    bool has_directives;    // lines that begin with #
    bool has_continuations; // a backslash before the line's end joins lines
    bool has_nested_comments;
    bool has_lifetimes;     // 'a may be no character
    bool has_backticks;     // `raw string`
    bool has_text_blocks;   // """ … """
    bool has_colon_lists;   // constructors: F() : a(1), b{2} { }
    bool has_newline_ends;  // a line's end may end a statement
    bool has_function_word; // a body is known by WORD_FUNCTION, not by its parentheses
    bool has_long_strings;  // "…" may go over lines
    bool has_anonymous_classes; // new T() { … } holds definitions
    bool has_constraints;       // where T : class
    bool has_macro_bang; // name!{ … } holds tokens, names before parentheses are calls
    bool has_method_references; // A::b is a call
    bool has_at_attributes;     // @A(1) is none
    bool has_new_braces;        // new A { } is one
    bool keeps_comments;        // the tree gives comments more than their bytes
    bool has_items;             // items.c reads its declarations: it is C
};
