/* Lines from outside into items. Invariant: what has no fault is within the limits of model/ingest.h and can be
 * stored as it is, but for what only the rows of its file can tell (is the parent there?). */
#include "base/map.h"
#include "base/vec.h"
#include "codec/codec.h"

#define TARGET_BYTES_MAX 2048
#define ORDINAL_MAX 1000000
#define HASH_DIGITS 16
#define KEY_BYTES_MAX 4096 // of an entity

struct line_reader {
    struct arena *a; // the batch's
    const char *fault;
};

static bool
fail(struct line_reader *r, const char *fault)
{
    if (!r->fault)
        r->fault = fault;
    return false;
}

/* A list is kept when all of it was read: an element that makes no sense is two bytes long, and what it would be
 * takes some hundred. */
static void *
keep_list(struct line_reader *r, const void *v, size_t n, size_t size_bytes)
{
    void *copy = arena_calloc(r->a, n + 1, size_bytes);
    if (n > 0)
        memcpy(copy, v, n * size_bytes);
    return copy;
}

/* ---- texts ---- */

static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

/* Absent: empty, if that is enough. */
static bool
read_text(struct line_reader *r, const json_t *object, const char *key, size_t min,
          size_t max, const char *fault, struct str *ret_text)
{
    struct str text = STR_NONE;
    int e = codec_get_str(object, key, &text);
    if (e == -EINVAL || text.n < min || text.n > max ||
        (text.n > 0 && memchr(text.p, '\0', text.n)))
        return fail(r, fault);
    *ret_text = text.n > 0 ? arena_str(r->a, text) : STR_NONE;
    return true;
}

static bool
is_path(struct str path)
{
    struct str rest = path, part;
    if (path.n == 0 || has_control(path) || path.p[path.n - 1] == '/')
        return false;
    while (str_split(&rest, '/', &part))
        if (part.n == 0 || str_eq_c(part, ".") || str_eq_c(part, ".."))
            return false;
    return true;
}

static bool
read_path(struct line_reader *r, const json_t *line, struct str *ret_path)
{
    static const char fault[] = "path must be relative and normalized, of 1 to 1024 "
                                "bytes, such as \"src/a.c\"";
    return read_text(r, line, "path", 1, INGEST_PATH_BYTES_MAX, fault, ret_path) &&
           (is_path(*ret_path) || fail(r, fault));
}

static bool
read_lang(struct line_reader *r, const json_t *line, struct str *ret_lang)
{
    static const char fault[] = "lang must be a word of 1 to 32 of a-z 0-9 + - _ .";
    if (!read_text(r, line, "lang", 1, INGEST_LANG_BYTES_MAX, fault, ret_lang))
        return false;
    for (size_t i = 0; i < ret_lang->n; i++) {
        char c = ret_lang->p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !memchr("+-_.", c, 4))
            return fail(r, fault);
    }
    return true;
}

/* ---- places ---- */

static bool
read_position(const json_t *object, struct position *ret_at)
{
    int64_t line, column;
    if (codec_get_int(object, "line", 0, INGEST_LINE_MAX, &line) < 0 ||
        codec_get_int(object, "character", 0, INGEST_COLUMN_MAX, &column) < 0)
        return false;
    *ret_at = (struct position){(uint32_t)line, (uint32_t)column, (uint32_t)column};
    return true;
}

static bool
is_before(const struct position *a, const struct position *b)
{
    return a->line != b->line ? a->line < b->line : a->col_utf16 < b->col_utf16;
}

static bool
read_span(struct line_reader *r, const json_t *object, const char *key, const char *fault,
          struct span *ret_span)
{
    const json_t *range = codec_object(object, key);
    struct span s;
    if (!range || !read_position(codec_object(range, "start"), &s.start) ||
        !read_position(codec_object(range, "end"), &s.end) || is_before(&s.end, &s.start))
        return fail(r, fault);
    s.start_byte = ingest_place(s.start.line, s.start.col_byte);
    s.end_byte = ingest_place(s.end.line, s.end.col_byte);
    *ret_span = s;
    return true;
}

static uint32_t
utf16_units(struct str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        n += (c & 0xc0) != 0x80;
        n += c >= 0xf0;
    }
    return n;
}

static bool
read_places(struct line_reader *r, const json_t *object, struct entity *e)
{
    if (!read_span(
            r, object, "range",
            "range must be {\"start\":{\"line\",\"character\"},\"end\":{…}} and not "
            "end before it begins",
            &e->range))
        return false;
    if (codec_member(object, "name_range"))
        return read_span(r, object, "name_range",
                         "name_range must be as range, or left out", &e->name_range);
    e->name_range = e->range;
    e->name_range.end = e->range.start;
    e->name_range.end.col_utf16 += utf16_units(e->name);
    e->name_range.end.col_byte += (uint32_t)e->name.n;
    e->name_range.end_byte = e->name_range.start_byte + (uint32_t)e->name.n;
    return true;
}

/* ---- edges ---- */

static bool
read_edge(struct line_reader *r, const json_t *object, struct edge *ret_edge)
{
    struct str kind = STR_NONE;
    int i = 0;
    *ret_edge = (struct edge){.from = ENTITY_NONE};
    if (codec_get_str(object, "kind", &kind) < 0)
        kind = STR_NONE;
    while (i < EDGE_KIND_COUNT && !str_eq_c(kind, edge_kind_name((enum edge_kind)i)))
        i++;
    if (i == EDGE_KIND_COUNT)
        return fail(r, "an edge's kind must be calls, imports, inherits or implements");
    ret_edge->kind = (enum edge_kind)i;
    return read_text(r, object, "target", 1, TARGET_BYTES_MAX,
                     "an edge's target must be a name of 1 to 2048 bytes",
                     &ret_edge->target) &&
           (read_position(object, &ret_edge->at) ||
            fail(r, "an edge must have a line and a character"));
}

static bool
read_edges(struct line_reader *r, const json_t *object, struct edge **ret_edges,
           size_t *ret_n)
{
    const json_t *list = codec_member(object, "edges");
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list) || json_array_size(list) > INGEST_EDGES_MAX)
        return fail(r, "edges must be a list of at most 10000");
    VEC(struct edge) all = {0};
    bool is_good = true;
    for (size_t i = 0; i < json_array_size(list) && is_good; i++)
        is_good = read_edge(r, json_array_get(list, i), vec_push(&all));
    if (is_good) {
        *ret_edges = keep_list(r, all.v, all.n, sizeof(*all.v));
        *ret_n = all.n;
    }
    vec_finish(&all);
    return is_good;
}

/* ---- entities ---- */

static bool
read_hash(struct line_reader *r, const json_t *object, struct entity *e)
{
    static const char fault[] = "hash must be text of 1 to 16 hex digits";
    struct str text;
    if (!read_text(r, object, "hash", 0, HASH_DIGITS, fault, &text))
        return false;
    e->hash = text.n > 0 ? 0 : hash64_seeded(e->doc, hash64(e->signature));
    for (size_t i = 0; i < text.n; i++) {
        int digit = hex_value(text.p[i]);
        if (digit < 0)
            return fail(r, fault);
        e->hash = e->hash << 4 | (unsigned)digit;
    }
    return true;
}

static bool
read_names(struct line_reader *r, const json_t *object, struct entity *e)
{
    struct str kind;
    if (codec_get_str(object, "kind", &kind) < 0 || entity_kind_parse(kind, &e->kind) < 0)
        return fail(r, "kind must be a kind of entity, such as \"function\"");
    if (!read_text(r, object, "name", 1, ENTITY_NAME_BYTES_MAX,
                   "name must be text of 1 to 512 bytes", &e->name) ||
        !read_text(r, object, "qualified_name", 0, INGEST_QUALIFIED_BYTES_MAX,
                   "qualified_name must be text of at most 2048 bytes",
                   &e->qualified_name))
        return false;
    if (e->qualified_name.n == 0)
        e->qualified_name = e->name;
    return true;
}

static bool
read_hover(struct line_reader *r, const json_t *object, struct hover *ret_hover)
{
    const json_t *member = codec_member(object, "hover");
    if (!member || json_is_null(member))
        return true;
    if (!read_text(r, object, "hover", 0, HOVER_BYTES_MAX,
                   "hover must be markdown of at most 65536 bytes", &ret_hover->markdown))
        return false;
    ret_hover->state = ret_hover->markdown.n > 0 ? HOVER_KNOWN : HOVER_EMPTY;
    return true;
}

/* ordinals: how many there were of each kind and name, of a whole file; or NULL. */
static bool
read_ordinal(struct line_reader *r, const json_t *object, struct map *ordinals,
             struct entity *e)
{
    int64_t ordinal = 1;
    int e_get = codec_get_int(object, "ordinal", 1, ORDINAL_MAX, &ordinal);
    if (e_get == -EINVAL)
        return fail(r, "ordinal must be a number from 1 to 1000000");
    if (ordinals) {
        struct str id =
            arena_printf(r->a, "%d:%.*s", (int)e->kind, STR_ARG(e->qualified_name));
        uintptr_t n = (uintptr_t)map_get(ordinals, id) + 1;
        if (e_get == 0 && (uint64_t)ordinal < n)
            return fail(r, "two entities of the file have one key");
        n = e_get == 0 ? (uintptr_t)ordinal : n;
        map_put(ordinals, id, (void *)n);
        ordinal = (int64_t)n;
    }
    e->ordinal = (uint32_t)ordinal;
    return true;
}

static bool
read_entity(struct line_reader *r, const json_t *object, struct map *ordinals,
            struct ingest_entity *to)
{
    struct entity *e = &to->e;
    e->parent = ENTITY_NONE;
    if (!json_is_object(object))
        return fail(r, "an entity must be an object");
    return read_names(r, object, e) &&
           read_text(r, object, "signature", 0, ENTITY_SIGNATURE_BYTES_MAX,
                     "signature must be text of at most 1000 bytes", &e->signature) &&
           read_text(r, object, "doc", 0, ENTITY_DOC_BYTES_MAX,
                     "doc must be text of at most 16384 bytes", &e->doc) &&
           read_text(r, object, "parent", 0, KEY_BYTES_MAX,
                     "parent must be the key of an entity of the same file",
                     &to->parent_key) &&
           read_ordinal(r, object, ordinals, e) && read_places(r, object, e) &&
           read_hash(r, object, e) && read_hover(r, object, &to->hover) &&
           read_edges(r, object, &to->edges, &to->n_edges);
}

/* ---- lines ---- */

static bool
read_put(struct line_reader *r, const json_t *line, struct ingest_item *item)
{
    item->op = INGEST_PUT_ENTITY;
    item->entities = arena_new(r->a, struct ingest_entity);
    item->n_entities = 1;
    return read_path(r, line, &item->path) && read_lang(r, line, &item->lang) &&
           read_entity(r, line, NULL, item->entities);
}

static bool
read_entities(struct line_reader *r, const json_t *list, struct ingest_item *item)
{
    AUTO(map_destroy) struct map *ordinals = map_create();
    VEC(struct ingest_entity) all = {0};
    bool is_good = true;
    if (!json_is_array(list) || json_array_size(list) > ENTITY_PER_FILE_MAX)
        return fail(r, "entities must be a list of at most 50000");
    for (size_t i = 0; i < json_array_size(list) && is_good; i++) {
        struct ingest_entity *e = vec_push(&all);
        *e = (struct ingest_entity){0};
        is_good = read_entity(r, json_array_get(list, i), ordinals, e);
    }
    if (is_good) {
        item->entities = keep_list(r, all.v, all.n, sizeof(*all.v));
        item->n_entities = all.n;
    }
    vec_finish(&all);
    return is_good;
}

static bool
read_file(struct line_reader *r, const json_t *line, struct ingest_item *item)
{
    item->op = INGEST_PUT_FILE;
    return read_path(r, line, &item->path) && read_lang(r, line, &item->lang) &&
           read_entities(r, codec_member(line, "entities"), item) &&
           read_edges(r, line, &item->edges, &item->n_edges);
}

static bool
read_delete(struct line_reader *r, const json_t *line, struct ingest_item *item)
{
    struct entity_key_parts parts;
    if (!codec_member(line, "entity")) {
        item->op = INGEST_DELETE_FILE;
        return read_path(r, line, &item->path);
    }
    item->op = INGEST_DELETE_ENTITY;
    if (!read_text(r, line, "entity", 1, KEY_BYTES_MAX,
                   "entity must be the key of an entity", &item->key))
        return false;
    if (entity_key_parse(item->key, &parts) < 0 || parts.path.n == 0)
        return fail(r, "entity must be the key of an entity");
    item->path = parts.path;
    return true;
}

static bool
read_line(struct line_reader *r, const json_t *line, struct ingest_item *item)
{
    struct str op = STR_NONE;
    if (!json_is_object(line))
        return fail(r, "a line must be one JSON object");
    if (codec_get_str(line, "op", &op) == -EINVAL)
        return fail(r, "op must be \"entity\", \"file\" or \"delete\"");
    if (!read_text(r, line, "key", 0, INGEST_KEY_BYTES_MAX,
                   "key must be text of at most 256 bytes", &item->once))
        return false;
    if (op.n == 0 || str_eq_c(op, "entity"))
        return read_put(r, line, item);
    if (str_eq_c(op, "file"))
        return read_file(r, line, item);
    if (str_eq_c(op, "delete"))
        return read_delete(r, line, item);
    return fail(r, "op must be \"entity\", \"file\" or \"delete\"");
}

const char *
codec_read_ingest(const json_t *line, struct ingest_batch *batch,
                  struct ingest_item *ret_item)
{
    AUTO(json_decref_) json_t *document = codec_older_document(line);
    struct line_reader r = {.a = &batch->arena};
    struct ingest_item item = {.line = ret_item->line};
    if (document)
        line = document;
    if (!read_line(&r, line, &item))
        item = (struct ingest_item){
            .op = INGEST_BAD, .line = ret_item->line, .fault = r.fault};
    *ret_item = item;
    return r.fault;
}
