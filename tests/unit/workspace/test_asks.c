/* The order in which files are asked about. */
#include "check.h"
#include "workspace/asks.h"

/* The whole queue of a language, "a b c". */
static void
assert_asks(const struct asks *a, size_t lang, const char *wanted)
{
    AUTO(buf_finish) struct buf got = {0};

    for (const struct ask *ask = asks_first(a, lang); ask; ask = asks_after(a, ask))
        buf_printf(&got, "%s%s", got.n ? " " : "", ask->path);
    assert_string_equal(got.p ? got.p : "", wanted);
}

static void
put_ask(struct asks *a, const char *path, size_t lang, enum ask_rank rank, bool is_new)
{
    assert_int_equal(asks_put(a, str_of(path), lang, rank), is_new);
}

static void
test_asks_order(void **state UNUSED)
{
    struct asks *a = asks_create();

    assert_asks(a, 0, "");
    put_ask(a, "x/1", 0, ASK_REST, true);
    put_ask(a, "y/1", 0, ASK_REST, true);
    put_ask(a, "x/2", 0, ASK_REST, true);
    put_ask(a, "y/2", 0, ASK_REST, true);
    put_ask(a, "top", 0, ASK_REST, true);
    put_ask(a, "y/other", 1, ASK_REST, true);
    put_ask(a, "z/other", 1, ASK_REST, true);
    assert_asks(a, 0, "x/1 x/2 y/1 y/2 top"); // a folder at a time
    put_ask(a, "y/2", 0, ASK_LATELY, false);
    put_ask(a, "z/new", 0, ASK_LATELY, true);
    put_ask(a, "x/2", 0, ASK_OPEN, false);
    assert_asks(a, 0, "x/2 z/new y/2 x/1 y/1 top");
    put_ask(a, "x/2", 0, ASK_LATELY, false); // is open all the same
    put_ask(a, "y/2", 0, ASK_REST, false);   // changed all the same
    put_ask(a, "y/2", 0, ASK_LATELY, false); // again
    assert_asks(a, 0, "x/2 y/2 z/new x/1 y/1 top");
    assert_asks(a, 1, "y/other z/other");
    assert_int_equal(asks_count(a), 8);
    asks_destroy(a);
}

static void
test_asks_open(void **state UNUSED)
{
    struct asks *a = asks_create();
    struct ask *ask;

    put_ask(a, "x/1", 0, ASK_REST, true);
    put_ask(a, "x/y/1", 0, ASK_REST, true);
    put_ask(a, "y/1", 0, ASK_REST, true);
    put_ask(a, "y/2", 0, ASK_REST, true);
    put_ask(a, "top", 0, ASK_REST, true);
    put_ask(a, "x/other", 1, ASK_REST, true);
    put_ask(a, "y/other", 1, ASK_REST, true);
    asks_open(a, STR("y/2"));
    assert_asks(a, 0, "y/2 y/1 x/1 x/y/1 top");
    assert_asks(a, 1, "y/other x/other"); // whatever their language
    asks_open(a, STR("x/is not waiting"));
    assert_asks(a, 0, "y/2 x/1 y/1 x/y/1 top");
    asks_open(a, STR("top"));
    assert_asks(a, 0, "top y/2 x/1 y/1 x/y/1");
    asks_open(a, STR("no/such/folder"));
    /* what is taken away, in the middle of going through */
    ask = asks_after(a, asks_first(a, 0));
    assert_string_equal(ask->path, "y/2");
    assert_string_equal(asks_after(a, ask)->path, "x/1");
    asks_remove(a, asks_after(a, ask));
    assert_string_equal(asks_after(a, ask)->path, "y/1");
    asks_remove(a, ask);
    assert_asks(a, 0, "top y/1 x/y/1");
    while ((ask = asks_first(a, 0)))
        asks_remove(a, ask);
    assert_asks(a, 0, "");
    assert_int_equal(asks_count(a), 2);
    put_ask(a, "y/1", 0, ASK_REST, true); // the folder is gone and comes back
    assert_asks(a, 0, "y/1");
    asks_destroy(a);
    asks_destroy(NULL);
}
