#pragma once
/* What a word is, for a text index and for what waits to get into it, and how well an entity fits the
 * words of a query: every backend finds the same. Inside of src/store; pure. */
#include "store/rows.h"

#define WEIGHT_NAME 10 // of a word by where it is found
#define WEIGHT_SIGNATURE 4
#define WEIGHT_DOC 2
#define WEIGHT_HOVER 1
#define QUERY_WORDS_MAX 32

/* "n1a2b3c4d": stands for exactly this name. */
#define IDENT_BYTES 10
void words_ident(char mark, struct str name, char ret_ident[IDENT_BYTES]);
/* Name and its parts: "App.runLoop" gives "App.runLoop run Loop". */
void words_of_name(struct buf *b, struct str qualified_name);
/* Next word of a text, as a view; false at the end. */
bool words_next(struct str *rest, struct str *ret_word);
/* As words are compared, of as many bytes. */
void words_fold(struct buf *b, struct str word);

struct words {
    struct str v[QUERY_WORDS_MAX];
    size_t n;
};
void words_cut(struct str query, struct words *words);
/* 0: not all words are there. name: for use within. */
double words_score(const struct words *words, const struct entity_stored *s,
                   struct buf *name);
