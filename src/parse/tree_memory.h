#pragma once
/* Memory for one tree at a time: bump allocation with free lists, given back as a whole. While a
 * tree memory is in use on a thread, all that tree-sitter allocates on that thread comes from it. */
#include "base/base.h"
#include "base/deadline.h"

struct tree_memory;

/* The first call hooks tree-sitter's allocator, for good; it comes before any other thread parses. */
struct tree_memory *tree_memory_create(void) MUST_USE;
void tree_memory_destroy(struct tree_memory *m);
/* Until leave, what is allocated beyond the limit or the deadline calls on_over, which does not return: it
 * jumps out of tree-sitter. All that was allocated then ends by reset, nothing of it is freed on its own. */
void tree_memory_enter(struct tree_memory *m, size_t limit_bytes,
                       struct deadline *deadline, void (*on_over)(void *ctx), void *ctx);
void tree_memory_leave(void);
/* What tree-sitter took from the heap on this thread since the count began, less what it gave back. */
void tree_memory_count_heap(void);
size_t tree_memory_heap_bytes(void);
/* All that was allocated in it ends; a bounded amount is kept for the next tree. */
void tree_memory_reset(struct tree_memory *m);
