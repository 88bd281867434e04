/* Bump allocation for things that die together: the batch of one file, the rows of one
 * answer. Invariant: `used` counts bytes of the head chunk only and is a multiple of
 * the alignment; an allocation too big to share a chunk gets one of its own behind the
 * head, so that the room left in the head is not lost. Under AddressSanitizer the
 * unused part of each chunk is poisoned. */
#include "base/arena.h"

#include "base/mem.h"

#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/asan_interface.h>
#    define CHUNK_POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#    define CHUNK_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#    define CHUNK_POISON(p, n) ((void)(p), (void)(n))
#    define CHUNK_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ARENA_ALIGN _Alignof(max_align_t)
#define ARENA_CHUNK_BYTES_MIN ((size_t)4 * 1024)
#define ARENA_CHUNK_BYTES_MAX ((size_t)256 * 1024)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size_bytes; // of data
    max_align_t data[];
};

static struct arena_chunk *
chunk_create(struct arena *a, size_t size_bytes)
{
    size_t total;
    if (__builtin_add_overflow(size_bytes, sizeof(struct arena_chunk), &total))
        mem_exhausted(SIZE_MAX);

    struct arena_chunk *c = xmalloc(total);
    c->older = NULL;
    c->size_bytes = size_bytes;
    CHUNK_POISON(c->data, size_bytes);
    a->total_bytes += size_bytes;
    return c;
}

static void
chunks_destroy(struct arena_chunk *c)
{
    while (c) {
        struct arena_chunk *older = c->older;
        CHUNK_UNPOISON(c->data, c->size_bytes);
        free(c);
        c = older;
    }
}

void
arena_finish(struct arena *a)
{
    if (!a)
        return;
    chunks_destroy(a->head);
    *a = (struct arena){0};
}

void
arena_reset(struct arena *a)
{
    if (!a->head)
        return;
    chunks_destroy(steal(a->head->older));
    CHUNK_POISON(a->head->data, a->head->size_bytes);
    a->used = 0;
    a->total_bytes = a->head->size_bytes;
}

/* A chunk of its own for a big allocation, or a new head twice as big as the last. */
static void *
alloc_slow(struct arena *a, size_t size_bytes)
{
    size_t next = ARENA_CHUNK_BYTES_MIN;
    if (a->head)
        next = MIN(MAX(a->head->size_bytes, next / 2) * 2, ARENA_CHUNK_BYTES_MAX);

    if (a->head && size_bytes > next / 4) {
        struct arena_chunk *own = chunk_create(a, size_bytes);
        own->older = a->head->older;
        a->head->older = own;
        return own->data;
    }

    struct arena_chunk *c = chunk_create(a, MAX(next, size_bytes));
    c->older = a->head;
    a->head = c;
    a->used = size_bytes;
    return c->data;
}

void *
arena_alloc(struct arena *a, size_t size_bytes)
{
    size_t rounded;
    if (__builtin_add_overflow(MAX(size_bytes, (size_t)1), ARENA_ALIGN - 1, &rounded))
        mem_exhausted(size_bytes);
    rounded &= ~(ARENA_ALIGN - 1);

    void *p;
    if (a->head && a->head->size_bytes - a->used >= rounded) {
        p = (char *)a->head->data + a->used;
        a->used += rounded;
    } else {
        p = alloc_slow(a, rounded);
    }
    CHUNK_UNPOISON(p, size_bytes);
    return p;
}

void *
arena_calloc(struct arena *a, size_t n, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(n, size_bytes, &total))
        mem_exhausted(SIZE_MAX);
    void *p = arena_alloc(a, total);
    memset(p, 0, total);
    return p;
}

struct str
arena_str(struct arena *a, struct str s)
{
    if (s.n == SIZE_MAX)
        mem_exhausted(s.n);
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

struct str
arena_cstr(struct arena *a, const char *s)
{
    return arena_str(a, str_of(s));
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
    char small[256]; // most texts are, and take one pass
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted(SIZE_MAX); // a text beyond INT_MAX
    if ((size_t)n < sizeof(small))
        return arena_str(a, str_slice(small, (size_t)n));

    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct str){p, (size_t)n};
}
