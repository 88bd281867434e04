/* Why: clients written after an earlier design send documents where we have entities: a title and its text, or
 * texts. Such a one is an entity of a file of its own, so that it can be found, read, replaced and deleted as any.
 * Invariant: what comes out is a line as any other, with the same limits. */
#include "codec/codec.h"

static bool
add_text(struct buf *all, const json_t *text)
{
    if (!json_is_string(text))
        return false;
    if (all->n > 0)
        buf_add_cstr(all, "\n\n");
    buf_add(all, json_string_value(text), json_string_length(text));
    return true;
}

static bool
read_texts(const json_t *document, struct buf *all)
{
    const json_t *text = codec_member(document, "text"),
                 *list = codec_member(document, "texts"), *one;
    size_t i;
    if (text && !json_is_null(text) && !add_text(all, text))
        return false;
    if (list && !json_is_null(list) && !json_is_array(list))
        return false;
    json_array_foreach(list, i, one)
    {
        if (!add_text(all, one))
            return false;
    }
    return true;
}

/* A title may hold what a path may not. */
static char *
path_of(struct str title)
{
    char *path = str_dup(title);
    for (size_t i = 0; i < title.n; i++)
        if (path[i] == '/' || (unsigned char)path[i] < ' ' || path[i] == 0x7f)
            path[i] = '-';
    return path;
}

json_t *
codec_older_document(const json_t *line)
{
    AUTO(buf_finish) struct buf text = {0};
    struct str title, key;
    if (codec_member(line, "name") || codec_member(line, "op") ||
        codec_get_str(line, "title", &title) < 0 || !read_texts(line, &text))
        return NULL;
    AUTO(free) char *path = path_of(title);
    json_t *entity =
        json_pack("{s:s,s:s,s:s%,s:s,s:{s:{s:i,s:i},s:{s:i,s:i}},s:s%}", "lang", "text",
                  "kind", "section", "name", title.p, title.n, "path", path, "range",
                  "start", "line", 0, "character", 0, "end", "line", 0, "character", 0,
                  "hover", text.p ? text.p : "", text.n);
    if (entity && codec_get_str(line, "key", &key) == 0)
        json_object_set(entity, "key", codec_member(line, "key"));
    return entity;
}
