/* Dead letters as every backend has them: what is in a payload, and how it is done again. Invariant: a
 * replay goes through the same operations as the command it stands for, with the same checks, and never
 * replaces what is newer. Payloads come from a file that others can write: each member is checked. */
#include "store/upkeep.h"

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "store/backend.h"

#define KEY_HEX_DIGITS 16
#define ANSWERS_MAX ENTITY_PER_FILE_MAX

void
store_gauges(const struct store_writer *w, struct store_gauges *ret_gauges)
{
    *ret_gauges = (struct store_gauges){0};
    if (w->ops->gauges)
        w->ops->gauges(w, ret_gauges);
}

int
store_each_letter(struct store_writer *w, store_letter_fn fn, void *ctx)
{
    return w->ops->each_letter ? w->ops->each_letter(w, fn, ctx) : 0;
}

int
store_put_letter(struct store_writer *w, const struct dead_letter *letter)
{
    return w->ops->put_letter ? w->ops->put_letter(w, letter) : -ENOTSUP;
}

int
store_drop_letter(struct store_writer *w, int64_t id)
{
    return w->ops->drop_letter ? w->ops->drop_letter(w, id) : 0;
}

/* ---- payloads ---- */

static void
add_content(struct buf *json, struct hash128 content)
{
    char hex[HASH_HEX_BYTES];
    hash128_to_hex(content, hex);
    buf_printf(json, "\"content\":\"%s\"", hex);
}

/* What it was is told; what it is now is on the disk. */
void
store_add_file_payload(struct buf *json, const struct batch *batch)
{
    buf_add_char(json, '{');
    add_content(json, batch->file.content);
    buf_printf(json, ",\"size_bytes\":%" PRIu64 ",\"entities\":%zu}",
               batch->file.size_bytes, batch->n_entities);
}

void
store_add_hovers_payload(struct buf *json, const struct hover_batch *hovers)
{
    buf_add_char(json, '{');
    add_content(json, hovers->content);
    buf_printf(json, ",\"server_key\":\"%016" PRIx64 "\",\"answers\":[",
               hovers->server_key);
    for (size_t i = 0; i < hovers->n_answers; i++) {
        buf_add_cstr(json, i ? ",{\"key\":" : "{\"key\":");
        codec_add_string(json, hovers->answers[i].key);
        buf_add_cstr(json, ",\"hover\":");
        codec_add_hover(json, &hovers->answers[i].hover);
        buf_add_char(json, '}');
    }
    buf_add_cstr(json, "]}");
}

void
store_add_expiry_payload(struct buf *json, uint64_t server_key)
{
    buf_printf(json, "{\"server_key\":\"%016" PRIx64 "\"}", server_key);
}

void
store_add_event_payload(struct buf *json, enum event_type type, struct str data)
{
    buf_printf(json, "{\"type\":\"%s\",\"data\":", event_type_name(type));
    codec_add_string(json, data);
    buf_add_char(json, '}');
}

/* ---- and back ---- */

static int
read_key(const json_t *payload, uint64_t *ret_key)
{
    struct str hex;
    int r = codec_get_str(payload, "server_key", &hex);
    if (r < 0 || hex.n != KEY_HEX_DIGITS)
        return -EBADMSG;
    *ret_key = 0;
    for (size_t i = 0; i < hex.n; i++) {
        int digit = hex_value(hex.p[i]);
        if (digit < 0)
            return -EBADMSG;
        *ret_key = *ret_key << 4 | (uint64_t)digit;
    }
    return 0;
}

static int
read_hover(const json_t *object, struct arena *a, struct hover *ret_hover)
{
    struct str state, text;
    if (codec_get_str(object, "state", &state) < 0)
        return -EBADMSG;
    *ret_hover = (struct hover){0};
    if (codec_get_str(object, "server", &text) == 0)
        ret_hover->server = arena_str(a, text);
    if (str_eq_c(state, hover_state_name(HOVER_EMPTY))) {
        ret_hover->state = HOVER_EMPTY;
        return 0;
    }
    if (str_eq_c(state, hover_state_name(HOVER_KNOWN))) {
        ret_hover->state = HOVER_KNOWN;
        if (codec_get_str(object, "markdown", &text) < 0 || text.n > HOVER_BYTES_MAX)
            return -EBADMSG;
        ret_hover->markdown = arena_str(a, text);
        return 0;
    }
    if (codec_get_str(object, "reason", &text) < 0)
        return -EBADMSG;
    for (int i = HOVER_REASON_NONE + 1; i < HOVER_REASON_COUNT; i++)
        if (str_eq_c(text, hover_reason_name((enum hover_reason)i)))
            ret_hover->reason = (enum hover_reason)i;
    return ret_hover->reason == HOVER_REASON_NONE ? -EBADMSG : 0;
}

/* Under no server_key: who told it may have been replaced. Why something is unknown is left out: by now
 * it may be for another reason. */
static int
read_hovers(const struct dead_letter *letter, const json_t *payload,
            struct hover_batch *ret_hovers)
{
    const json_t *answers = codec_array(payload, "answers");
    struct str text;
    size_t n = json_array_size(answers);
    if (!answers || n > ANSWERS_MAX || codec_get_str(payload, "content", &text) < 0 ||
        hash128_from_hex(text, &ret_hovers->content) < 0)
        return -EBADMSG;
    ret_hovers->path = letter->path;
    ret_hovers->is_late = true;
    ret_hovers->answers =
        arena_calloc(&ret_hovers->arena, MAX(n, (size_t)1), sizeof(struct hover_answer));
    for (size_t i = 0; i < n; i++) {
        const json_t *answer = json_array_get(answers, i);
        struct hover_answer *to = &ret_hovers->answers[ret_hovers->n_answers];
        if (codec_get_str(answer, "key", &text) < 0)
            return -EBADMSG;
        int r = read_hover(codec_object(answer, "hover"), &ret_hovers->arena, &to->hover);
        if (r < 0)
            return r;
        to->key = arena_str(&ret_hovers->arena, text);
        ret_hovers->n_answers += to->hover.state != HOVER_UNKNOWN;
    }
    return 0;
}

static int
replay_hovers(struct store_writer *w, const struct dead_letter *letter,
              const json_t *payload, struct event **ret_event)
{
    struct hover_batch hovers = {0};
    int r = read_hovers(letter, payload, &hovers);
    if (r == 0)
        r = store_put_hovers(w, &hovers, ret_event);
    arena_finish(&hovers.arena);
    return r;
}

static int
replay_expiry(struct store_writer *w, const struct dead_letter *letter,
              const json_t *payload)
{
    uint64_t key = 0, n;
    int r = read_key(payload, &key);
    return r < 0 ? r : store_expire_hovers(w, letter->path, key, &n);
}

static int
replay_event(struct store_writer *w, const struct dead_letter *letter,
             const json_t *payload, struct event **ret_event)
{
    struct str type, data;
    if (codec_get_str(payload, "type", &type) < 0 ||
        codec_get_str(payload, "data", &data) < 0)
        return -EBADMSG;
    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        enum event_type t = (enum event_type)i;
        if (event_type_is_durable(t) && str_eq_c(type, event_type_name(t)))
            return store_put_event(w, t, letter->path, data, ret_event);
    }
    return -EBADMSG;
}

int
store_replay_letter(struct store_writer *w, const struct dead_letter *letter,
                    struct event **ret_event)
{
    AUTO(json_decref_) json_t *payload = NULL;
    *ret_event = NULL;
    if (dead_what_is_file(letter->what) || letter->payload.n == 0)
        return 0;
    if (codec_parse(letter->payload, &payload, NULL) < 0)
        return err_trace(-EBADMSG);
    switch (letter->what) {
    case DEAD_PUT_HOVERS: return replay_hovers(w, letter, payload, ret_event);
    case DEAD_EXPIRE_HOVERS: return replay_expiry(w, letter, payload);
    case DEAD_PUT_EVENT: return replay_event(w, letter, payload, ret_event);
    case DEAD_PUT_FILE:
    case DEAD_DELETE_FILE:
    case DEAD_WHAT_COUNT: break;
    }
    return 0;
}
