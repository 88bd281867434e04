#include "ring.h"

#include <string.h>

static unsigned generation;

static size_t
place_of(const struct ring *r, size_t i)
{
    return (r->head + i) % RING_ITEMS_MAX;
}

void
ring_init(struct ring *r)
{
    memset(r, 0, sizeof(*r));
    generation++;
}

enum ring_result
ring_push(struct ring *r, int item)
{
    if (r->n == RING_ITEMS_MAX) {
        r->counts.refused++;
        return RING_FULL;
    }
    r->items[place_of(r, r->n++)] = item;
    r->counts.pushed++;
    return RING_OK;
}

int
ring_pop(struct ring *r)
{
    if (r->n == 0)
        return 0;
    int item = r->items[r->head];
    r->head = RING_NEXT(r->head);
    r->n--;
    return item;
}

void
ring_each(const struct ring *r, ring_visit visit, void *ctx)
{
    for (size_t i = 0; i < r->n; i++)
        visit(ctx, r->items[place_of(r, i)]);
}
