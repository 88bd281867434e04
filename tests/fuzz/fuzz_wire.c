/* Bytes of a peer: frames, and what their bodies say. */
#include "codec/codec.h"
#include "fuzz.h"
#include "lsp/wire/internal.h"

void
fuzz_init(void)
{
}

static void
read_message(struct str body)
{
    AUTO(json_decref_) json_t *value = wire_message_parse(body);
    struct message m = wire_message_classify(value);
    fuzz_check(m.kind != MESSAGE_REQUEST || (m.method && m.id));
    fuzz_check(m.kind != MESSAGE_NOTIFICATION || m.method);
    fuzz_check(m.kind != MESSAGE_BAD || m.why);
    if (m.kind == MESSAGE_REQUEST) {
        AUTO(buf_finish) struct buf b = {0};
        struct wire_id id = wire_message_id(m.id);
        wire_message_add_id(&b, &id);
        fuzz_check(b.n > 0);
        wire_id_finish(&id);
    }
}

void
fuzz_one(struct str input)
{
    struct str rest = input, body = STR_NONE;
    size_t used = 0;
    read_message(input);
    while (wire_frame_parse(rest, &body, &used) == 0) {
        fuzz_check(used > 0 && used <= rest.n);
        fuzz_check_view(body, rest);
        read_message(body);
        AUTO(buf_finish) struct buf again = {0};
        struct str same;
        size_t n;
        wire_frame_add(&again, body);
        fuzz_check(wire_frame_parse(buf_str(&again), &same, &n) == 0);
        fuzz_check(n == again.n && str_eq(same, body));
        rest = str_slice(rest.p + used, rest.n - used);
    }
}
