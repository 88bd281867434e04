/* The best of many, in a heap whose worst is on top. The order is total (cost, length, path, place), so
 * the same index gives the same answer. */
#include "query/names.h"

int
winner_compare(const struct winner *a, const struct winner *b)
{
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    if (a->name.n != b->name.n)
        return a->name.n < b->name.n ? -1 : 1;
    int r = a->path.p == b->path.p ? 0 : str_cmp(a->path, b->path);
    return r != 0 ? r : (a->id > b->id) - (a->id < b->id);
}

static int
by_place_in_answer(const void *a, const void *b)
{
    return winner_compare(a, b);
}

static void
swap(struct winner *a, struct winner *b)
{
    struct winner t = *a;
    *a = *b;
    *b = t;
}

static void
sift_up(struct winner *heap, size_t i)
{
    while (i > 0 && winner_compare(&heap[i], &heap[(i - 1) / 2]) > 0) {
        swap(&heap[i], &heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void
sift_down(struct winner *heap, size_t n)
{
    size_t i = 0;
    for (;;) {
        size_t worst = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++) {
            if (winner_compare(&heap[k], &heap[worst]) > 0)
                worst = k;
        }
        if (worst == i)
            return;
        swap(&heap[i], &heap[worst]);
        i = worst;
    }
}

bool
winners_offer(struct winners *w, const struct winner *one)
{
    if (w->n < w->limit) {
        w->heap[w->n++] = *one;
        sift_up(w->heap, w->n - 1);
        return true;
    }
    if (winner_compare(one, &w->heap[0]) >= 0)
        return false;
    w->heap[0] = *one;
    sift_down(w->heap, w->n);
    return true;
}

void
winners_sort(struct winners *w)
{
    qsort(w->heap, w->n, sizeof(*w->heap), by_place_in_answer);
}
