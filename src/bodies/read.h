#pragma once
/* The tokens of a statement of C and what declarations are made of. A reader is a value: a copy looks
 * ahead. What reads returns false where it does not know what it sees. */
#include "bodies/internal.h"

enum { // a token; a byte that is no word, number or string is its own
    TOKEN_END = 0,
    TOKEN_NAME = 256,
    TOKEN_STORAGE,   // static const …
    TOKEN_PRIMITIVE, // int …
    TOKEN_SIZE,      // long unsigned …
    TOKEN_TAG,       // struct union enum
    TOKEN_TYPEDEF,
    TOKEN_ATTRIBUTE, // __attribute__
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_SIZEOF,
    TOKEN_OTHER
};

struct reader {
    const struct bodies *b;
    uint32_t at, end;
    int token;
    uint32_t start, stop; // of the token
    uint32_t last_stop;   // of the one before
    bool has_calls;       // an expression that was read has
};

/* The words and stars before a declarator and its name, if it is one. */
struct words {
    struct stretch name; // the last one
    uint32_t n_types, n_names, n_stars;
    bool is_strict;     // one type, stars, one name, nothing else
    bool is_extern;     // begins with that
    bool is_named;      // the name is the last word
    bool has_size;      // long
    bool has_type;      // more than a size
    bool has_name_type; // the type is a name
    bool is_underlined; // the type is a name that may be an attribute, too
};

struct reader reader_of(const struct bodies *b, uint32_t start, uint32_t end);
int reader_next(struct reader *r);
struct words read_words(struct reader *r);
/* From ( to behind its ). */
bool skip_group(struct reader *r);
/* Attributes behind a declarator. */
bool skip_attributes(struct reader *r);
/* From ( to behind its ): declarations of any words, functions that are pointed to, bounds. */
bool read_parameters(struct reader *r);
/* From ( to behind its ): whatever a macro may take. */
bool read_arguments(struct reader *r);
/* To `stop` outside brackets. */
bool read_expression(struct reader *r, int stop);
/* A declarator behind its words: a name with bounds or a pointer to a function. */
bool read_declarator(struct reader *r, const struct words *w, struct stretch *ret_name);

static inline bool
is_token(const struct reader *r, char c)
{
    return r->token == (unsigned char)c;
}

static inline bool
is_operand(int token)
{
    return token == TOKEN_NAME || token == TOKEN_NUMBER || token == TOKEN_STRING;
}

static inline bool
is_type(int token)
{
    return token == TOKEN_STORAGE || token == TOKEN_PRIMITIVE || token == TOKEN_SIZE ||
           token == TOKEN_TAG;
}
