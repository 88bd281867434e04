/* Places between the editor's positions and ours: the editor counts columns in the encoding agreed on
 * in initialize, entities carry both byte and UTF-16 columns. */
#include "base/mem.h"
#include "base/uri.h"
#include "base/utf.h"
#include "lsp/server/internal.h"

struct session_doc *
session_find_doc(struct server_session *s, json_t *params, const char **ret_uri)
{
    struct str uri;

    if (codec_get_str(codec_object(params, "textDocument"), "uri", &uri) < 0)
        return NULL;
    if (ret_uri)
        *ret_uri = uri.p;
    return map_get(s->docs, uri);
}

bool
place_read(const struct server_session *s, const struct session_doc *doc,
           const json_t *position, struct position *ret_at)
{
    int64_t line, character;
    struct str text;
    size_t col;

    if (codec_get_int(position, "line", 0, UINT32_MAX, &line) < 0 ||
        codec_get_int(position, "character", 0, UINT32_MAX, &character) < 0)
        return false;
    text = snapshot_line(doc->text, (uint32_t)line);
    col = s->encoding == ENCODING_UTF8 ? MIN((size_t)character, text.n)
                                       : utf8_offset_of_utf16(text, (size_t)character);
    ret_at->line = (uint32_t)line;
    ret_at->col_byte = (uint32_t)col;
    ret_at->col_utf16 = (uint32_t)utf8_utf16_len(str_slice(text.p, col));
    return true;
}

static bool
is_word_byte(char c)
{
    unsigned char u = (unsigned char)c;

    return (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') ||
           u == '_' || u == '$' || u >= 0x80;
}

struct str
place_word(const struct session_doc *doc, struct position at)
{
    struct str line = snapshot_line(doc->text, at.line);
    size_t from = MIN((size_t)at.col_byte, line.n), to = from;

    while (from > 0 && is_word_byte(line.p[from - 1]))
        from--;
    while (to < line.n && is_word_byte(line.p[to]))
        to++;
    return from == to ? STR_NONE : str_slice(line.p + from, to - from);
}

static void
add_position(const struct server_session *s, struct buf *json, const struct position *p)
{
    buf_printf(json, "{\"line\":%u,\"character\":%u}", p->line,
               s->encoding == ENCODING_UTF8 ? p->col_byte : p->col_utf16);
}

void
place_add_range(const struct server_session *s, struct buf *json, const struct span *span)
{
    buf_add_cstr(json, "{\"start\":");
    add_position(s, json, &span->start);
    buf_add_cstr(json, ",\"end\":");
    add_position(s, json, &span->end);
    buf_add_char(json, '}');
}

void
place_add_name(const struct server_session *s, struct buf *json,
               const struct position *at, struct str text)
{
    struct span span = {.start = *at, .end = *at};

    span.end.col_byte += (uint32_t)text.n;
    span.end.col_utf16 += (uint32_t)utf8_utf16_len(text);
    place_add_range(s, json, &span);
}

void
place_add_location(const struct server_session *s, struct buf *json,
                   const struct workspace *w, const struct entity_row *row)
{
    AUTO(free) char *path = workspace_absolute(w, row->path), *uri = uri_from_path(path);

    buf_add_cstr(json, "{\"uri\":");
    codec_add_string(json, str_of(uri));
    buf_add_cstr(json, ",\"range\":");
    place_add_range(s, json, &row->e.name_range);
    buf_add_char(json, '}');
}

/* auto: on for languages that no other server in that editor serves. */
bool
feature_is_on(const struct server_session *s, enum feature f,
              const struct session_doc *doc)
{
    size_t i;
    json_t *id;

    if (f != FEATURE_AUTO || !doc)
        return f != FEATURE_OFF;
    json_array_foreach(s->served, i, id) if (json_is_string(id) &&
                                             strcmp(json_string_value(id),
                                                    doc->language_id) == 0) return false;
    return true;
}
