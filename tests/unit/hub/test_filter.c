/* The filter of a subscription. */
#include "hub/filter.h"

static const char entity[] =
    "{\"key\":\"c:fn:src/a.c#add\",\"lang\":\"c\",\"kind\":\"function\",\"path\":\"src/"
    "a.c\","
    "\"name\":\"gr\\u00f6\\\"sse\",\"parent\":null,\"rev\":18,\"hover\":{\"state\":"
    "\"known\",\"stale\":true}}";

static bool
filter_lets(const char *text, const char *data)
{
    AUTO(json_decref_) json_t *tree = NULL;
    struct filter *f = NULL;
    const char *why = NULL;
    assert_int_equal(codec_parse(str_of(text), &tree, NULL), 0);
    if (filter_create(tree, &f, &why) < 0)
        fail_msg("%s: %s", text, why);
    bool accepts = filter_accepts(f, str_of(data));
    filter_destroy(f);
    return accepts;
}

static void
test_filter_comparisons(void **state UNUSED)
{
    static const struct {
        bool accepts;
        const char *text;
    } rows[] = {
        {true, "{\"key\":\"lang\",\"cmp\":\"eq\",\"val\":\"c\"}"},
        {false, "{\"key\":\"lang\",\"cmp\":\"eq\",\"val\":\"cpp\"}"},
        {false, "{\"key\":\"lang\",\"cmp\":\"neq\",\"val\":\"c\"}"},
        {true, "{\"key\":\"lang\",\"cmp\":\"in\",\"vals\":[\"go\",\"c\"]}"},
        {false, "{\"key\":\"lang\",\"cmp\":\"nin\",\"vals\":[\"go\",\"c\"]}"},
        {true, "{\"key\":\"lang\",\"cmp\":\"nin\",\"vals\":[\"go\",\"\"]}"},
        {true, "{\"key\":\"path\",\"cmp\":\"sw\",\"val\":\"src/\"}"},
        {false, "{\"key\":\"path\",\"cmp\":\"sw\",\"val\":\"src/a.cc\"}"},
        {true, "{\"key\":\"path\",\"cmp\":\"ew\",\"val\":\".c\"}"},
        {false, "{\"key\":\"path\",\"cmp\":\"ew\",\"val\":\"src\"}"},
        {true, "{\"key\":\"path\",\"cmp\":\"ct\",\"val\":\"/a\"}"},
        {true, "{\"key\":\"path\",\"cmp\":\"ct\",\"val\":\"\"}"},
        {true, "{\"key\":\"name\",\"cmp\":\"eq\",\"val\":\"gr\\u00f6\\\"sse\"}"},
        {false, "{\"key\":\"name\",\"cmp\":\"ct\",\"val\":\"u00\"}"}, // of the escape
        {true, "{\"key\":\"rev\",\"cmp\":\"eq\",\"val\":18}"},
        {false, "{\"key\":\"rev\",\"cmp\":\"eq\",\"val\":\"18\"}"},
        {false, "{\"key\":\"rev\",\"cmp\":\"sw\",\"val\":\"1\"}"},
        {true, "{\"key\":\"hover.state\",\"cmp\":\"eq\",\"val\":\"known\"}"},
        {true, "{\"key\":\"hover.stale\",\"cmp\":\"eq\",\"val\":true}"},
        {false, "{\"key\":\"hover.state.x\",\"cmp\":\"eq\",\"val\":\"known\"}"},
        {false, "{\"key\":\"parent\",\"cmp\":\"eq\",\"val\":\"null\"}"},
        {false, "{\"key\":\"none\",\"cmp\":\"eq\",\"val\":\"\"}"},
        {true, "{\"key\":\"none\",\"cmp\":\"neq\",\"val\":\"\"}"},
        {true, "{\"key\":\"none\",\"cmp\":\"nin\",\"vals\":[\"\"]}"},
        {false, "{\"not\":{\"key\":\"lang\",\"cmp\":\"eq\",\"val\":\"c\"}}"},
        {true, "{\"and\":[{\"key\":\"lang\",\"cmp\":\"eq\",\"val\":\"c\"},"
               "{\"key\":\"path\",\"cmp\":\"sw\",\"val\":\"src/\"}]}"},
        {false, "{\"and\":[{\"or\":[{\"key\":\"lang\",\"cmp\":\"eq\",\"val\":\"c\"},"
                "{\"key\":\"x\",\"cmp\":\"eq\",\"val\":1}]},"
                "{\"key\":\"kind\",\"cmp\":\"neq\",\"val\":\"function\"}]}"},
        {true, "{\"or\":[{\"and\":[{\"key\":\"lang\",\"cmp\":\"eq\",\"val\":\"go\"},"
               "{\"key\":\"x\",\"cmp\":\"neq\",\"val\":1}]},"
               "{\"not\":{\"key\":\"kind\",\"cmp\":\"neq\",\"val\":\"function\"}}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (filter_lets(rows[i].text, entity) != rows[i].accepts)
            fail_msg("%s", rows[i].text);
    assert_false(filter_lets(rows[0].text, "{}"));
    assert_false(filter_lets(rows[0].text, "{\"lang\":"));
}

static void
test_filter_limits(void **state UNUSED)
{
    static const char *const bad[] = {
        "[]",
        "1",
        "{}",
        "{\"and\":[]}",
        "{\"or\":{}}",
        "{\"not\":[]}",
        "{\"and\":[1]}",
        "{\"and\":[{\"key\":\"a\",\"cmp\":\"eq\",\"val\":1}],\"not\":{}}",
        "{\"key\":\"a\",\"cmp\":\"lt\",\"val\":1}",
        "{\"key\":\"a\",\"cmp\":1,\"val\":1}",
        "{\"key\":\"\",\"cmp\":\"eq\",\"val\":1}",
        "{\"cmp\":\"eq\",\"val\":1}",
        "{\"key\":\"a\",\"cmp\":\"eq\"}",
        "{\"key\":\"a\",\"cmp\":\"eq\",\"val\":null}",
        "{\"key\":\"a\",\"cmp\":\"eq\",\"val\":1.5}",
        "{\"key\":\"a\",\"cmp\":\"sw\",\"val\":1}",
        "{\"key\":\"a\",\"cmp\":\"in\",\"val\":1}",
        "{\"key\":\"a\",\"cmp\":\"in\",\"vals\":[]}",
        "{\"key\":\"a\",\"cmp\":\"in\",\"vals\":[[]]}",
        "{\"not\":{\"not\":{\"not\":{\"not\":{\"key\":\"a\",\"cmp\":\"eq\",\"val\":1}}}}"
        "}"};
    AUTO(buf_finish) struct buf many = {0};
    for (size_t i = 0; i < ARRAY_LEN(bad) + 2; i++) {
        AUTO(json_decref_) json_t *tree = NULL;
        struct filter *f = NULL;
        const char *why = NULL;
        buf_reset(&many);
        if (i == ARRAY_LEN(bad)) { // nodes
            buf_add_cstr(&many, "{\"and\":[{\"key\":\"a\",\"cmp\":\"eq\",\"val\":1}");
            for (size_t k = 0; k < FILTER_NODES_MAX; k++)
                buf_add_cstr(&many, ",{\"key\":\"a\",\"cmp\":\"eq\",\"val\":1}");
            buf_add_cstr(&many, "]}");
        } else if (i > ARRAY_LEN(bad)) { // values
            buf_add_cstr(&many, "{\"key\":\"a\",\"cmp\":\"in\",\"vals\":[0");
            for (size_t k = 0; k < FILTER_VALUES_MAX; k++)
                buf_add_cstr(&many, ",1");
            buf_add_cstr(&many, "]}");
        } else {
            buf_add_cstr(&many, bad[i]);
        }
        assert_int_equal(codec_parse(buf_str(&many), &tree, NULL), 0);
        if (filter_create(tree, &f, &why) != -EINVAL)
            fail_msg("let in %s", many.p);
        assert_null(f);
        assert_non_null(why);
    }
}

/* The longest value there may be, and one byte more; alike the key. */
static void
test_filter_long_texts(void **state UNUSED)
{
    AUTO(buf_finish) struct buf longest = {0};
    for (size_t i = 0; i < FILTER_TEXT_BYTES_MAX; i++)
        buf_add_char(&longest, 'x');
    for (unsigned which = 0; which < 3; which++) {
        AUTO(free)
        char *text = xasprintf("{\"key\":\"%.*s%s\",\"cmp\":\"eq\",\"val\":\"%.*s%s\"}",
                               STR_ARG(buf_str(&longest)), which == 1 ? "x" : "",
                               STR_ARG(buf_str(&longest)), which == 2 ? "x" : "");
        AUTO(json_decref_) json_t *tree = NULL;
        struct filter *f = NULL;
        const char *why = NULL;
        assert_int_equal(codec_parse(str_of(text), &tree, NULL), 0);
        assert_int_equal(filter_create(tree, &f, &why), which == 0 ? 0 : -EINVAL);
        filter_destroy(f);
    }
}
