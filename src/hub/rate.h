#pragma once
/* How often something may happen: a bucket of tokens that fills by itself. Pure: the time is passed in.
 * Private to the hub; any thread. */
#include "base/base.h"

struct rate_limit {
    int64_t interval_us; // one more after so long
    int64_t burst;       // so many at once
};

/* A zeroed one is full. */
struct rate {
    int64_t full_at_us; // when it will be full again
};

/* Takes one. False: there is none, and *ret_wait_us (may be NULL) is how long it takes until there is. now_us does not go back. */
bool rate_take(struct rate *r, const struct rate_limit *limit, int64_t now_us,
               int64_t *ret_wait_us);
