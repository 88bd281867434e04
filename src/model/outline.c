/* From a place in an outline back to the source. Invariant: gaps rise in both members, so that the
 * last gap at or before a place says how much was left out before it. */
#include "model/outline.h"

uint32_t
outline_to_source(const struct outline *o, uint32_t at)
{
    size_t low = 0, high = o->n_gaps;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (o->gaps[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low == 0 ? at : at + o->gaps[low - 1].left_bytes;
}

struct stretch
outline_stretch_to_source(const struct outline *o, struct stretch s)
{
    uint32_t start = outline_to_source(o, s.start);
    if (s.end <= s.start)
        return (struct stretch){start, start};
    return (struct stretch){start, outline_to_source(o, s.end - 1) + 1};
}
