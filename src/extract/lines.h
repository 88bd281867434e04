#pragma once
/* Byte offset → line and columns. Lines end with \n, \r\n or \r, as LSP has it. */
#include "base/base.h"
#include "base/str.h"
#include "base/vec.h"
#include "model/span.h"

struct lines_mark {
    uint32_t byte, units;
};

struct lines_start {
    uint32_t byte;
    bool is_ascii; // the line: then all columns are the same
};

struct lines {
    struct str text;
    VEC(struct lines_start) starts;
    VEC(struct lines_mark) marks; // UTF-16 units before a byte; empty for ASCII
    size_t last; // line asked for: the next question is often of the same
};

/* Reuses the memory of the text before. */
void lines_set_text(struct lines *l, struct str text);
void lines_finish(struct lines *l);
struct position lines_position(struct lines *l, uint32_t byte);
