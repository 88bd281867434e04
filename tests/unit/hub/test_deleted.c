/* A workspace from when it is to be deleted until it is; and how many may come in. */
#include "hub/ask.h"
#include "hub/ingest.h"
#include "workspace/pushed.h"

static void
on_deleted(void *ctx)
{
    *(bool *)ctx = true;
}

static void
test_what_is_being_deleted_is_not_found(void **state UNUSED)
{
    AUTO(free) char *place = scratch_make("hub");
    AUTO(free) char *db_url = xasprintf("sqlite:%s/index.db", place);
    struct shelf shelf = {.db_url = db_url};
    struct workspace *w;
    bool is_gone = false;
    build_shelf(&shelf);
    run_until_ready(&shelf);
    struct hub *h = shelf.house.hub;
    assert_int_equal(
        workspaces_acquire_pushed(shelf.house.workspaces, STR("brief"), true, &w), 0);
    while (workspace_state(w) == WORKSPACE_OPENING)
        uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
    AUTO(free) char *id = xstrdup(workspace_id(w));
    assert_ptr_equal(hub_find_workspace(h, str_of(id)), w);
    assert_ptr_equal(hub_find_workspace(h, STR("brief")), w);
    assert_null(hub_only_workspace(h));

    assert_int_equal(workspace_delete_pushed(w, on_deleted, &is_gone), 0);
    assert_int_equal(workspace_state(w), WORKSPACE_CLOSING);
    assert_null(hub_find_workspace(h, str_of(id)));
    assert_null(hub_find_workspace(h, STR("brief")));
    assert_null(hub_find_workspace(h, STR("pushed:brief")));
    assert_ptr_equal(hub_only_workspace(h), shelf.workspace);
    /* Nor is another made that has its id for a name. */
    struct exchange *x = create_exchange(&shelf);
    assert_null(ingest_find(h, str_of(id), true, &(struct asker){.exchange = x}));
    assert_true(says(x, "HTTP/1.1 503 ") && says(x, "it is being deleted"));
    exchange_destroy(x);
    while (!is_gone)
        uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
    assert_null(hub_find_workspace(h, str_of(id)));
    tear_down_shelf(&shelf);
    assert_int_equal(scratch_remove(place), 0);
}

/* Who only sends takes no place of those who take events. */
static void
test_places(void **state UNUSED)
{
    struct shelf shelf = {0};
    build_shelf(&shelf);
    struct hub *h = shelf.house.hub;
    h->connections_max = 1;
    h->n_ingests = 2;
    assert_true(hub_has_place(h));
    h->n_ingests = 0;
    h->n_followers = 1;
    assert_false(hub_has_place(h));
    h->n_followers = 0;
    tear_down_shelf(&shelf);
}
