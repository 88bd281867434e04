/* The bus: everybody hears every event once and in order, whoever comes or goes meanwhile, and the
 * ring says truly how far back it reaches. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bus/bus.h"

static struct event *
durable(int64_t seq, struct str data)
{
    return event_create(EVENT_FILE_COMPLETED, seq, 0, STR("a.c"), data);
}

static void
publish(struct bus *b, int64_t seq)
{
    struct event *e = durable(seq, STR("{}"));
    bus_publish(b, e);
    event_unref(e);
}

struct ear {
    struct bus *bus;
    struct bus_subscription *own, *other, *added;
    int64_t heard[8];
    size_t n;
};

static void
listen(void *ctx, struct event *e)
{
    struct ear *ear = ctx;
    ear->heard[ear->n++] = e->seq;
}

static void
test_order(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    struct ear one = {0}, two = {0};
    bus_set_head(b, 10);
    assert_int_equal(bus_head(b), 10);
    struct bus_subscription *first = bus_subscribe(b, listen, &one);
    publish(b, 11);
    struct bus_subscription *second = bus_subscribe(b, listen, &two);
    publish(b, 12);
    struct event *ephemeral = event_create(EVENT_HEARTBEAT, 0, 0, STR_NONE, STR("{}"));
    bus_publish(b, ephemeral);
    event_unref(ephemeral);
    assert_int_equal(one.n, 3);
    assert_int_equal(one.heard[0], 11);
    assert_int_equal(one.heard[2], 0);
    assert_int_equal(two.n, 2);
    assert_int_equal(two.heard[0], 12);
    assert_int_equal(bus_head(b), 12);
    bus_unsubscribe(first);
    publish(b, 13);
    assert_int_equal(one.n, 3);
    assert_int_equal(two.n, 3);
    bus_unsubscribe(second);
    bus_destroy(b);
}

static void
leave_and_take_along(void *ctx, struct event *e)
{
    struct ear *ear = ctx;
    listen(ctx, e);
    bus_unsubscribe(steal(ear->own));
    bus_unsubscribe(steal(ear->other));
}

static void
test_unsubscribe_inside(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    struct ear leaver = {0}, gone = {0}, stays = {0};
    leaver.own = bus_subscribe(b, leave_and_take_along, &leaver);
    leaver.other = bus_subscribe(b, listen, &gone);
    struct bus_subscription *last = bus_subscribe(b, listen, &stays);
    publish(b, 1);
    publish(b, 2);
    assert_int_equal(leaver.n, 1);
    assert_int_equal(gone.n, 0);
    assert_int_equal(stays.n, 2);
    bus_unsubscribe(last);
    bus_destroy(b);
}

static void
bring_another(void *ctx, struct event *e)
{
    struct ear *ear = ctx;
    listen(ctx, e);
    if (!ear->added)
        ear->added = bus_subscribe(ear->bus, listen, ctx);
}

/* Who comes during an event hears the next one. */
static void
test_subscribe_inside(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    struct ear ear = {.bus = b};
    ear.own = bus_subscribe(b, bring_another, &ear);
    publish(b, 1);
    assert_int_equal(ear.n, 1);
    publish(b, 2);
    assert_int_equal(ear.n, 3);
    bus_unsubscribe(ear.own);
    bus_unsubscribe(ear.added);
    bus_destroy(b);
}

static void
publish_again(void *ctx, struct event *e)
{
    struct ear *ear = ctx;
    listen(ctx, e);
    if (e->seq == 1)
        publish(ear->bus, 2);
    if (e->seq == 2)
        bus_unsubscribe(steal(ear->own));
}

static void
test_publish_inside(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    struct ear ear = {.bus = b};
    ear.own = bus_subscribe(b, publish_again, &ear);
    publish(b, 1);
    publish(b, 3);
    assert_int_equal(ear.n, 2);
    assert_int_equal(ear.heard[1], 2);
    bus_destroy(b);
}

static void
test_cursor(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    bus_set_head(b, 5);
    assert_true(bus_covers(b, 5));
    assert_false(bus_covers(b, 4));
    assert_null(bus_next(b, 5));
    assert_null(bus_next(b, 4));
    publish(b, 6);
    publish(b, 7);
    int64_t at = 5;
    for (struct event *e = bus_next(b, at); e; e = bus_next(b, at))
        assert_int_equal(e->seq, ++at);
    assert_int_equal(at, 7);
    assert_true(bus_covers(b, 5));
    assert_false(bus_covers(b, 4));
    bus_destroy(b);
}

static void
test_without_data(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    struct ear ear = {0};
    struct bus_subscription *own = bus_subscribe(b, listen, &ear);
    publish(b, 1);
    struct event *brief = durable(2, STR_NONE);
    bus_publish(b, brief);
    event_unref(brief);
    assert_int_equal(ear.n, 2);
    assert_int_equal(ear.heard[1], 2);
    assert_int_equal(bus_head(b), 2);
    assert_false(bus_covers(b, 0));
    assert_false(bus_covers(b, 1));
    assert_null(bus_next(b, 1));
    publish(b, 3);
    assert_false(bus_covers(b, 1));
    assert_int_equal(bus_next(b, 2)->seq, 3);
    bus_unsubscribe(own);
    bus_destroy(b);
}

static void
test_ring_of_events(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    int64_t n = BUS_RING_EVENTS + 10;
    for (int64_t seq = 1; seq <= n; seq++)
        publish(b, seq);
    assert_true(bus_covers(b, 10));
    assert_false(bus_covers(b, 9));
    assert_int_equal(bus_next(b, 10)->seq, 11);
    assert_int_equal(bus_next(b, n - 1)->seq, n);
    assert_null(bus_next(b, 9));
    bus_destroy(b);
}

static void
test_ring_of_bytes(void **state)
{
    (void)state;
    struct bus *b = bus_create();
    size_t size = BUS_RING_BYTES / 4;
    char *text = xcalloc(1, size);
    memset(text, ' ', size);
    for (int64_t seq = 1; seq <= 10; seq++) {
        struct event *e = durable(seq, str_slice(text, size));
        bus_publish(b, e);
        event_unref(e);
    }
    assert_true(bus_covers(b, 7));
    assert_false(bus_covers(b, 6));
    free(text);
    bus_destroy(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_unsubscribe_inside),
        cmocka_unit_test(test_subscribe_inside),
        cmocka_unit_test(test_publish_inside),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_without_data),
        cmocka_unit_test(test_ring_of_events),
        cmocka_unit_test(test_ring_of_bytes),
    };
    return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
