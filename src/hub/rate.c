/* Why: one word decides for all limits of how often, and it is tried out without a clock.
 * Invariant: a bucket is one number, the time at which it is full, so that filling it needs no
 * timer and a connection that is idle costs nothing. */
#include "hub/rate.h"

bool
rate_take(struct rate *r, const struct rate_limit *limit, int64_t now_us,
          int64_t *ret_wait_us)
{
    int64_t full_at_us = MAX(r->full_at_us, now_us) + limit->interval_us;
    int64_t wait_us = full_at_us - now_us - limit->interval_us * limit->burst;
    if (ret_wait_us)
        *ret_wait_us = MAX(wait_us, 0);
    if (wait_us > 0)
        return false;
    r->full_at_us = full_at_us;
    return true;
}
