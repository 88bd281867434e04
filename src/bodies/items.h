#pragma once
/* Statements that are told without a parser: when one begins and ends, and what comes between them.
 * The scanner calls these as it comes to each place. */
#include "bodies/internal.h"

void item_reset(struct bodies *b, bool is_wanted);
/* The first token of a statement is at b->at. */
void item_begin(struct bodies *b);
/* Its last token ends at `end`. */
void item_end(struct bodies *b, uint32_t end);
void item_comment(struct bodies *b, uint32_t start, uint32_t end);
/* True: it was told. */
bool item_directive(struct bodies *b, uint32_t start, struct str word);
/* n: the brace at b->at; what it is to its statement is known. */
void item_open_brace(struct bodies *b, struct bracket *n);
/* top: what the brace at b->at closes. */
void item_close_brace(struct bodies *b, const struct bracket *top);
