/* Why: routers and functions that speak CloudEvents take our events without code of their own. The view is made of
 * the native message when it is sent, because few ask for it: nothing else knows that there is one.
 * Invariant: an id is one event's for ever, since a row gives the same events in the same order each time. */
#include "hub/cloudevents.h"

#include "codec/codec.h"

#define EVENT_BEGIN "{\"type\":\"event\","
#define EVENT_LAST ",\"last\":true}"

int
cloudevents_read_format(struct str name, bool *ret_is_cloudevents)
{
    *ret_is_cloudevents = str_eq_c(name, "cloudevents");
    return *ret_is_cloudevents || str_eq_c(name, "gloss") ? 0 : -EINVAL;
}

static void
add_printable(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] > ' ' && text.p[i] <= '~')
            buf_add_char(b, text.p[i]);
}

void
cloudevents_add_id(struct buf *b, struct str epoch, int64_t seq, uint32_t index,
                   bool is_last)
{
    add_printable(b, epoch);
    buf_printf(b, ":%" PRId64, seq);
    if (!is_last)
        buf_printf(b, ".%" PRIu32, index);
}

/* Its JSON text; empty: it is not there. */
static struct str
member(struct str message, const char *name)
{
    struct str value;
    return codec_slice_member(message, str_of(name), &value) == 0 ? value : STR_NONE;
}

/* What is between the quotes. */
static struct str
text_member(struct str message, const char *name)
{
    struct str value = member(message, name);
    return value.n >= 2 && value.p[0] == '"' ? str_slice(value.p + 1, value.n - 2)
                                             : STR_NONE;
}

static void
add_text(struct buf *b, const char *name, const char *prefix, struct str value)
{
    buf_printf(b, ",\"%s\":\"%s", name, prefix);
    buf_add_str(b, value); // escaped as it came
    buf_add_char(b, '"');
}

/* Of an event of the log; the sequence is as wide as any can be, so that text sorts as numbers do. */
static void
add_place(struct buf *b, struct str message, struct str epoch, int64_t seq)
{
    uint64_t index = 0;
    bool is_last = str_ends_with(message, STR(EVENT_LAST));
    str_to_u64(member(message, "i"), &index);
    buf_add_cstr(b, "\"id\":\"");
    cloudevents_add_id(b, epoch, seq, (uint32_t)index, is_last);
    buf_printf(b, "\",\"sequence\":\"%020" PRId64 "\",\"part\":%" PRIu64, seq, index);
    if (is_last)
        buf_add_cstr(b, ",\"last\":true");
}

/* ["s1"] */
static void
add_sub(struct buf *b, struct str message)
{
    struct str subs = member(message, "sub");
    if (subs.n > 4)
        add_text(b, "sub", "", str_slice(subs.p + 2, subs.n - 4));
}

void
cloudevents_add(struct buf *b, struct str message, uint64_t number)
{
    if (!str_starts_with(message, STR(EVENT_BEGIN))) {
        buf_add_str(b, message);
        return;
    }
    int64_t seq = 0;
    struct str epoch = text_member(message, "epoch"), time = text_member(message, "time"),
               workspace = text_member(message, "workspace"),
               subject = text_member(message, "subject"), data = member(message, "data");
    buf_add_cstr(b, "{\"specversion\":\"1.0\",");
    if (str_to_i64(member(message, "seq"), &seq) == 0) {
        add_place(b, message, epoch, seq);
    } else {
        buf_add_cstr(b, "\"id\":\"");
        add_printable(b, epoch);
        buf_printf(b, ":%.*s.%" PRIu64 "\"", STR_ARG(time), number);
    }
    add_text(b, "source", workspace.n > 0 ? "/workspaces/" : "/workspaces", workspace);
    add_text(b, "type", "dev.gloss.", text_member(message, "event_type"));
    add_text(b, "time", "", time);
    if (subject.n > 0)
        add_text(b, "subject", "", subject);
    add_sub(b, message);
    buf_add_cstr(b, ",\"datacontenttype\":\"application/json\",\"data\":");
    buf_add_str(b, data.n > 0 ? data : STR("{}"));
    buf_add_char(b, '}');
}
