/* Subscriptions by themselves: their owner is no socket, and takes what they give. */
#include "hub/feed.h"
#include "hub/page.h"
#include "hub/sub.h"

#define READERS 8
#define FEW_ROWS 4 // of the first page

struct reader {
    struct sub_owner owner;
    struct sub *sub; // since it began
    struct buf text; // what it was sent
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

static void
open_reader(struct shelf *shelf, struct reader *r, const struct sub_options *options)
{
    *r = (struct reader){0};
    sub_owner_init(&r->owner, shelf->house.hub);
    r->owner.wake = on_reader_wake;
    r->owner.on_begin = on_reader_begin;
    r->owner.on_refused = on_reader_refused;
    r->owner.on_broken = on_reader_broken;
    sub_open(&r->owner, shelf->workspace, options);
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

    open_reader(&shelf, &reader, &from_start);
    while (!reader.sub)
        uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
    take_up_to(&shelf, reader.sub, head - 1);
    bus_set_head(bus, head);
    take_up_to(&shelf, reader.sub, head);
    sub_close(reader.sub);
    tear_down_shelf(&shelf);
}

/* ---- pages ---- */

/* Nothing that passes by, as the news of the state: it comes when it comes. */
static const struct str of_entities = {"entity.*", 8};
static const struct sub_options from_zero = {
    .since = {.from = SINCE_CURSOR}, .patterns = &of_entities, .n_patterns = 1};

static void
on_indexed(void *ctx, const struct workspace_summary *summary)
{
    assert_int_equal(summary->r, 0);
    *(bool *)ctx = true;
}

/* A row each. */
static void
index_files(struct shelf *shelf, const char *name, size_t n_files, size_t n_functions)
{
    bool is_done = false;
    for (size_t i = 0; i < n_files; i++) {
        AUTO(free) char *path = xasprintf("%s/%s%zu.c", shelf->folder, name, i);
        AUTO(buf_finish) struct buf text = {0};
        for (size_t k = 0; k < n_functions; k++)
            buf_printf(&text, "/* %0500d */\nint %s%zu_%zu(void)\n{\n    return 1;\n}\n",
                       0, name, i, k);
        assert_int_equal(fs_write_atomic(path, buf_str(&text), 0600), 0);
    }
    workspace_index(shelf->workspace, false, on_indexed, &is_done);
    while (!is_done)
        uv_run(&shelf->house.loop.uv, UV_RUN_ONCE);
}

/* What the ring does not have any more is in the log alone. */
static int64_t
empty_ring(struct shelf *shelf)
{
    struct bus *bus = workspace_bus(shelf->workspace);
    bus_set_head(bus, bus_head(bus));
    return bus_head(bus);
}

/* Each takes a message in its turn, until all have the last row. */
static void
read_together(struct shelf *shelf, struct reader *readers, size_t n, int64_t head)
{
    for (size_t n_ready = 0, n_moved = 0; n_ready < n;) {
        n_ready = n_moved = 0;
        for (size_t i = 0; i < n; i++) {
            struct reader *r = &readers[i];
            struct str frame;
            enum sub_next next = r->sub ? sub_next_frame(r->sub, &frame) : SUB_QUIET;
            assert_true(next != SUB_LOST);
            if (next == SUB_FRAME)
                buf_add_str(&r->text, frame);
            n_moved += next != SUB_QUIET;
            n_ready += next == SUB_QUIET && r->sub && sub_cursor(r->sub) == head;
        }
        if (n_moved == 0 && n_ready < n)
            uv_run(&shelf->house.loop.uv, UV_RUN_ONCE);
    }
}

static uint64_t
count_reads(const struct shelf *shelf)
{
    return shelf->house.hub->request_us.n;
}

static void
close_reader(struct reader *r)
{
    sub_close(sub_of_owner_link(r->owner.subs.next));
    buf_finish(&r->text);
}

/* They cost as many reads as one, and are sent the same. */
static void
test_sub_pages_are_read_once(void **state UNUSED)
{
    struct shelf shelf = {0};
    struct reader alone, readers[READERS], late;
    build_shelf(&shelf);
    run_until_ready(&shelf);
    index_files(&shelf, "few", 40, 1);
    int64_t head = empty_ring(&shelf);
    struct pages *pages = feed_pages(feed_of(shelf.house.hub, shelf.workspace));

    pages->limit = FEW_ROWS;
    uint64_t before = count_reads(&shelf);
    open_reader(&shelf, &alone, &from_zero);
    read_together(&shelf, &alone, 1, head);
    uint64_t n_alone = count_reads(&shelf) - before;
    assert_true(n_alone >= 3);
    assert_true(pages->kept_bytes > 0);
    pages_trim(pages); // it was wanted a moment ago
    assert_true(pages->kept_bytes > 0);
    pages_trim(pages);
    assert_int_equal(pages->kept_bytes, 0);
    assert_true(list_is_empty(&pages->pages));

    pages->limit = FEW_ROWS;
    before = count_reads(&shelf);
    for (size_t i = 0; i < READERS; i++)
        open_reader(&shelf, &readers[i], &from_zero);
    read_together(&shelf, readers, READERS, head);
    assert_int_equal(count_reads(&shelf) - before, n_alone);
    open_reader(&shelf, &late, &from_zero); // a moment later
    read_together(&shelf, &late, 1, head);
    assert_int_equal(count_reads(&shelf) - before, n_alone);

    for (size_t i = 0; i < READERS; i++) {
        assert_true(str_eq(buf_str(&readers[i].text), buf_str(&alone.text)));
        close_reader(&readers[i]);
    }
    assert_true(str_eq(buf_str(&late.text), buf_str(&alone.text)));
    close_reader(&late);
    close_reader(&alone);
    tear_down_shelf(&shelf);
}

/* Who waits for a page that ends before its row reads on by itself; who goes takes the read along. */
static void
test_sub_waits_for_a_page_that_ends_before(void **state UNUSED)
{
    struct shelf shelf = {0};
    struct reader readers[2], gone;
    build_shelf(&shelf);
    run_until_ready(&shelf);
    index_files(&shelf, "large", 1, 600);
    index_files(&shelf, "few", 10, 1);
    int64_t head = empty_ring(&shelf);
    struct sub_options from_last = from_zero;
    from_last.since.seq = head - 1;
    struct pages *pages = feed_pages(feed_of(shelf.house.hub, shelf.workspace));

    open_reader(&shelf, &gone, &from_zero);
    assert_false(list_is_empty(&pages->reads));
    close_reader(&gone);
    assert_true(list_is_empty(&pages->reads));

    uint64_t before = count_reads(&shelf);
    open_reader(&shelf, &readers[0], &from_zero);
    open_reader(&shelf, &readers[1], &from_last);
    assert_ptr_equal(pages->reads.next, pages->reads.prev); // one for both
    read_together(&shelf, readers, 2, head);
    assert_true(count_reads(&shelf) - before >= 3);
    assert_true(readers[0].text.n > HUB_FRAME_BYTES_MAX);
    assert_true(readers[1].text.n > 0);
    assert_true(str_ends_with(buf_str(&readers[0].text), buf_str(&readers[1].text)));
    for (size_t i = 0; i < 2; i++)
        close_reader(&readers[i]);
    tear_down_shelf(&shelf);
}
