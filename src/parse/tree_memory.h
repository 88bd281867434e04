#pragma once
/* Memory for one tree at a time: bump allocation with free lists, given back as a whole. While a
 * tree memory is in use on a thread, all that tree-sitter allocates on that thread comes from it. */
#include "base/base.h"

struct tree_memory;

/* The first call hooks tree-sitter's allocator, for good; it comes before any other thread parses. */
struct tree_memory *tree_memory_create(void) MUST_USE;
void tree_memory_destroy(struct tree_memory *m);
void tree_memory_enter(struct tree_memory *m);
void tree_memory_leave(void);
/* All that was allocated in it ends; a bounded amount is kept for the next tree. */
void tree_memory_reset(struct tree_memory *m);
