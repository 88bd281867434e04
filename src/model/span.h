#pragma once
/* Places in a text. Lines and columns are zero-based. Plain data, any thread. */
#include "base/base.h"

struct position {
    uint32_t line;
    uint32_t col_byte;
    uint32_t col_utf16;
};

/* Half open: end is the first place behind. */
struct span {
    struct position start, end;
    uint32_t start_byte, end_byte;
};

static inline bool
span_eq(const struct span *a, const struct span *b)
{
    return a->start.line == b->start.line && a->start.col_byte == b->start.col_byte &&
           a->start.col_utf16 == b->start.col_utf16 && a->end.line == b->end.line &&
           a->end.col_byte == b->end.col_byte && a->end.col_utf16 == b->end.col_utf16 &&
           a->start_byte == b->start_byte && a->end_byte == b->end_byte;
}

/* Bytes of a text, half open. */
struct stretch {
    uint32_t start, end;
};
