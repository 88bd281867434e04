/* The first exchange: what we can do, what the server can do, and the settings it will
 * ask for. Dynamic file watching is not declared, for nobody here would send its events. */
#include "lsp/client/internal.h"

#include <unistd.h>

#include "base/hash.h"
#include "base/path.h"
#include "base/uri.h"
#include "base/utf.h"
#include "codec/codec.h"

json_t *
client_handshake_folders(const struct client *c)
{
    AUTO(free) char *uri = uri_from_path(c->root);
    struct str name = path_basename(str_of(c->root));
    AUTO(buf_finish) struct buf valid = {0};
    utf8_add_valid(&valid, name);
    return json_pack("[{s:s, s:s}]", "uri", uri, "name", valid.p ? valid.p : "");
}

static json_t *
text_document_capabilities(void)
{
    return json_pack("{s:{s:b}, s:{s:b, s:[s,s]}, s:{s:b}}", "synchronization",
                     "dynamicRegistration", 1, "hover", "dynamicRegistration", 1,
                     "contentFormat", "markdown", "plaintext", "publishDiagnostics",
                     "relatedInformation", 0);
}

static json_t *
capabilities(void)
{
    json_t *general = json_pack("{s:[s,s], s:{s:b, s:[s]}}", "positionEncodings", "utf-8",
                                "utf-16", "staleRequestSupport", "cancel", 1,
                                "retryOnContentModified", "textDocument/hover");
    json_t *workspace = json_pack("{s:b, s:b, s:b, s:{s:b}}", "applyEdit", 0,
                                  "configuration", 1, "workspaceFolders", 1,
                                  "didChangeConfiguration", "dynamicRegistration", 1);
    json_t *window =
        json_pack("{s:b, s:{s:b}}", "workDoneProgress", 1, "showDocument", "support", 0);
    return json_pack("{s:o, s:o, s:o, s:o, s:{s:b}, s:[s,s]}", "general", general,
                     "workspace", workspace, "window", window, "textDocument",
                     text_document_capabilities(), "experimental",
                     "serverStatusNotification", 1, "offsetEncoding", "utf-8",
                     "utf-16"); // clangd's own
}

json_t *
client_handshake_params(const struct client *c)
{
    AUTO(free) char *uri = uri_from_path(c->root);
    json_t *params =
        json_pack("{s:i, s:{s:s, s:s}, s:s, s:s, s:o, s:o, s:s}", "processId",
                  (int)getpid(), "clientInfo", "name", "gloss", "version", GLOSS_VERSION,
                  "rootUri", uri, "trace", "off", "capabilities", capabilities(),
                  "workspaceFolders", client_handshake_folders(c), "locale", "en");
    if (utf8_is_valid(str_of(c->root)))
        json_object_set_new(params, "rootPath", json_string(c->root));
    json_t *options = client_quirk_options(c->spec, c->program, c->workspace_root,
                                           json_deep_copy(c->options));
    if (options)
        json_object_set_new(params, "initializationOptions", options);
    return params;
}

json_t *
client_handshake_configuration(const struct client *c)
{
    return json_pack("{s:o}", "settings",
                     c->settings ? json_deep_copy(c->settings) : json_object());
}

static void
add_sorted(struct buf *all, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    buf_add_cstr(all, text ? text : "");
    buf_add_char(all, '\0');
    free(text);
}

/* Each text ended by a NUL, so that no two lists of texts are the same bytes. */
static uint64_t
key_of(const struct client *c, const char *version)
{
    AUTO(buf_finish) struct buf all = {0};
    buf_add(&all, c->spec->name, strlen(c->spec->name) + 1);
    buf_add(&all, version, strlen(version) + 1);
    add_sorted(&all, c->settings);
    add_sorted(&all, c->options);
    return hash64(buf_str(&all));
}

uint64_t
client_server_key(const struct client *c)
{
    return c->server_key;
}

int
client_handshake_read(struct client *c, const json_t *result)
{
    const json_t *caps = codec_object(result, "capabilities");
    if (!caps)
        return -EPROTO;
    struct str encoding = STR_NONE;
    AUTO(free) char *version = client_version_read(c, codec_object(result, "serverInfo"));

    if (codec_get_str(caps, "positionEncoding", &encoding) < 0 &&
        codec_get_str(result, "offsetEncoding", &encoding) < 0)
        codec_get_str(caps, "offsetEncoding", &encoding);
    c->encoding = ENCODING_UTF16;
    if (str_eq_c(encoding, "utf-8"))
        c->encoding = ENCODING_UTF8;
    else if (str_eq_c(encoding, "utf-32"))
        c->encoding = ENCODING_UTF32;
    c->server_key = key_of(c, version);
    return 0;
}
