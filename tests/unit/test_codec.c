/* The contracts of src/codec: what is read is checked, what is written is valid JSON whatever bytes
 * went in, and a row of the event log is handed out whole or refused. jansson reads back what we
 * write, so that a mistake is not made twice. */
#include <setjmp.h>

#include "base/base.h"

#include <cmocka.h>
#include <math.h>

#include "base/utf.h"
#include "base/vec.h"
#include "codec/codec.h"

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq_c(s, expected))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

static void
assert_buf(const struct buf *b, const char *expected)
{
    assert_str(buf_str(b), expected);
    assert_int_equal(b->p[b->n], '\0');
}

static json_t *
parse(struct str text)
{
    json_t *value = NULL;
    char *why = NULL;
    if (codec_parse(text, &value, &why) != 0)
        fail_msg("\"%.*s\": %s", STR_ARG(text), why);
    return value;
}

/* n opening brackets, a value, n closing ones. */
static void
nest(struct buf *b, size_t n, const char *open, const char *close)
{
    buf_reset(b);
    for (size_t i = 0; i < n; i++)
        buf_add_cstr(b, open);
    buf_add_cstr(b, "1");
    for (size_t i = 0; i < n; i++)
        buf_add_cstr(b, close);
}

/* The row of an entity, and what of it is written when. */
static struct entity_row
sample_row(void)
{
    return (struct entity_row){
        .e = {.kind = ENTITY_METHOD,
              .parent = 0,
              .ordinal = 1,
              .name = STR("run"),
              .qualified_name = STR("App.run"),
              .signature = STR("run(): \"x\""),
              .doc = STR("Runs.\nTwice."),
              .range = {{1, 2, 3}, {4294967295u, 5, 6}, 10, 90},
              .name_range = {{1, 9, 10}, {1, 12, 13}, 17, 20}},
        .id = 5,
        .key = STR("ts:method:a.ts#App.run"),
        .parent_key = STR("ts:class:a.ts#App"),
        .path = STR("a.ts"),
        .lang = STR("ts"),
        .hover = {.state = HOVER_KNOWN,
                  .markdown = STR("**run**"),
                  .server = STR("tsserver")},
        .rev = 42,
        .score = 0.5,
    };
}

#define SAMPLE_HEAD                                                                      \
    "{\"key\":\"ts:method:a.ts#App.run\",\"lang\":\"ts\",\"kind\":\"method\",\"name\":"  \
    "\"run\","                                                                           \
    "\"qualified_name\":\"App.run\",\"path\":\"a.ts\",\"range\":{\"start\":{\"line\":1," \
    "\"character\":3},\"end\":{\"line\":4294967295,\"character\":6}},\"name_range\":{"   \
    "\"start\":"                                                                         \
    "{\"line\":1,\"character\":10},\"end\":{\"line\":1,\"character\":13}},"              \
    "\"signature\":"                                                                     \
    "\"run(): \\\"x\\\"\",\"doc\":\"Runs.\\nTwice.\","
#define SAMPLE_HOVER                                                                     \
    "\"hover\":{\"state\":\"known\",\"markdown\":\"**run**\",\"server\":\"tsserver\"},"
#define SAMPLE_TAIL "\"parent\":\"ts:class:a.ts#App\",\"rev\":42"

#include "codec/test_deltas.c"
#include "codec/test_ingest.c"
#include "codec/test_reading.c"
#include "codec/test_writing.c"

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_depth),
        cmocka_unit_test(test_count_values),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_string_pairs),
        cmocka_unit_test(test_string_long),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_entity),
        cmocka_unit_test(test_entity_of_zeros),
        cmocka_unit_test(test_hover),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_delta_empty),
        cmocka_unit_test(test_delta_expanded),
        cmocka_unit_test(test_delta_large),
        cmocka_unit_test(test_rows_without_delta),
        cmocka_unit_test(test_damaged_rows),
        cmocka_unit_test(test_foreign_rows),
        cmocka_unit_test(test_wire_event),
        cmocka_unit_test(test_ingest_document),
        cmocka_unit_test(test_ingest_entity),
        cmocka_unit_test(test_ingest_others),
        cmocka_unit_test(test_ingest_faults),
        cmocka_unit_test(test_ingest_lists_of_nothing),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
