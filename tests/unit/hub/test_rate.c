/* Buckets of tokens, without a clock. */
#include "hub/rate.h"

#define S_US 1000000

static const struct rate_limit two_hundred = {S_US / 200, 400};

static unsigned
take_all(struct rate *r, const struct rate_limit *limit, int64_t now_us)
{
    unsigned n = 0;
    while (rate_take(r, limit, now_us, NULL))
        n++;
    return n;
}

static void
test_rate_burst_and_refill(void **state UNUSED)
{
    struct rate r = {0};
    int64_t wait_us = -1, now_us = 7 * S_US;
    assert_true(rate_take(&r, &two_hundred, now_us, &wait_us));
    assert_int_equal(wait_us, 0);
    assert_int_equal(take_all(&r, &two_hundred, now_us), 399);
    assert_false(rate_take(&r, &two_hundred, now_us, &wait_us));
    assert_int_equal(wait_us, 5000);
    /* What it says is true: a microsecond before there is none. */
    assert_false(rate_take(&r, &two_hundred, now_us + wait_us - 1, NULL));
    assert_true(rate_take(&r, &two_hundred, now_us + wait_us, NULL));
    assert_int_equal(take_all(&r, &two_hundred, now_us + S_US), 199);
    /* Asking in vain costs nothing. */
    for (int i = 0; i < 1000; i++)
        assert_false(rate_take(&r, &two_hundred, now_us + S_US, NULL));
    assert_int_equal(take_all(&r, &two_hundred, now_us + 2 * S_US), 200);
    /* It is never more than full. */
    assert_int_equal(take_all(&r, &two_hundred, now_us + 1000 * (int64_t)S_US), 400);
}

static void
test_rate_over_time(void **state UNUSED)
{
    static const struct rate_limit slow = {3 * S_US, 20};
    struct rate r = {0};
    unsigned n = 0;
    for (int64_t now_us = 0; now_us < 600 * (int64_t)S_US; now_us += 100000)
        n += rate_take(&r, &slow, now_us, NULL);
    assert_int_equal(n, 20 + 199); // the first twenty, then one each three seconds
}
