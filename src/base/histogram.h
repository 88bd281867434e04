#pragma once
/* How long things took, in buckets at most an eighth of their values wide: a percentile is told to within 13 %
 * and never too small; above 15 << 28 it is the largest value. A plain value of its owner; no allocation, no
 * thread. */
#include "base/base.h"
#include "base/str.h"

#define HISTOGRAM_STEPS 8 // of each power of two
#define HISTOGRAM_BUCKETS ((32 - 2) * HISTOGRAM_STEPS)

struct histogram {
    uint64_t n, sum, max;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
/* The least upper bound that share (0 to 1) of the values keep, at most the largest; 0: of none. */
uint64_t histogram_percentile(const struct histogram *h, double share);
/* {"n":,"sum":,"p50":,"p99":,"max":}, all but n in the unit of the values. */
void histogram_add_json(struct buf *json, const struct histogram *h);
