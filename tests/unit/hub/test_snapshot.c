/* Snapshots of a real index, read by clients that take their time. */
#include "base/clock.h"
#include "base/fs.h"
#include "hub/snapshot.h"

#include "tests/lib/scratch.h"

#define SNAPSHOTS (SNAPSHOT_PAGES_MAX + 4)

static const struct snapshot_options of_all = {.sub = "[\"s1\"]", .has_rows = true};

struct shelf {
    struct house house;
    char *folder;
    const char *db_url; // NULL: mem:
    struct workspace *workspace;
    struct hub_client *clients[SNAPSHOTS];
    struct snapshot *snapshots[SNAPSHOTS];
};

static void
build_shelf(struct shelf *shelf)
{
    struct workspaces_options with_config = {.db_url =
                                                 shelf->db_url ? shelf->db_url : "mem:"};
    struct hub_options hub_options = {.token = TOKEN};
    struct house *house = &shelf->house;
    AUTO(free) char *why = NULL;
    AUTO(free) char *path = NULL;
    shelf->folder = scratch_make("hub");
    path = xasprintf("%s/a.c", shelf->folder);
    assert_int_equal(
        fs_write_atomic(path, STR("int f(void)\n{\n    return 1;\n}\n"), 0600), 0);
    assert_int_equal(lang_init(&why), 0);
    assert_int_equal(config_load(NULL, 0, &house->config, &why), 0);
    assert_int_equal(loop_init(&house->loop), 0);
    with_config.config = house->config;
    house->workspaces = workspaces_open(&house->loop, &with_config);
    assert_int_equal(
        hub_open(&house->loop, &hub_options, house->workspaces, &house->hub, &why), 0);
    assert_int_equal(
        workspaces_acquire(house->workspaces, shelf->folder, false, &shelf->workspace),
        0);
}

static void
tear_down_shelf(struct shelf *shelf)
{
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        snapshot_close(shelf->snapshots[i]);
        hub_client_destroy(shelf->clients[i]);
    }
    tear_down(&shelf->house);
    assert_int_equal(scratch_remove(shelf->folder), 0);
    free(shelf->folder);
}

static void
open_one(struct shelf *shelf, size_t i)
{
    shelf->clients[i] = hub_client_create(shelf->house.hub, NULL, NULL, false);
    shelf->snapshots[i] = snapshot_open(shelf->clients[i], shelf->workspace, &of_all);
}

static enum snapshot_next
next_of(struct shelf *shelf, size_t i)
{
    struct str frame;
    const char *why;
    return snapshot_next(shelf->snapshots[i], &frame, &why);
}

/* Nobody waits for a heartbeat to hear of it. */
static void
test_snapshot_of_a_closing_index(void **state UNUSED)
{
    struct shelf shelf = {0};
    build_shelf(&shelf);
    assert_null(workspace_query(shelf.workspace)); // it is not open yet
    open_one(&shelf, 0);
    assert_int_equal(next_of(&shelf, 0), SNAPSHOT_FRAME);
    assert_int_equal(next_of(&shelf, 0), SNAPSHOT_FAILED);
    assert_int_equal(next_of(&shelf, 0), SNAPSHOT_FAILED);
    assert_int_equal(shelf.house.hub->snapshots.n_holding, 0);
    assert_int_equal(shelf.house.hub->snapshots.n_reading, 0);
    tear_down_shelf(&shelf);
}

static void
run_until_ready(struct shelf *shelf)
{
    while (workspace_state(shelf->workspace) != WORKSPACE_READY)
        uv_run(&shelf->house.loop.uv, UV_RUN_ONCE);
}

/* To its end, or until it can only wait for others. */
static void
read_to_the_end(struct shelf *shelf, size_t i)
{
    enum snapshot_next next;
    while ((next = next_of(shelf, i)) != SNAPSHOT_OVER) {
        assert_true(next == SNAPSHOT_FRAME || next == SNAPSHOT_WAITS);
        if (next == SNAPSHOT_WAITS)
            uv_run(&shelf->house.loop.uv, UV_RUN_ONCE);
        assert_true(shelf->house.hub->snapshots.n_reading <= SNAPSHOT_READS_MAX);
    }
}

/* Who holds a page stops nobody; only when all pages are held somebody has to go. */
static void
test_snapshot_turns(void **state UNUSED)
{
    struct shelf shelf = {0};
    build_shelf(&shelf);
    run_until_ready(&shelf);
    struct snapshot_turns *turns = &shelf.house.hub->snapshots;
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        open_one(&shelf, i);
        assert_int_equal(next_of(&shelf, i), SNAPSHOT_FRAME);
        assert_int_equal(next_of(&shelf, i), SNAPSHOT_WAITS);
        if (i == SNAPSHOT_PAGES_MAX - 2) { // the others have a page by then
            while (turns->n_reading > 0)
                uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
            read_to_the_end(&shelf, i);
        }
        assert_true(turns->n_reading <= SNAPSHOT_READS_MAX);
    }
    /* One more than before can hold one, and the rest wait. */
    while (turns->n_reading > 0)
        uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
    assert_int_equal(turns->n_holding, SNAPSHOT_PAGES_MAX);
    assert_false(list_is_empty(&turns->waiting));
    assert_int_equal(next_of(&shelf, SNAPSHOTS - 1), SNAPSHOT_WAITS);

    int64_t now_ms = clock_mono_ms();
    snapshot_on_tick(shelf.house.hub, now_ms);
    assert_int_equal(shelf.clients[0]->close_code, 0);
    snapshot_on_tick(shelf.house.hub, now_ms + SNAPSHOT_PAGE_MS);
    assert_int_equal(shelf.clients[0]->close_code, HUB_CLOSE_SLOW);
    assert_int_equal(next_of(&shelf, 0), SNAPSHOT_FAILED);
    read_to_the_end(&shelf, SNAPSHOTS - 1);
    assert_int_equal(shelf.clients[SNAPSHOTS - 1]->close_code, 0);
    tear_down_shelf(&shelf);
}
