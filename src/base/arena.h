#pragma once
/* Bump allocator: many small allocations, one free. A zeroed struct arena is valid and empty.
 * Owned by one thread at a time. Memory is aligned for any type and not zeroed unless said. */
#include "base/base.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *head; // newest first
    size_t used;              // in head
    size_t total_bytes;       // of all chunks
};

void arena_finish(struct arena *a);
/* Free all but one chunk and start anew. */
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t size_bytes) MUST_USE;
void *arena_calloc(struct arena *a, size_t n, size_t size_bytes) MUST_USE;
/* Copies are NUL-terminated behind the view. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_cstr(struct arena *a, const char *s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define arena_new(a, type) ((type *)arena_calloc((a), 1, sizeof(type)))

DEFINE_AUTO_IN(arena_finish, struct arena)
