/* The CloudEvents view and the event stream: ids that no two events share, sequences that sort, and nothing lost. Part of
 * test_hub.c. */
#include "hub/cloudevents.h"
#include "hub/sse.h"

static char *
view_of(const char *message, uint64_t number)
{
    struct buf b = {0};
    cloudevents_add(&b, str_of(message), number);
    return buf_steal(&b);
}

static void
check_view(const char *message, const char *expected)
{
    AUTO(free) char *view = view_of(message, 7);
    AUTO(json_decref_) json_t *json = NULL;
    assert_string_equal(view, expected);
    assert_int_equal(codec_parse(str_of(view), &json, NULL), 0);
}

#define ENVELOPE                                                                         \
    "\"epoch\":\"9c\",\"workspace\":\"w1\",\"library_id\":\"w1\",\"time\":\"2026-11-"    \
    "21T08:00:00.123Z\","

static void
test_cloudevents_of_events(void **state UNUSED)
{
    check_view(
        "{\"type\":\"event\",\"event_type\":\"entity.added\",\"seq\":18232,\"i\":"
        "3," ENVELOPE
        "\"subject\":\"src/\\\"a.c\",\"sub\":[\"s12\"],\"data\":{\"last\":true,"
        "\"seq\":1}}",
        "{\"specversion\":\"1.0\",\"id\":\"9c:18232.3\",\"sequence\":"
        "\"00000000000000018232\",\"part\":3,\"source\":\"/workspaces/w1\","
        "\"type\":\"dev.gloss.entity.added\",\"time\":\"2026-11-21T08:00:00.123Z\","
        "\"subject\":\"src/\\\"a.c\",\"sub\":\"s12\",\"datacontenttype\":"
        "\"application/json\",\"data\":{\"last\":true,\"seq\":1}}");
    check_view("{\"type\":\"event\",\"event_type\":\"file:completed\",\"seq\":"
               "9223372036854775807,\"i\":0," ENVELOPE
               "\"subject\":\"a.c\",\"data\":{},\"last\":true}",
               "{\"specversion\":\"1.0\",\"id\":\"9c:9223372036854775807\",\"sequence\":"
               "\"09223372036854775807\",\"part\":0,\"last\":true,\"source\":"
               "\"/workspaces/w1\",\"type\":\"dev.gloss.file:completed\",\"time\":"
               "\"2026-11-21T08:00:00.123Z\",\"subject\":\"a.c\",\"datacontenttype\":"
               "\"application/json\",\"data\":{}}");
    /* No place in the log. */
    check_view("{\"type\":\"event\",\"event_type\":\"heartbeat\"," ENVELOPE
               "\"subject\":\"\",\"data\":{\"head\":1,\"lag\":0}}",
               "{\"specversion\":\"1.0\",\"id\":\"9c:2026-11-21T08:00:00.123Z.7\","
               "\"source\":\"/workspaces/w1\",\"type\":\"dev.gloss.heartbeat\",\"time\":"
               "\"2026-11-21T08:00:00.123Z\",\"datacontenttype\":\"application/json\","
               "\"data\":{\"head\":1,\"lag\":0}}");
}

static void
test_cloudevents_leaves_the_rest(void **state UNUSED)
{
    static const char *const messages[] = {
        "{\"type\":\"response\",\"request_id\":\"r1\",\"success\":true,\"data\":{}}",
        "{\"type\":\"system\",\"reason\":\"damaged\",\"seq\":3,\"sub\":[\"s1\"]}", ""};
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        AUTO(free) char *view = view_of(messages[i], 1);
        assert_string_equal(view, messages[i]);
    }
}

/* Both ways of an id: what is said is where it goes on. */
static void
test_ids_are_places(void **state UNUSED)
{
    AUTO(buf_finish) struct buf b = {0};
    struct since since;
    cloudevents_add_id(&b, STR("9c\r\nid: x\x01\x7f\xc2\x85"), 12, 0, true);
    assert_string_equal(b.p, "9cid:x:12");
    buf_reset(&b);
    cloudevents_add_id(&b, STR("9c"), 12, 0, true);
    assert_string_equal(b.p, "9c:12");
    assert_int_equal(match_since(buf_str(&b), &since), 0);
    assert_int_equal(since.seq, 12);
    assert_int_equal(since.n_parts, 0);
    buf_reset(&b);
    cloudevents_add_id(&b, STR("9c"), 12, 4, false);
    assert_string_equal(b.p, "9c:12.4");
    assert_int_equal(match_since(buf_str(&b), &since), 0);
    assert_int_equal(since.from, SINCE_CURSOR);
    assert_true(str_eq_c(since.epoch, "9c"));
    assert_int_equal(since.seq, 11);
    assert_int_equal(since.n_parts, 5);
    static const char *const bad[] = {"9c:0.0",  "9c:1.", "9c:.1",           "9c:1.-1",
                                      "9c:1.+1", ":1.0",  "9c:1.4294967295", "9c:1.1.1",
                                      ":0.0",    "9c:1.x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (match_since(str_of(bad[i]), &since) != -EINVAL)
            fail_msg("took %s", bad[i]);
}

static void
test_cloudevents_format(void **state UNUSED)
{
    bool is_cloudevents = false;
    assert_int_equal(cloudevents_read_format(STR("cloudevents"), &is_cloudevents), 0);
    assert_true(is_cloudevents);
    assert_int_equal(cloudevents_read_format(STR("gloss"), &is_cloudevents), 0);
    assert_false(is_cloudevents);
    assert_int_equal(cloudevents_read_format(STR("CloudEvents"), &is_cloudevents),
                     -EINVAL);
    assert_int_equal(cloudevents_read_format(STR_NONE, &is_cloudevents), -EINVAL);
}

/* The fields of an event of the stream: no id leaves the client's as it was. */
static void
test_stream_format(void **state UNUSED)
{
    AUTO(buf_finish) struct buf b = {0};
    sse_add_event(&b, STR("9c:12"), "entity.added", STR("{\"a\":\"\\n\"}"));
    assert_string_equal(b.p, "id: 9c:12\nevent: entity.added\ndata: {\"a\":\"\\n\"}\n\n");
    buf_reset(&b);
    sse_add_event(&b, STR_NONE, "status:update", STR("{}"));
    assert_string_equal(b.p, "event: status:update\ndata: {}\n\n");
}
