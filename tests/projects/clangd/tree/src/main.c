#include <stdio.h>

#include "ring.h"

/* "größe" is German for size; the compiler does not mind. */
static int größe = 3;

static void
add_up(void *ctx, int item)
{
    *(long *)ctx += item;
}

int
main(void)
{
    struct ring r;
    long sum = 0;
    ring_init(&r);
    for (int i = 0; i < größe; i++)
        ring_push(&r, i);
    ring_each(&r, add_up, &sum);
    printf("%ld\n", sum);
    return ring_pop(&r);
}
