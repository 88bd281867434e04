/* The allocator that does not fail. It exists so that no caller has a path for
 * exhaustion that nobody tests. Invariant: every function returns memory that free()
 * takes, or does not return; a size of 0 yields a valid pointer of its own. */
#define BASE_MEM_C
#include "base/mem.h"

#include <malloc.h>
#include <unistd.h>

NORETURN void
mem_exhausted(size_t size_bytes)
{
    /* On the stack, straight to the descriptor: there may be nothing left for stdio. */
    char line[80];
    int n = snprintf(line, sizeof(line), "gloss: out of memory: %zu bytes wanted\n",
                     size_bytes);
    ssize_t written UNUSED = write(STDERR_FILENO, line, (size_t)n);
    abort();
}

void *
xmalloc(size_t size_bytes)
{
    void *p = malloc(MAX(size_bytes, (size_t)1));
    if (!p)
        mem_exhausted(size_bytes);
    return p;
}

void *
xcalloc(size_t n, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(n, size_bytes, &total))
        mem_exhausted(SIZE_MAX);

    void *p = calloc(MAX(total, (size_t)1), 1);
    if (!p)
        mem_exhausted(total);
    return p;
}

void *
xrealloc(void *p, size_t size_bytes)
{
    void *q = realloc(p, MAX(size_bytes, (size_t)1));
    if (!q)
        mem_exhausted(size_bytes);
    return q;
}

void *
xreallocarray(void *p, size_t n, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(n, size_bytes, &total))
        mem_exhausted(SIZE_MAX);
    return xrealloc(p, total);
}

void *
xmemdup(const void *p, size_t size_bytes)
{
    void *copy = xmalloc(size_bytes);
    if (size_bytes)
        memcpy(copy, p, size_bytes);
    return copy;
}

char *
xstrdup(const char *s)
{
    return s ? xmemdup(s, strlen(s) + 1) : NULL;
}

char *
xstrndup(const char *s, size_t n)
{
    if (!s)
        return NULL;
    size_t len = strnlen(s, n);
    char *copy = xmalloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
    char *text;
    /* Negative is exhaustion or a text beyond INT_MAX; both end here. */
    if (vasprintf(&text, fmt, ap) < 0)
        mem_exhausted(0);
    return text;
}

char *
xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    return text;
}

size_t
mem_block_bytes(const void *p)
{
    return malloc_usable_size((void *)p);
}

void
mem_give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
