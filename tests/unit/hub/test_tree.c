/* Bodies and messages as trees: what is large is read by a worker. */
#include "hub/serve.h"
#include "hub/tree.h"

static int n_served, n_members;

static void
serve_members(struct exchange *x)
{
    AUTO(json_decref_) json_t *data = exchange_read_object(x);
    n_served++;
    n_members = (int)json_array_size(codec_array(data, "members"));
    if (data)
        exchange_answer(x, 200, SERVE_JSON, STR("{}"));
}

/* {"members":[0,0,…]} */
static void
make_body(struct buf *body, size_t n)
{
    buf_add_cstr(body, "{\"members\":[0");
    for (size_t i = 1; i < n; i++)
        buf_add_cstr(body, ",0");
    buf_add_cstr(body, "]}");
}

static struct exchange *
post(struct shelf *shelf, const struct buf *body)
{
    static const struct route route = {.body = BODY_JSON, .serve = serve_members};
    struct exchange *x = create_exchange(shelf);
    x->route = &route;
    x->is_body_done = false;
    x->frame = (struct body_frame){.framing = BODY_FRAMING_LENGTH, .size_bytes = body->n};
    n_served = n_members = 0;
    assert_int_equal(exchange_on_bytes(x, buf_str(body)), 0);
    return x;
}

static void
run_until_served(struct shelf *shelf)
{
    while (n_served == 0)
        uv_run(&shelf->house.loop.uv, UV_RUN_ONCE);
}

static void
test_large_bodies_are_read_by_a_worker(void **state UNUSED)
{
    AUTO(buf_finish) struct buf small = {0}, large = {0}, many = {0};
    struct shelf shelf = {0};
    build_shelf(&shelf);
    struct hub *h = shelf.house.hub;
    make_body(&small, 1000);
    make_body(&large, TREE_AT_ONCE_BYTES);
    make_body(&many, EXCHANGE_VALUES_MAX);

    struct exchange *x = post(&shelf, &small);
    assert_int_equal(n_members, 1000); // at once
    exchange_destroy(x);

    x = post(&shelf, &large);
    assert_int_equal(n_served, 0);
    assert_int_equal(h->body_bytes, large.n);
    run_until_served(&shelf);
    assert_int_equal(n_members, TREE_AT_ONCE_BYTES);
    assert_int_equal(h->body_bytes, large.n); // as long as it is there
    assert_true(str_eq(buf_str(&x->body), buf_str(&large)));
    exchange_destroy(x);
    assert_int_equal(h->body_bytes, 0);

    x = post(&shelf, &many); // an object and a list more than may be
    run_until_served(&shelf);
    assert_true(says(x, "HTTP/1.1 413 "));
    exchange_destroy(x);

    large.p[large.n - 1] = ']';
    x = post(&shelf, &large);
    run_until_served(&shelf);
    assert_true(says(x, "HTTP/1.1 400 "));
    exchange_destroy(x);

    /* Nobody waits for it any more: it ends by itself, also when the hub does. */
    exchange_destroy(post(&shelf, &large));
    while (h->body_bytes > 0)
        uv_run(&shelf.house.loop.uv, UV_RUN_ONCE);
    assert_int_equal(n_served, 0);
    x = post(&shelf, &large);
    exchange_on_tick(x, x->read_ms + 30000);
    assert_true(says(x, "HTTP/1.1 503 "));
    exchange_destroy(x);
    tear_down_shelf(&shelf);
    assert_int_equal(n_served, 0);
}
