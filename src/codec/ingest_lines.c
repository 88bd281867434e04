/* A file's entities as lines that codec_read_ingest() takes. Invariant: together the lines say all that the batch has, but
 * edges beyond what a line may hold; no line is longer than asked for, as long as one entity is not. */
#include "base/mem.h"
#include "codec/codec.h"
#include "codec/put.h"

#define EDGES_BYTES_MAX(line_bytes) ((line_bytes) / 2) // of one scope

/* Edges by where they come from; the scope of the file is the last one. */
struct edge_lists {
    uint32_t *first, *next; // index + 1; 0: none
};

static void
lists_init(struct edge_lists *lists, const struct batch *b)
{
    lists->first = xcalloc(b->n_entities + 1, sizeof(*lists->first));
    lists->next = xcalloc(b->n_edges + 1, sizeof(*lists->next));
    for (size_t i = b->n_edges; i-- > 0;) {
        uint32_t from = b->edges[i].from;
        size_t at = from == ENTITY_NONE ? b->n_entities : from;
        lists->next[i] = lists->first[at];
        lists->first[at] = (uint32_t)i + 1;
    }
}

static void
lists_finish(struct edge_lists *lists)
{
    free(lists->first);
    free(lists->next);
}

static void
add_edges(struct buf *out, const struct batch *b, const struct edge_lists *lists,
          size_t scope, size_t bytes_max)
{
    size_t began = out->n;
    put_lit(out, ",\"edges\":[");
    for (uint32_t i = lists->first[scope]; i != 0; i = lists->next[i - 1]) {
        const struct edge *e = &b->edges[i - 1];
        if (out->n - began + e->target.n * 6 > bytes_max)
            break;
        if (i != lists->first[scope])
            put_lit(out, ",");
        put_lit(out, "{\"kind\":\"");
        buf_add_cstr(out, edge_kind_name(e->kind));
        put_lit(out, "\",\"target\":");
        codec_add_string(out, e->target);
        put_lit(out, ",\"line\":");
        put_u64(out, e->at.line);
        put_lit(out, ",\"character\":");
        put_u64(out, e->at.col_utf16);
        put_lit(out, "}");
    }
    put_lit(out, "]");
}

static void
add_text(struct buf *out, const char *key, struct str text)
{
    buf_printf(out, ",\"%s\":", key);
    codec_add_string(out, text);
}

/* Without the braces. */
static void
add_members(struct buf *out, const struct batch *b, size_t i,
            const struct edge_lists *lists, size_t bytes_max)
{
    const struct entity *e = &b->entities[i];
    AUTO(arena_finish) struct arena a = {0};
    put_lit(out, "\"kind\":\"");
    buf_add_cstr(out, entity_kind_name(e->kind));
    put_lit(out, "\"");
    add_text(out, "name", e->name);
    add_text(out, "qualified_name", e->qualified_name);
    put_lit(out, ",\"range\":");
    codec_add_range(out, &e->range);
    put_lit(out, ",\"name_range\":");
    codec_add_range(out, &e->name_range);
    add_text(out, "signature", e->signature);
    add_text(out, "doc", e->doc);
    if (e->parent != ENTITY_NONE) {
        const struct entity *p = &b->entities[e->parent];
        add_text(out, "parent",
                 entity_key(&a, b->file.lang, p->kind, b->file.path, p->qualified_name,
                            p->ordinal));
    }
    buf_printf(out, ",\"ordinal\":%u,\"hash\":\"%016" PRIx64 "\"", MAX(e->ordinal, 1u),
               e->hash);
    if (lists->first[i] != 0)
        add_edges(out, b, lists, i, EDGES_BYTES_MAX(bytes_max));
}

static void
add_place(struct buf *out, const struct batch *b)
{
    put_lit(out, "\"path\":");
    codec_add_string(out, b->file.path);
    add_text(out, "lang", b->file.lang);
}

void
codec_each_ingest_line(const struct batch *b, size_t bytes_max,
                       void (*fn)(void *ctx, struct str line), void *ctx)
{
    AUTO(buf_finish) struct buf line = {0};
    AUTO(buf_finish) struct buf item = {0};
    struct edge_lists lists;
    size_t i;
    lists_init(&lists, b);
    put_lit(&line, "{\"op\":\"file\",");
    add_place(&line, b);
    add_edges(&line, b, &lists, b->n_entities, EDGES_BYTES_MAX(bytes_max));
    put_lit(&line, ",\"entities\":[");
    for (i = 0; i < b->n_entities; i++) {
        buf_reset(&item);
        add_members(&item, b, i, &lists, bytes_max);
        if (line.n + item.n + 8 > bytes_max)
            break;
        buf_add_cstr(&line, i > 0 ? ",{" : "{");
        buf_add_str(&line, buf_str(&item));
        put_lit(&line, "}");
    }
    put_lit(&line, "]}");
    fn(ctx, buf_str(&line));
    for (; i < b->n_entities; i++) {
        buf_reset(&line);
        put_lit(&line, "{");
        add_place(&line, b);
        put_lit(&line, ",");
        add_members(&line, b, i, &lists, bytes_max);
        put_lit(&line, "}");
        fn(ctx, buf_str(&line));
    }
    lists_finish(&lists);
}
