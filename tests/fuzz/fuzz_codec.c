/* JSON from outside, and rows of the event log: what is read can be written, and read again. */
#include "base/utf.h"
#include "codec/codec.h"
#include "fuzz.h"
#include "model/event.h"

void
fuzz_init(void)
{
}

static void
read_members(const json_t *value)
{
    struct str s;
    int64_t n;
    bool b;
    if (codec_get_str(value, "a", &s) == 0)
        fuzz_check(s.p[s.n] == '\0');
    if (codec_get_int(value, "a", -5, 5, &n) == 0)
        fuzz_check(n >= -5 && n <= 5);
    codec_get_bool(value, "a", &b);
    codec_array(codec_object(value, "a"), "a");
    codec_member(value, "a");
}

static size_t
count(json_t *value)
{
    size_t n = 1, i;
    const char *key;
    json_t *one;
    json_array_foreach(value, i, one) n += count(one);
    json_object_foreach(value, key, one) n += count(one);
    return n;
}

static int
on_event(UNUSED void *ctx, const struct codec_wire_event *event)
{
    AUTO(buf_finish) struct buf line = {0};
    codec_add_wire_event(&line, event, STR("e"), STR("w"), STR("[\"s\"]"));
    fuzz_check(utf8_is_valid(buf_str(&line)) || !utf8_is_valid(event->data));
    return 0;
}

void
fuzz_one(struct str input)
{
    AUTO(buf_finish) struct buf out = {0}, quoted = {0};
    AUTO(json_decref_) json_t *value = NULL, *again = NULL, *text = NULL;
    char *why = NULL;
    codec_add_string(&quoted, input);
    fuzz_check(codec_parse(buf_str(&quoted), &text, NULL) == 0 && json_is_string(text));
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        struct event *e = event_create((enum event_type)type, 1, 0, STR("a.c"), input);
        codec_event_expand(e, on_event, NULL);
        event_unref(e);
    }
    size_t n_values = codec_count_values(input, SIZE_MAX);
    if (codec_parse(input, &value, &why) != 0) {
        fuzz_check(why);
        free(why);
        return;
    }
    fuzz_check(count(value) == n_values);
    fuzz_check(codec_count_values(input, n_values - 1) == n_values);
    read_members(value);
    codec_add_json(&out, value);
    fuzz_check(codec_parse(buf_str(&out), &again, NULL) == 0);
    fuzz_check(json_equal(value, again));
}
