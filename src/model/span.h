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

/* Bytes of a text, half open. */
struct stretch {
    uint32_t start, end;
};
