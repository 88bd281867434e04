/* Document sync: each version is an immutable snapshot, made from the one before by the editor's
 * changes in their order. A change that does not fit (bad range, unknown document) leaves the text as
 * it was and is logged: the next didOpen mends it. */
#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "base/utf.h"
#include "lsp/server/methods.h"

#define LOG_MODULE "lsp"
#include "base/log.h"

static void
doc_destroy(struct session_doc *doc)
{
    if (!doc)
        return;
    snapshot_unref(doc->text);
    free(doc->path);
    free(doc->language_id);
    free(doc);
}

static void
doc_close(struct session_doc *doc)
{
    if (doc->workspace)
        workspace_doc_close(doc->workspace, str_of(doc->path));
    doc_destroy(doc);
}

void
session_close_documents(struct server_session *s)
{
    struct str uri;
    size_t iter = 0;
    void *value;

    while (map_next(s->docs, &iter, &uri, &value)) {
        map_remove(s->docs, uri);
        doc_close(value);
    }
}

void
documents_open(struct server_session *s, json_t *params)
{
    const json_t *item = codec_object(params, "textDocument");
    struct str uri, text, language_id = STR("plaintext"), relative = STR_NONE;
    AUTO(free) char *path = NULL;
    struct session_doc *doc;
    int64_t version = 0;

    if (codec_get_str(item, "uri", &uri) < 0 || codec_get_str(item, "text", &text) < 0) {
        log_warn("didOpen without uri or text");
        return;
    }
    if (text.n > SERVER_DOCUMENT_BYTES_MAX ||
        map_count(s->docs) >= SERVER_DOCUMENTS_MAX) {
        log_warn("%.*s is too large, or too many documents are open; the disk counts",
                 STR_ARG(uri));
        return;
    }
    codec_get_str(item, "languageId", &language_id);
    codec_get_int(item, "version", INT32_MIN, INT32_MAX, &version);
    doc = map_remove(s->docs, uri);
    if (doc)
        doc_close(doc);
    doc = xnew(struct session_doc);
    doc->language_id = str_dup(language_id);
    doc->text = snapshot_create(str_dup(text), text.n, version);
    if (uri_to_path(uri, &path) == 0)
        doc->workspace = session_workspace_of(s, path, &relative);
    doc->path = str_dup(relative);
    map_put(s->docs, uri, doc);
    if (doc->workspace)
        workspace_doc_open(doc->workspace, relative, language_id, doc->text);
}

/* Byte offset of a position in a text under construction. */
static bool
offset_of(const struct server_session *s, const struct snapshot *text,
          const json_t *position, size_t *ret_offset)
{
    int64_t line, character;
    struct str content;
    size_t col;

    if (codec_get_int(position, "line", 0, UINT32_MAX, &line) < 0 ||
        codec_get_int(position, "character", 0, UINT32_MAX, &character) < 0)
        return false;
    content = snapshot_line(text, (uint32_t)line);
    col = s->encoding == ENCODING_UTF8 ? MIN((size_t)character, content.n)
                                       : utf8_offset_of_utf16(content, (size_t)character);
    *ret_offset = snapshot_line_offset(text, (uint32_t)line) + col;
    return true;
}

/* NULL when the change does not fit. */
static struct snapshot *
apply(const struct server_session *s, const struct snapshot *old, const json_t *change,
      int64_t version)
{
    const json_t *range = codec_object(change, "range");
    struct str before = snapshot_text(old), text;
    AUTO(buf_finish) struct buf after = {0};
    size_t from = 0, to = before.n, n;

    if (codec_get_str(change, "text", &text) < 0)
        return NULL;
    if (range && (!offset_of(s, old, codec_object(range, "start"), &from) ||
                  !offset_of(s, old, codec_object(range, "end"), &to) || from > to))
        return NULL;
    if (before.n - (to - from) + text.n > SERVER_DOCUMENT_BYTES_MAX)
        return NULL;
    buf_reserve(&after, before.n - (to - from) + text.n);
    buf_add(&after, before.p, from);
    buf_add_str(&after, text);
    buf_add(&after, before.p + to, before.n - to);
    n = after.n;
    return snapshot_create(buf_steal(&after), n, version);
}

void
documents_change(struct server_session *s, json_t *params)
{
    const char *uri = "";
    struct session_doc *doc = session_find_doc(s, params, &uri);
    json_t *changes = codec_array(params, "contentChanges"), *change;
    int64_t version = 0;
    size_t i;

    if (!doc) {
        log_warn("didChange of a document that is not open: %s", uri);
        return;
    }
    codec_get_int(codec_object(params, "textDocument"), "version", INT32_MIN, INT32_MAX,
                  &version);
    json_array_foreach(changes, i, change)
    {
        struct snapshot *text = apply(s, doc->text, change, version);

        if (!text) {
            log_warn("a change of %s does not fit its text and is ignored", uri);
            break;
        }
        snapshot_unref(doc->text);
        doc->text = text;
    }
    if (doc->workspace)
        workspace_doc_change(doc->workspace, str_of(doc->path), doc->text);
}

void
documents_save(struct server_session *s, json_t *params)
{
    struct session_doc *doc = session_find_doc(s, params, NULL);

    if (doc && doc->workspace)
        workspace_doc_save(doc->workspace, str_of(doc->path));
}

void
documents_close(struct server_session *s, json_t *params)
{
    struct str uri;
    struct session_doc *doc;

    if (codec_get_str(codec_object(params, "textDocument"), "uri", &uri) < 0)
        return;
    doc = map_remove(s->docs, uri);
    if (doc)
        doc_close(doc);
}
