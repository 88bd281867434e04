/* An exchange whose answer does not come in time. */
#include "hub/feed.h"
#include "hub/serve.h"
#include "hub/sse.h"

/* Nothing is written before its connection has room, which this one never has. */
static struct exchange *
create_exchange(struct shelf *shelf)
{
    struct exchange *x = exchange_create(shelf->house.hub, NULL);
    x->is_read_by_lws = x->is_body_done = true;
    return x;
}

static bool
says(const struct exchange *x, const char *text)
{
    return x->response.n > 0 && str_find(buf_str(&x->response), str_of(text)) >= 0;
}

static void
test_stream_of_what_does_not_open(void **state UNUSED)
{
    struct shelf shelf = {0};
    build_shelf(&shelf);
    struct follow_args args = {.workspace = shelf.workspace};
    struct exchange *late = create_exchange(&shelf), *patient = create_exchange(&shelf);
    assert_int_equal(workspace_state(shelf.workspace), WORKSPACE_OPENING);
    sse_open(late, &args, false);
    sse_open(patient, &args, false);
    exchange_on_tick(late, late->read_ms + 29999);
    assert_false(late->is_answered);
    exchange_on_tick(late, late->read_ms + 30000);
    assert_true(late->is_ended);
    assert_true(says(late, "HTTP/1.1 503 "));
    assert_true(says(late, "/problems/not-ready"));
    assert_true(says(late, "the workspace is being opened"));
    run_until_ready(&shelf); // and nobody answers it once more
    assert_false(late->is_streamed);
    assert_true(patient->is_streamed);
    assert_true(says(patient, "HTTP/1.1 200 OK"));
    exchange_destroy(late);
    exchange_destroy(patient);
    tear_down_shelf(&shelf);
}
