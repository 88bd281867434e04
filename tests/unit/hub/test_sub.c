/* A subscription by itself: its owner is no socket, and takes what it gives. */
#include "hub/feed.h"
#include "hub/sub.h"

struct reader {
    struct sub_owner owner;
    struct sub *sub; // since it began
};

static void
on_reader_wake(struct sub_owner *owner UNUSED)
{
}

static void
on_reader_begin(struct sub_owner *owner, struct sub *s,
                const struct sub_begin *begin UNUSED)
{
    container_of(owner, struct reader, owner)->sub = s;
}

static void
on_reader_refused(struct sub_owner *owner UNUSED, const char *request_id UNUSED,
                  enum problem p UNUSED, const char *detail)
{
    fail_msg("it was refused: %s", detail);
}

static void
on_reader_broken(struct sub_owner *owner UNUSED, const char *why)
{
    fail_msg("it broke: %s", why);
}

/* Takes what there is up to a row, which is the last there is. */
static void
take_up_to(struct shelf *shelf, struct sub *s, int64_t seq)
{
    struct str frame;
    for (;;) {
        enum sub_next next = sub_next_frame(s, &frame);
        assert_true(next != SUB_LOST);
        if (next == SUB_FRAME)
            assert_true(sub_place(s)->seq <= seq);
        else if (next == SUB_QUIET && sub_cursor(s) >= seq)
            break;
        else if (next == SUB_QUIET)
            uv_run(&shelf->house.loop.uv, UV_RUN_ONCE);
    }
    assert_int_equal(sub_cursor(s), seq);
}

/* The store has a row more than was published: it is there already, and not to be told yet. */
static void
test_sub_is_not_ahead(void **state UNUSED)
{
    struct shelf shelf = {0};
    struct reader reader;
    struct sub_options from_start = {.since = {.from = SINCE_START}};
    build_shelf(&shelf);
    run_until_ready(&shelf);
    struct bus *bus = workspace_bus(shelf.workspace);
    int64_t head = bus_head(bus);
    assert_true(head > 1);
    bus_set_head(bus, head - 1);

    sub_owner_init(&reader.owner, shelf.house.hub);
    reader.owner.wake = on_reader_wake;
    reader.owner.on_begin = on_reader_begin;
    reader.owner.on_refused = on_reader_refused;
    reader.owner.on_broken = on_reader_broken;
    reader.sub = NULL;
    sub_open(&reader.owner, shelf.workspace, &from_start);
    while (!reader.sub)
        uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
    take_up_to(&shelf, reader.sub, head - 1);
    bus_set_head(bus, head);
    take_up_to(&shelf, reader.sub, head);
    sub_close(reader.sub);
    tear_down_shelf(&shelf);
}
