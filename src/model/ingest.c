/* The life of what was sent. Faults found while reading are kept when what the writer did is undone. */
#include "model/ingest.h"

#include "base/mem.h"
#include "base/vec.h"

#define PLACE_COLUMN_BITS 7

struct ingest_batch *
ingest_batch_create(void)
{
    return xnew(struct ingest_batch);
}

static void
drop_events(struct ingest_batch *b)
{
    for (size_t i = 0; i < b->n_events; i++)
        event_unref(b->events[i]);
    free(steal(b->events));
    b->n_events = 0;
}

void
ingest_batch_destroy(struct ingest_batch *b)
{
    if (!b)
        return;
    drop_events(b);
    arena_finish(&b->arena);
    free(b->v);
    free(b);
}

struct ingest_item *
ingest_batch_add(struct ingest_batch *b)
{
    struct ingest_item *item = vec_push(b);
    *item = (struct ingest_item){.op = INGEST_BAD};
    return item;
}

void
ingest_batch_add_event(struct ingest_batch *b, struct event *event)
{
    if (!b->events) // an item changes one file at most
        b->events = xcalloc(b->n + 1, sizeof(*b->events));
    assert(b->n_events <= b->n);
    b->events[b->n_events++] = event;
}

void
ingest_batch_reset(struct ingest_batch *b)
{
    drop_events(b);
    b->is_again = false;
    b->seq = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct ingest_item *item = &b->v[i];
        if (item->op != INGEST_BAD)
            item->fault = NULL;
        item->is_again = item->is_found = false;
        item->seq = 0;
    }
}

size_t
ingest_batch_bytes(const struct ingest_batch *b)
{
    return b->arena.total_bytes + b->cap * sizeof(*b->v);
}

uint64_t
ingest_sender(struct str name)
{
    return name.n > 0 ? hash128(name).lo | 1 : 0;
}

/* Below 2^31: backends keep small numbers in less room. */
uint32_t
ingest_place(uint32_t line, uint32_t column)
{
    return MIN(line, INGEST_LINE_MAX + 1) << PLACE_COLUMN_BITS |
           MIN(column, (1u << PLACE_COLUMN_BITS) - 1);
}
