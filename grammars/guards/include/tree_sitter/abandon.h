#pragma once
/* What guards/runtime.c adds to the runtime. */
#include <tree_sitter/api.h>

/* Instead of ts_parser_delete, also for a parser that was left in the middle of a step: only what its
 * grammar's scanner holds is freed. All else is its allocator's, which takes it back as a whole. */
void ts_parser_abandon(TSParser *self);
