#pragma once
/* What a statement of C says, if it is of a simple form. Each adds to b->items, b->imports or b->calls
 * what it found and nothing if it returns false or 0. */
#include "bodies/internal.h"

/* A statement of b->item's level from its first byte to behind its last. */
bool tell_statement(struct bodies *b, uint32_t start, uint32_t end);
/* Its body is from `brace` to its end. */
bool tell_function(struct bodies *b, uint32_t start, uint32_t brace, uint32_t end);
/* What is in the brace that the statement has come to. */
enum level tell_level(const struct bodies *b, uint32_t start, uint32_t brace);
/* tell_line.c: the line of a directive from behind its word; b->at is at its end. Returns where the directive ends, or 0. */
uint32_t tell_define(struct bodies *b, uint32_t start, uint32_t at);
uint32_t tell_include(struct bodies *b, uint32_t at);
