/* Buckets as in HdrHistogram with three significant bits: what is below 8 has one each, above it each power
 * of two is cut into eight. */
#include "base/histogram.h"

#include <inttypes.h>

static size_t
bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value); // at least 3
    size_t step = (value >> (power - 3)) - HISTOGRAM_STEPS;
    return MIN((power - 2) * (size_t)HISTOGRAM_STEPS + step,
               (size_t)HISTOGRAM_BUCKETS - 1);
}

static uint64_t
upper_bound(size_t bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    size_t power = bucket / HISTOGRAM_STEPS + 2, step = bucket % HISTOGRAM_STEPS;
    return ((HISTOGRAM_STEPS + step + 1) << (power - 3)) - 1;
}

void
histogram_add(struct histogram *h, uint64_t value)
{
    h->n++;
    h->sum += value;
    h->max = MAX(h->max, value);
    h->buckets[bucket_of(value)]++;
}

uint64_t
histogram_percentile(const struct histogram *h, double share)
{
    uint64_t below = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        below += h->buckets[i];
        if (h->n > 0 && (double)below >= share * (double)h->n)
            return MIN(upper_bound(i), h->max);
    }
    return h->max;
}

void
histogram_add_json(struct buf *json, const struct histogram *h)
{
    buf_printf(json,
               "{\"n\":%" PRIu64 ",\"sum\":%" PRIu64 ",\"p50\":%" PRIu64
               ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64 "}",
               h->n, h->sum, histogram_percentile(h, 0.5), histogram_percentile(h, 0.99),
               h->max);
}
