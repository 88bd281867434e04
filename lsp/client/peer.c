/* What the server asks of us and tells us. Invariant: every request gets an answer, at
 * once; a server that waits for one may otherwise stop for ever. */
#define LOG_MODULE "client"
#include "lsp/client/internal.h"

#include "base/log.h"
#include "codec/codec.h"

#define LOGGED_BYTES_MAX 500
#define TOKEN_BYTES_MAX 1024 // of a progress; one with a longer token is not followed
#define ITEMS_MAX 1000 // of workspace/configuration; what is behind is answered with null

/* The member that "a.b" names in the settings; null when they have none. */
static json_t *
section_of(json_t *settings, struct str section)
{
    json_t *at = settings;
    struct str key;
    while (at && str_split(&section, '.', &key)) {
        AUTO(free) char *name = str_dup(key);
        at = json_is_object(at) ? json_object_get(at, name) : NULL;
    }
    return at ? json_incref(at) : json_null();
}

static json_t *
answer_configuration(struct client *c, json_t *params)
{
    json_t *result = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(codec_array(params, "items"), i, item)
    {
        struct str section = STR_NONE;
        codec_get_str(item, "section", &section);
        json_array_append_new(result, i < ITEMS_MAX ? section_of(c->settings, section)
                                                    : json_null());
    }
    return result;
}

static json_t *
answer_null(struct client *c, json_t *params)
{
    (void)c;
    (void)params;
    return json_null();
}

static json_t *
answer_folders(struct client *c, json_t *params)
{
    (void)params;
    return client_handshake_folders(c);
}

static json_t *
answer_show_document(struct client *c, json_t *params)
{
    (void)c;
    (void)params;
    return json_pack("{s:b}", "success", 0);
}

static json_t *
answer_apply_edit(struct client *c, json_t *params)
{
    (void)c;
    (void)params;
    return json_pack("{s:b, s:s}", "applied", 0, "failureReason",
                     "the files belong to the editor");
}

static const struct {
    const char *method;
    json_t *(*answer)(struct client *c, json_t *params);
} requests[] = {
    {"workspace/configuration", answer_configuration},
    {"client/registerCapability", answer_null},
    {"client/unregisterCapability", answer_null},
    {"window/workDoneProgress/create", answer_null},
    {"workspace/workspaceFolders", answer_folders},
    {"window/showMessageRequest", answer_null},
    {"window/showDocument", answer_show_document},
    {"workspace/applyEdit", answer_apply_edit},
    {"workspace/codeLens/refresh", answer_null},
    {"workspace/diagnostic/refresh", answer_null},
    {"workspace/foldingRange/refresh", answer_null},
    {"workspace/inlayHint/refresh", answer_null},
    {"workspace/inlineValue/refresh", answer_null},
    {"workspace/semanticTokens/refresh", answer_null},
};

void
client_peer_on_request(void *ctx, const struct wire_id *id, const char *method,
                       json_t *params)
{
    struct client *c = ctx;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (strcmp(method, requests[i].method) == 0) {
            wire_reply(c->wire, id, requests[i].answer(c, params));
            return;
        }
    }
    wire_reply_error(c->wire, id, WIRE_METHOD_NOT_FOUND,
                     "this client has no such method");
}

bool
client_peer_is_quiescent(const struct client *c)
{
    return !c->is_busy && map_count(c->progress) == 0;
}

void
client_peer_reset(struct client *c)
{
    map_destroy(c->progress);
    c->progress = map_create();
    c->is_busy = (c->spec->quirks & QUIRK_SERVER_STATUS) != 0;
}

static void
tell_if_quiescent(struct client *c, bool was_quiescent)
{
    if (was_quiescent || !client_peer_is_quiescent(c) || c->state != CLIENT_READY)
        return;
    if (c->events->on_quiescent && !c->on_closed)
        c->events->on_quiescent(c->ctx);
}

static void
note_progress(struct client *c, struct str token, bool is_begin)
{
    bool was_quiescent = client_peer_is_quiescent(c);
    if (!is_begin)
        map_remove(c->progress, token);
    else if (map_count(c->progress) < CLIENT_PROGRESS_MAX)
        map_put(c->progress, token, c);
    tell_if_quiescent(c, was_quiescent);
}

static void
on_progress(struct client *c, json_t *params)
{
    struct str kind = STR_NONE;
    json_t *token = codec_member(params, "token");
    json_t *value = codec_object(params, "value");
    if (!token || !value || codec_get_str(value, "kind", &kind) < 0)
        return;
    AUTO(buf_finish) struct buf key = {0};
    codec_add_json(&key, token);
    if (key.n > TOKEN_BYTES_MAX)
        return;
    if (str_eq_c(kind, "begin") || str_eq_c(kind, "end"))
        note_progress(c, buf_str(&key), str_eq_c(kind, "begin"));
}

static void
on_server_status(struct client *c, json_t *params)
{
    bool is_quiescent = false, was_quiescent = client_peer_is_quiescent(c);
    if (codec_get_bool(params, "quiescent", &is_quiescent) < 0)
        return;
    c->is_busy = !is_quiescent;
    tell_if_quiescent(c, was_quiescent);
}

static void
on_message(struct client *c, json_t *params)
{
    struct str text;
    int64_t type = 0;
    if (codec_get_str(params, "message", &text) < 0)
        return;
    codec_get_int(params, "type", 0, 100, &type);
    text = str_slice(text.p, MIN(text.n, (size_t)LOGGED_BYTES_MAX));
    if (type == 1)
        log_info("%s says: %.*s", c->spec->name, STR_ARG(text));
    else
        log_debug("%s says: %.*s", c->spec->name, STR_ARG(text));
}

void
client_peer_on_notification(void *ctx, const char *method, json_t *params)
{
    struct client *c = ctx;
    if (strcmp(method, "$/progress") == 0)
        on_progress(c, params);
    else if (strcmp(method, "experimental/serverStatus") == 0)
        on_server_status(c, params);
    else if (strcmp(method, "window/logMessage") == 0 ||
             strcmp(method, "window/showMessage") == 0)
        on_message(c, params);
    else if (strcmp(method, "pyright/beginProgress") == 0)
        note_progress(c, STR("pyright"), true);
    else if (strcmp(method, "pyright/endProgress") == 0)
        note_progress(c, STR("pyright"), false);
}
