#pragma once
/* Allocation that cannot fail: exhaustion prints one line on stderr and aborts. Free with free().
 * In return every size from outside is checked against a named limit before it gets here.
 * Any thread. */
#include "base/base.h"

/* The end taken by all of these; for sizes that overflow before they can be asked for. */
NORETURN void mem_exhausted(size_t size_bytes);

void *xmalloc(size_t size_bytes) MUST_USE;
void *xcalloc(size_t n, size_t size_bytes) MUST_USE;
void *xrealloc(void *p, size_t size_bytes) MUST_USE;
/* n * size_bytes, aborts on overflow. */
void *xreallocarray(void *p, size_t n, size_t size_bytes) MUST_USE;
void *xmemdup(const void *p, size_t size_bytes) MUST_USE;
/* NULL in, NULL out. */
char *xstrdup(const char *s) MUST_USE;
char *xstrndup(const char *s, size_t n) MUST_USE;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_USE;
char *xvasprintf(const char *fmt, va_list ap) PRINTF_LIKE(1, 0) MUST_USE;

/* What a block takes of the heap, at least; 0 of NULL. */
size_t mem_block_bytes(const void *p);
/* Free pages of all heaps go back to the system, where that can be said; some milliseconds. */
void mem_give_back(void);

/* One zeroed object. */
#define xnew(type) ((type *)xcalloc(1, sizeof(type)))
