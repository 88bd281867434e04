#pragma once
/* Short appends for the encoders. Private to codec. */
#include "base/base.h"
#include "base/str.h"

/* A literal. */
#define put_lit(b, lit) buf_add((b), "" lit, sizeof(lit) - 1)

void put_u64(struct buf *b, uint64_t value);
void put_i64(struct buf *b, int64_t value);
