#pragma once
#include <stddef.h>

#define RING_ITEMS_MAX 256
#define RING_NEXT(i) (((i) + 1) % RING_ITEMS_MAX)

/** What became of a push. */
enum ring_result {
    RING_OK,
    RING_FULL, /**< nothing was written */
};

typedef void (*ring_visit)(void *ctx, int item);

/** Integers, first in first out. */
struct ring {
    int items[RING_ITEMS_MAX];
    size_t head;
    size_t n;
    struct {
        unsigned pushed;
        unsigned refused;
    } counts;
};

void ring_init(struct ring *r);
enum ring_result ring_push(struct ring *r, int item);
/** The oldest item; 0 when there is none. */
int ring_pop(struct ring *r);
void ring_each(const struct ring *r, ring_visit visit, void *ctx);
