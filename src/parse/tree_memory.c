/* A parse makes some hundred thousand small blocks that all die with the tree: handing them out from
 * chunks, and giving the chunks back at once, is several times faster than the heap. Freed blocks wait
 * in lists by size, so that a parse that frees as it goes needs no more than its peak.
 * tree-sitter has one set of allocation functions for the process; which memory they mean is a
 * thread's own matter (the one global that this library forces). Invariant: what was allocated inside
 * enter … leave is freed inside or by reset, never outside; what was allocated outside is the heap's. */
#include "parse/tree_memory.h"

#include <tree_sitter/api.h>

#include "base/mem.h"

#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/asan_interface.h>
#    define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#    define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#    define POISON(p, n) ((void)(p), (void)(n))
#    define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define GRAIN_BYTES ((size_t)16)
#define SMALL_BYTES_MAX                                                                  \
    ((size_t)1024) // a list for each size up to here; then for each power of two
#define N_SMALL (SMALL_BYTES_MAX / GRAIN_BYTES + 1)
#define N_LARGE 40
#define CHUNK_BYTES_MIN ((size_t)256 * 1024)
#define CHUNK_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define KEPT_BYTES_MAX ((size_t)8 * 1024 * 1024) // between two trees
#define TREES_PER_REVIEW 64 // after so many, what none of them needed is given back
#define LOOK_BYTES ((size_t)1024 * 1024) // handed out between two looks at the clock

struct chunk {
    struct chunk *older;
    size_t size_bytes; // of data
    max_align_t data[];
};

/* Before each block: its list, and so its size. Blocks are aligned for what tree-sitter has in them,
 * pointers and 64-bit numbers. */
struct header {
    uint64_t list;
};

struct tree_memory {
    struct chunk *head; // newest first
    char *at, *end;     // what is free in head
    size_t total_bytes;
    size_t most_bytes; // that a tree needed since the last review
    unsigned n_trees;  // since then
    void *free_lists[N_SMALL + N_LARGE];
    /* while it is in use */
    size_t limit_bytes, unlooked_bytes;
    struct deadline *deadline;
    void (*on_over)(void *ctx);
    void *ctx;
};

static _Thread_local struct tree_memory *current;
/* Below 0 when a tree that another thread made ends on this one. */
static _Thread_local int64_t heap_bytes;

static size_t
list_of(size_t size_bytes)
{
    if (size_bytes <= SMALL_BYTES_MAX)
        return (size_bytes + GRAIN_BYTES - 1) / GRAIN_BYTES;
    size_t list = N_SMALL;
    for (size_t n = SMALL_BYTES_MAX * 2; n < size_bytes; n *= 2)
        if (++list == N_SMALL + N_LARGE)
            mem_exhausted(size_bytes);
    return list;
}

static size_t
size_of(size_t list)
{
    return list < N_SMALL ? list * GRAIN_BYTES
                          : (SMALL_BYTES_MAX * 2) << (list - N_SMALL);
}

static void
add_chunk(struct tree_memory *m, size_t need_bytes)
{
    size_t n = m->head ? MIN(m->head->size_bytes * 2, CHUNK_BYTES_MAX) : CHUNK_BYTES_MIN;
    n = MAX(n, need_bytes);
    struct chunk *c = xmalloc(sizeof(*c) + n);
    c->older = m->head;
    c->size_bytes = n;
    m->head = c;
    m->at = (char *)c->data;
    m->end = m->at + n;
    m->total_bytes += n;
    POISON(c->data, n);
}

/* One step of the parser may copy all that is open, many times over, before it asks whether to go on. */
static void
look(struct tree_memory *m, size_t size_bytes)
{
    m->unlooked_bytes += size_bytes;
    if (m->unlooked_bytes < LOOK_BYTES)
        return;
    m->unlooked_bytes = 0;
    if (m->total_bytes > m->limit_bytes || deadline_is_over(m->deadline))
        m->on_over(m->ctx);
}

static void *
take(struct tree_memory *m, size_t size_bytes)
{
    size_t list = list_of(MAX(size_bytes, (size_t)1)), size = size_of(list);
    look(m, size);
    void **free_block = m->free_lists[list];
    if (free_block) {
        UNPOISON(free_block, size);
        m->free_lists[list] = *free_block;
        return free_block;
    }
    if ((size_t)(m->end - m->at) < sizeof(struct header) + size)
        add_chunk(m, sizeof(struct header) + size);
    struct header *h = (struct header *)(void *)m->at;
    UNPOISON(h, sizeof(*h) + size);
    m->at += sizeof(*h) + size;
    h->list = list;
    return h + 1;
}

static size_t
list_at(const void *p)
{
    return ((const struct header *)p)[-1].list;
}

static void
give_back(struct tree_memory *m, void *p)
{
    size_t list = list_at(p);
    *(void **)p = m->free_lists[list];
    m->free_lists[list] = p;
    POISON(p, size_of(list));
}

/* A block of the heap that tree-sitter has now. */
static void *
counted(void *p)
{
    heap_bytes += (int64_t)mem_block_bytes(p);
    return p;
}

static void
discount(const void *p)
{
    heap_bytes -= (int64_t)mem_block_bytes(p);
}

static void *
on_malloc(size_t size_bytes)
{
    return current ? take(current, size_bytes) : counted(xmalloc(size_bytes));
}

static void *
on_calloc(size_t n, size_t size_bytes)
{
    size_t total;
    if (!current)
        return counted(xcalloc(n, size_bytes));
    if (__builtin_mul_overflow(n, size_bytes, &total))
        mem_exhausted(SIZE_MAX);
    void *p = take(current, total);
    memset(p, 0, total);
    return p;
}

static void *
on_realloc(void *p, size_t size_bytes)
{
    if (!current) {
        discount(p);
        return counted(xrealloc(p, size_bytes));
    }
    if (!p)
        return take(current, size_bytes);
    size_t had = size_of(list_at(p));
    if (size_bytes <= had)
        return p;
    void *moved = take(current, size_bytes);
    memcpy(moved, p, had);
    give_back(current, p);
    return moved;
}

static void
on_free(void *p)
{
    if (current && p) {
        give_back(current, p);
    } else if (p) {
        discount(p);
        free(p);
    }
}

struct tree_memory *
tree_memory_create(void)
{
    static bool is_hooked;
    if (!is_hooked) {
        ts_set_allocator(on_malloc, on_calloc, on_realloc, on_free);
        is_hooked = true;
    }
    return xnew(struct tree_memory);
}

static void
drop_chunks(struct chunk *c)
{
    while (c) {
        struct chunk *older = c->older;
        UNPOISON(c->data, c->size_bytes);
        free(c);
        c = older;
    }
}

void
tree_memory_destroy(struct tree_memory *m)
{
    if (!m)
        return;
    drop_chunks(m->head);
    free(m);
}

void
tree_memory_enter(struct tree_memory *m, size_t limit_bytes, struct deadline *deadline,
                  void (*on_over)(void *ctx), void *ctx)
{
    assert(!current);
    m->limit_bytes = limit_bytes;
    m->unlooked_bytes = 0;
    m->deadline = deadline;
    m->on_over = on_over;
    m->ctx = ctx;
    current = m;
}

void
tree_memory_leave(void)
{
    current = NULL;
}

void
tree_memory_count_heap(void)
{
    heap_bytes = 0;
}

size_t
tree_memory_heap_bytes(void)
{
    return (size_t)MAX(heap_bytes, (int64_t)0);
}

/* What is kept for the next tree: all of it, if that is allowed, but not for ever because of a few. */
static size_t
bytes_to_keep(struct tree_memory *m)
{
    size_t needed_bytes = m->total_bytes - (size_t)(m->end - m->at);
    size_t kept_bytes = MIN(m->total_bytes, KEPT_BYTES_MAX);
    m->most_bytes = MAX(m->most_bytes, needed_bytes);
    if (++m->n_trees >= TREES_PER_REVIEW) {
        if (m->most_bytes < kept_bytes / 2)
            kept_bytes = MAX(m->most_bytes, CHUNK_BYTES_MIN);
        m->most_bytes = m->n_trees = 0;
    }
    return kept_bytes;
}

/* Keeps one chunk: several small ones become one. */
void
tree_memory_reset(struct tree_memory *m)
{
    size_t kept_bytes = bytes_to_keep(m);
    memset(m->free_lists, 0, sizeof(m->free_lists));
    if (m->head && (m->head->older || m->head->size_bytes > kept_bytes)) {
        drop_chunks(steal(m->head));
        m->total_bytes = 0;
        add_chunk(m, kept_bytes);
    }
    if (m->head) {
        m->at = (char *)m->head->data;
        m->end = m->at + m->head->size_bytes;
        POISON(m->head->data, m->head->size_bytes);
    }
}
