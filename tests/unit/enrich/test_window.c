/* The window against servers that are formulas: what it settles at, and that nothing moves it out of
 * its bounds. */
#include "enrich/window.h"

/* n answers of a server to whom as much is sent as the window allows: what waits before an
 * answer costs it `service_us` each if the server works one after another. */
static void
serve(struct window *w, uint64_t service_us, bool is_parallel, size_t n_answers)
{
    uint32_t depths[512] = {0}; // in flight when each was sent, a ring
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < n_answers; i++) {
        while (tail - head < window_size(w)) {
            depths[tail % ARRAY_LEN(depths)] = (uint32_t)(tail - head);
            tail++;
        }
        window_on_full(w);
        uint32_t depth = depths[head++ % ARRAY_LEN(depths)];
        window_on_answer(w, is_parallel ? service_us : service_us * (depth + 1),
                         depth < WINDOW_MIN);
    }
}

static void
test_window_serial(void **state)
{
    (void)state;
    static const uint64_t service_us[] = {100, 1500, 10000, 200000};
    for (size_t i = 0; i < ARRAY_LEN(service_us); i++) {
        struct window w;
        window_init(&w, 512);
        serve(&w, service_us[i], false, 5000);
        uint64_t queue_us = w.size * service_us[i];
        assert_true(w.size >= WINDOW_MIN);
        /* Never more than a moment's work beyond what keeps it busy. */
        assert_true(queue_us <=
                    3 * MAX((uint64_t)WINDOW_LATENCY_OK_US, WINDOW_MIN * service_us[i]));
    }
}

static void
test_window_parallel(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 512);
    serve(&w, 100000, true, 20000); // slow, but as slow alone
    assert_int_equal(w.size, 512);
}

/* It becomes ten times slower, and as fast again: the window follows. */
static void
test_window_follows(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 512);
    serve(&w, 1000, false, 10000);
    uint32_t before = w.size;
    serve(&w, 10000, false, 10000);
    assert_true(w.size < before);
    serve(&w, 1000, false, 20000);
    assert_true(w.size >= before * 3 / 4);
}

static void
test_window_holds_nothing_back(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 512);
    for (size_t i = 0; i < 5000; i++)
        window_on_answer(&w, 1000, i % 7 == 0);
    assert_int_equal(w.size, WINDOW_START);
}

/* A burst behind a loading file says nothing before the best is known; then it does. */
static void
test_window_burst(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 512);
    for (uint64_t i = 0; i < WINDOW_START; i++)
        window_on_answer(&w, i * 1500, false);
    assert_int_equal(w.size, WINDOW_START);
    assert_int_equal(window_size(&w), WINDOW_MIN); // it looks
    for (uint64_t i = 0; i < WINDOW_MIN; i++)
        window_on_answer(&w, 6000, true);
    assert_int_equal(w.best_us, 6000);
    for (uint64_t i = 0; i < WINDOW_START; i++)
        window_on_answer(&w, i * 1500, false);
    assert_int_equal(window_size(&w), WINDOW_START - WINDOW_START / 4);
}

static void
test_window_drop(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 512);
    window_on_drop(&w);
    assert_int_equal(w.size, WINDOW_START / 2);
    window_on_drop(&w); // of the same epoch
    assert_int_equal(w.size, WINDOW_START / 2);
    for (size_t i = 0; i < WINDOW_START / 2; i++)
        window_on_answer(&w, 1000, i == 0);
    window_on_drop(&w);
    assert_int_equal(w.size, WINDOW_START / 4);
}

static void
test_window_bounds(void **state)
{
    (void)state;
    uint64_t random = 0x9e3779b97f4a7c15ULL;
    for (uint32_t max = 0; max < 300; max++) {
        struct window w;
        window_init(&w, max);
        for (size_t i = 0; i < 2000; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if (random % 7 == 0)
                window_on_drop(&w);
            else if (random % 7 == 1)
                window_on_full(&w);
            else
                window_on_answer(&w, random >> (random % 64), random & 1);
            assert_true(w.size <= MAX(max, 1u));
            assert_true(w.size >= MIN((uint32_t)WINDOW_MIN, MAX(max, 1u)));
        }
    }
}
