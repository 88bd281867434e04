/* Open documents and places in them. The server counts columns in the encoding it chose;
 * a text that is not UTF-8 reaches it repaired, so its own columns differ from the
 * file's bytes. Invariant: a doc keeps its text only when columns cannot be told without
 * it. */
#include "lsp/client/internal.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/uri.h"
#include "base/utf.h"

char *
client_doc_uri(const struct client *c, const char *path)
{
    AUTO(free) char *absolute = path_join(c->workspace_root, path);
    return uri_from_path(absolute);
}

struct doc *
client_doc_find(const struct client *c, const char *path)
{
    return map_get(c->docs, str_of(path));
}

uint32_t
client_doc_column(const struct client *c, const struct doc *doc, struct position at)
{
    if (c->encoding == ENCODING_UTF16)
        return at.col_utf16;
    if (!doc || !doc->text)
        return at.col_byte;
    struct str line = snapshot_line(doc->text, at.line);
    size_t offset = utf8_offset_of_utf16(line, at.col_utf16);
    if (c->encoding == ENCODING_UTF8)
        return (uint32_t)offset;
    return (uint32_t)utf8_utf32_len(str_slice(line.p, offset));
}

static void
doc_destroy(struct doc *doc)
{
    if (!doc)
        return;
    free(doc->uri);
    snapshot_unref(doc->text);
    free(doc);
}

void
client_docs_clear(struct client *c)
{
    size_t at = 0;
    struct str path;
    void *doc;
    while (map_next(c->docs, &at, &path, &doc)) {
        doc_destroy(doc);
        map_remove(c->docs, path);
    }
}

void
client_did_open(struct client *c, const char *path, const char *language_id,
                struct str text)
{
    ASSERT_LOOP();
    assert(c->state == CLIENT_READY && !client_doc_find(c, path));
    struct doc *doc = xnew(struct doc);
    doc->uri = client_doc_uri(c, path);
    map_put(c->docs, str_of(path), doc);

    AUTO(buf_finish) struct buf valid = {0};
    bool is_valid = utf8_is_valid(text);
    if (!is_valid) {
        utf8_add_valid(&valid, text);
        text = buf_str(&valid);
    }
    json_t *item = json_pack("{s:s, s:s, s:i, s:o}", "uri", doc->uri, "languageId",
                             language_id, "version", 1, "text",
                             json_stringn_nocheck(text.p ? text.p : "", text.n));
    wire_notify(c->wire, "textDocument/didOpen",
                json_pack("{s:o}", "textDocument", item));
    if (!is_valid || c->encoding == ENCODING_UTF32)
        doc->text = snapshot_create(str_dup(text), text.n, 1);
}

void
client_did_close(struct client *c, const char *path)
{
    ASSERT_LOOP();
    struct doc *doc = map_remove(c->docs, str_of(path));
    if (!doc)
        return; // its process is gone
    wire_notify(c->wire, "textDocument/didClose",
                json_pack("{s:{s:s}}", "textDocument", "uri", doc->uri));
    doc_destroy(doc);
}
