/* initialize … exit: what both sides can do, and which folders are looked at. */
#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "lsp/server/methods.h"

#define LOG_MODULE "lsp"
#include "base/log.h"

static enum feature
read_feature(const json_t *features, const char *name)
{
    struct str text;

    if (codec_get_str(features, name, &text) < 0)
        return FEATURE_AUTO;
    return str_eq_c(text, "on")    ? FEATURE_ON
           : str_eq_c(text, "off") ? FEATURE_OFF
                                   : FEATURE_AUTO;
}

/* utf-16 unless the client does not offer it, or wants utf-8 and says so by offering that first. */
static enum position_encoding
choose_encoding(const json_t *capabilities)
{
    const json_t *offered = codec_array(codec_object(capabilities, "general"),
                                        "positionEncodings"),
                 *one;
    const char *first = json_string_value(json_array_get(offered, 0));
    bool has_utf8 = false, has_utf16 = json_array_size(offered) == 0;
    size_t i;

    json_array_foreach(offered, i, one)
    {
        const char *name = json_string_value(one);
        has_utf8 |= name && strcmp(name, "utf-8") == 0;
        has_utf16 |= name && strcmp(name, "utf-16") == 0;
    }
    if (has_utf8 && (!has_utf16 || (first && strcmp(first, "utf-8") == 0)))
        return ENCODING_UTF8;
    return ENCODING_UTF16;
}

static void
read_capabilities(struct server_session *s, json_t *params)
{
    const json_t *caps = codec_object(params, "capabilities"),
                 *text_document = codec_object(caps, "textDocument");
    const json_t *options = codec_object(params, "initializationOptions"),
                 *features = codec_object(options, "features");
    bool flag;

    s->encoding = choose_encoding(caps);
    if (codec_get_bool(codec_object(caps, "window"), "workDoneProgress", &flag) == 0)
        s->has_progress = flag;
    if (codec_get_bool(codec_object(text_document, "documentSymbol"),
                       "hierarchicalDocumentSymbolSupport", &flag) == 0)
        s->has_nested_symbols = flag;
    s->hover = read_feature(features, "hover");
    s->definition = read_feature(features, "definition");
    s->document_symbol = read_feature(features, "documentSymbol");
    s->references = read_feature(features, "references");
    s->call_hierarchy = read_feature(features, "callHierarchy");
    s->type_hierarchy = read_feature(features, "typeHierarchy");
    s->served = json_incref(codec_array(options, "servedLanguages"));
    if (codec_get_bool(options, "trusted", &flag) == 0)
        s->is_trusted = flag;
}

static void
add_uri_root(struct server_session *s, const char *uri)
{
    AUTO(free) char *path = NULL;
    struct workspace *w;
    int r = uri ? uri_to_path(str_of(uri), &path) : -EINVAL;

    if (r == 0)
        r = session_add_root(s, path, &w);
    if (r < 0)
        log_warn("%s cannot be a workspace: %s", uri ? uri : "(no uri)", err_text(r));
}

static void
add_roots(struct server_session *s, json_t *params)
{
    const json_t *folders = codec_array(params, "workspaceFolders"), *folder;
    const char *uri = json_string_value(codec_member(params, "rootUri")),
               *path = json_string_value(codec_member(params, "rootPath"));
    struct workspace *w;
    size_t i;

    json_array_foreach(folders, i, folder)
        add_uri_root(s, json_string_value(codec_member(folder, "uri")));
    if (!list_is_empty(&s->roots))
        return;
    if (uri)
        add_uri_root(s, uri);
    else if (path && session_add_root(s, path, &w) < 0)
        log_warn("%s cannot be a workspace", path);
}

static void
on_editor_gone(void *ctx)
{
    session_end(ctx, EXIT_FAILURE);
}

static void
watch_editor(struct server_session *s, json_t *params)
{
    int64_t pid;

    if (codec_get_int(params, "processId", 1, INT32_MAX, &pid) < 0)
        return;
    if (process_watch_open(s->loop, (int)pid, on_editor_gone, s, &s->editor) < 0)
        log_info("process %d cannot be watched; the end of the stream tells as well",
                 (int)pid);
}

void
lifecycle_initialize(struct server_session *s, const struct wire_id *id, json_t *params)
{
    AUTO(buf_finish) struct buf json = {0};

    if (s->state != SESSION_NEW) {
        wire_reply_error(s->wire, id, WIRE_INVALID_REQUEST, "initialize comes once");
        return;
    }
    if (!json_is_object(params)) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS, "initialize needs params");
        return;
    }
    s->state = SESSION_RUNNING;
    s->is_editor = true;
    read_capabilities(s, params);
    watch_editor(s, params);
    add_roots(s, params);
    buf_printf(&json,
               "{\"capabilities\":{\"positionEncoding\":\"%s\","
               "\"textDocumentSync\":{\"openClose\":true,\"change\":2,\"save\":{"
               "\"includeText\":false}},"
               "\"documentSymbolProvider\":%s,\"workspaceSymbolProvider\":true,"
               "\"hoverProvider\":%s,"
               "\"definitionProvider\":%s,\"referencesProvider\":%s,"
               "\"callHierarchyProvider\":%s,\"typeHierarchyProvider\":%s,"
               "\"workspace\":{\"workspaceFolders\":{\"supported\":true,"
               "\"changeNotifications\":true}}},"
               "\"serverInfo\":{\"name\":\"gloss\",\"version\":\"%s\"}}",
               s->encoding == ENCODING_UTF8 ? "utf-8" : "utf-16",
               s->document_symbol == FEATURE_OFF ? "false" : "true",
               s->hover == FEATURE_OFF ? "false" : "true",
               s->definition == FEATURE_OFF ? "false" : "true",
               s->references == FEATURE_OFF ? "false" : "true",
               s->call_hierarchy == FEATURE_OFF ? "false" : "true",
               s->type_hierarchy == FEATURE_OFF ? "false" : "true", GLOSS_VERSION);
    wire_reply_text(s->wire, id, buf_str(&json));
}

void
lifecycle_initialized(struct server_session *s, json_t *params UNUSED)
{
    list_for_each (it, &s->roots)
        progress_changed(list_entry(it, struct session_root, link));
}

void
lifecycle_shutdown(struct server_session *s, const struct wire_id *id,
                   json_t *params UNUSED)
{
    s->state = SESSION_SHUT_DOWN;
    wire_reply(s->wire, id, NULL);
}

void
lifecycle_exit(struct server_session *s, json_t *params UNUSED)
{
    session_end(s, s->state == SESSION_SHUT_DOWN ? EXIT_SUCCESS : EXIT_FAILURE);
}

void
lifecycle_cancel(struct server_session *s, json_t *params)
{
    const json_t *value = codec_member(params, "id");
    struct wire_id id = {0};

    if (json_is_string(value)) {
        id.is_string = true;
        id.string = xstrdup(json_string_value(value));
    } else if (json_is_integer(value)) {
        id.number = json_integer_value(value);
    } else {
        return;
    }
    session_cancel(s, &id);
    wire_id_finish(&id);
}

void
lifecycle_progress_cancel(struct server_session *s, json_t *params UNUSED)
{
    list_for_each (it, &s->roots)
        workspace_pause(list_entry(it, struct session_root, link)->workspace);
}

void
lifecycle_folders(struct server_session *s, json_t *params)
{
    const json_t *event = codec_object(params, "event"), *folder;
    const json_t *added = codec_array(event, "added"),
                 *removed = codec_array(event, "removed");
    size_t i;

    json_array_foreach(removed, i, folder)
    {
        const char *uri = json_string_value(codec_member(folder, "uri"));
        AUTO(free) char *path = NULL;

        if (uri && uri_to_path(str_of(uri), &path) == 0)
            session_remove_root(s, path);
    }
    json_array_foreach(added, i, folder)
        add_uri_root(s, json_string_value(codec_member(folder, "uri")));
}

/* Servers come and go in an editor. What is not said stays as it is. */
void
lifecycle_configuration(struct server_session *s, json_t *params)
{
    json_t *served = codec_array(codec_object(codec_object(params, "settings"), "gloss"),
                                 "servedLanguages");

    if (!served)
        return;
    json_decref(s->served);
    s->served = json_incref(served);
}

void
lifecycle_ignore(struct server_session *s UNUSED, json_t *params UNUSED)
{
}
