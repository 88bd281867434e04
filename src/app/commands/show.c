/* gloss show: one entity with all that is known of it. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "query/query.h"
#include "store/store.h"

#define SHOW_EDGES_MAX 50

static const struct command_option options[] = {
    {"dir", OPTION_TEXT, "DIR",
     "the workspace (default: the current folder, or the nearest above FILE that has an "
     "index)"},
    {0},
};

/* ---- FILE:LINE[:COL], one-based ---- */

struct at {
    uint32_t line, col_byte;
    bool has_col;
    struct arena *arena;
    struct str key;
    bool is_found;
};

static bool
holds(const struct span *s, const struct at *at)
{
    if (at->line < s->start.line || at->line > s->end.line)
        return false;
    if (!at->has_col)
        return true;
    return !(at->line == s->start.line && at->col_byte < s->start.col_byte) &&
           !(at->line == s->end.line && at->col_byte > s->end.col_byte);
}

/* Rows come outer first: the last that fits is the innermost. */
static int
on_entity_at(void *ctx, const struct entity_row *row)
{
    struct at *at = ctx;

    if (holds(&row->e.range, at)) {
        at->key = arena_str(at->arena, row->key);
        at->is_found = true;
    }
    return 0;
}

/* False when it is no FILE:LINE[:COL]. */
static bool
split_place(const char *text, char **ret_file, struct at *at)
{
    struct str s = str_of(text);
    uint64_t numbers[2];
    size_t n = 0;

    while (n < 2) {
        size_t i = s.n;
        while (i > 0 && s.p[i - 1] >= '0' && s.p[i - 1] <= '9')
            i--;
        if (i == s.n || i < 2 || s.p[i - 1] != ':' ||
            str_to_u64(str_slice(s.p + i, s.n - i), &numbers[n]) < 0)
            break;
        n++;
        s.n = i - 1;
    }
    if (n == 0)
        return false;
    at->line = (uint32_t)MIN(MAX(numbers[n - 1], 1u) - 1, UINT32_MAX);
    at->has_col = n == 2;
    at->col_byte = n == 2 ? (uint32_t)MIN(MAX(numbers[0], 1u) - 1, UINT32_MAX) : 0;
    *ret_file = str_dup(s);
    return true;
}

/* ---- what it has to do with others ---- */

/* The entity a key names, without its language and file: those stand beside it. */
static struct str
name_of_key(struct str key)
{
    struct entity_key_parts parts;

    return entity_key_parse(key, &parts) == 0 ? parts.qualified_name : key;
}

static void
show_rest(size_t n)
{
    if (n > SHOW_EDGES_MAX)
        out_line("  and %zu more", n - SHOW_EDGES_MAX);
}

/* Who, and where: a question mark when it may mean another of the same name. */
static void
show_into(const char *title, const struct edge_row *edges, size_t n)
{
    if (n > 0)
        out_line("\n%s (%zu)", title, n);
    for (size_t i = 0; i < MIN(n, (size_t)SHOW_EDGES_MAX); i++) {
        const struct edge_row *e = &edges[i];
        struct str who =
            e->from_key.n ? name_of_key(e->from_key) : STR("(the file itself)");

        out_line("  %.*s:%u:%u  %.*s%s%s%s", STR_ARG(e->path), e->line + 1,
                 e->at.col_byte + 1, STR_ARG(who), e->kind == EDGE_CALLS ? "" : "  ",
                 e->kind == EDGE_CALLS ? "" : edge_kind_name(e->kind),
                 e->confidence == EDGE_CONFIDENCE_LEXICAL ? "" : "  ?");
    }
    show_rest(n);
}

/* What, from which line on, and what it is when that is known. */
static void
show_out(const char *title, const struct edge_row *edges, size_t n)
{
    if (n > 0)
        out_line("\n%s (%zu)", title, n);
    for (size_t i = 0; i < MIN(n, (size_t)SHOW_EDGES_MAX); i++) {
        const struct edge_row *e = &edges[i];

        out_line("  %u:%u  %.*s%s%s%s%.*s", e->line + 1, e->at.col_byte + 1,
                 STR_ARG(e->target), e->kind == EDGE_CALLS ? "" : "  ",
                 e->kind == EDGE_CALLS ? "" : edge_kind_name(e->kind),
                 e->to_key.n ? "  = " : "", STR_ARG(e->to_key));
    }
    show_rest(n);
}

static void
show_members(const struct query_links *links)
{
    if (links->n_members > 0)
        out_line("\nmembers (%zu)", links->n_members);
    for (size_t i = 0; i < MIN(links->n_members, (size_t)SHOW_EDGES_MAX); i++) {
        const struct entity_row *m = &links->members[i];

        out_line("  %u:%u  %s %.*s", m->e.name_range.start.line + 1,
                 m->e.name_range.start.col_byte + 1, entity_kind_name(m->e.kind),
                 STR_ARG(m->e.signature.n ? m->e.signature : m->e.name));
    }
    show_rest(links->n_members);
}

static void
add_edges(struct buf *json, const char *name, const struct edge_row *edges, size_t n)
{
    buf_printf(json, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(json, ',');
        codec_add_edge(json, &edges[i]);
    }
    buf_add_char(json, ']');
}

static void
add_links(struct buf *json, const struct query_links *links)
{
    add_edges(json, "callers", links->callers, links->n_callers);
    add_edges(json, "callees", links->callees, links->n_callees);
    add_edges(json, "bases", links->bases, links->n_bases);
    add_edges(json, "derived", links->derived, links->n_derived);
    buf_add_cstr(json, ",\"members\":[");
    for (size_t i = 0; i < links->n_members; i++) {
        if (i > 0)
            buf_add_char(json, ',');
        codec_add_string(json, links->members[i].key);
    }
    buf_add_char(json, ']');
}

/* ---- output ---- */

/* The key of an older design, lang:kind:name:path_with_underscores:from-to. */
static void
add_isgl1(struct buf *b, const struct entity_row *row)
{
    AUTO(buf_finish) struct buf path = {0};

    buf_add_str(&path, row->path);
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' || path.p[i] == '.')
            path.p[i] = '_';
    buf_printf(b, "%.*s:%s:%.*s:%.*s:%u-%u", STR_ARG(row->lang),
               entity_kind_short(row->e.kind), STR_ARG(row->e.name),
               STR_ARG(buf_str(&path)), row->e.range.start.line + 1,
               row->e.range.end.line + 1);
}

static void
show_json(const struct entity_row *row, const struct query_links *links)
{
    AUTO(buf_finish) struct buf json = {0}, isgl1 = {0};

    codec_add_entity(&json, row, CODEC_WITH_HOVER);
    json.p[--json.n] = '\0'; // the closing brace: members are added
    add_isgl1(&isgl1, row);
    buf_add_cstr(&json, ",\"isgl1\":");
    codec_add_string(&json, buf_str(&isgl1));
    add_links(&json, links);
    buf_add_char(&json, '}');
    out_line("%s", json.p);
}

static void
show_text(const struct entity_row *row, const struct query_links *links)
{
    const struct hover *h = &row->hover;

    out_line("%s %.*s", entity_kind_name(row->e.kind), STR_ARG(row->e.qualified_name));
    out_line("%.*s:%u:%u", STR_ARG(row->path), row->e.name_range.start.line + 1,
             row->e.name_range.start.col_byte + 1);
    out_line("key    %.*s", STR_ARG(row->key));
    if (row->e.signature.n)
        out_line("\n%.*s", STR_ARG(row->e.signature));
    if (row->e.doc.n)
        out_line("\n%.*s", STR_ARG(row->e.doc));
    out_line("\nhover  %s%s%s%s", hover_state_name(h->state),
             h->reason != HOVER_REASON_NONE ? ": " : "", hover_reason_name(h->reason),
             h->stale ? " (of an earlier text)" : "");
    if (h->state == HOVER_KNOWN)
        out_line("%.*s", STR_ARG(h->markdown));
    show_out("bases", links->bases, links->n_bases);
    show_into("derived", links->derived, links->n_derived);
    show_members(links);
    show_into("callers", links->callers, links->n_callers);
    show_out("callees", links->callees, links->n_callees);
}

static int
show(const struct command_line *line, struct store_reader *reader, struct str key)
{
    AUTO(arena_finish) struct arena arena = {0};
    struct query_links links;
    struct entity_row row;
    int r = store_reader_begin(reader);

    if (r == 0) {
        r = store_read_entity(reader, key, &arena, &row);
        if (r == 0)
            r = query_links_now(reader, &row, &arena, &links);
        store_reader_end(reader);
    }
    if (r == -ENOENT)
        return fail("no entity has the key %.*s (`gloss search` prints keys with --json)",
                    STR_ARG(key));
    if (r < 0)
        return fail("cannot read the index: %s", err_text(r));
    if (line->is_json)
        show_json(&row, &links);
    else
        show_text(&row, &links);
    return EXIT_OK;
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = NULL, *relative = NULL, *file = NULL;
    AUTO(arena_finish) struct arena arena = {0};
    struct at at = {.arena = &arena};
    struct entity_key_parts parts;
    struct store_reader *reader;
    int r;

    if (entity_key_parse(str_of(line->arguments[0]), &parts) == 0) {
        root = line_root_of(line, line_text(line, "dir"));
        if (!root || !(reader = line_open_index(line, root)))
            return EXIT_FAILED;
        r = show(line, reader, str_of(line->arguments[0]));
        store_reader_close(reader);
        return r;
    }
    if (!split_place(line->arguments[0], &file, &at))
        return fail("\"%s\" is neither a key nor FILE:LINE[:COL]", line->arguments[0]) +
               EXIT_USAGE - EXIT_FAILED;
    r = line_file(line, file, line_text(line, "dir"), &root, &relative);
    if (r != EXIT_OK || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    r = store_each_entity(reader, str_of(relative), on_entity_at, &at);
    if (r < 0)
        r = fail("cannot read the index: %s", err_text(r));
    else if (!at.is_found)
        r = fail("nothing is defined at %s", line->arguments[0]);
    else
        r = show(line, reader, at.key);
    store_reader_close(reader);
    return r;
}

const struct command command_show = {
    .name = "show",
    .arguments = "KEY|FILE:LINE[:COL]",
    .summary =
        "Print one entity: signature, doc, hover, bases, members, callers, callees",
    .details =
        "LINE and COL count from 1, COL in bytes; without COL the innermost "
        "entity of the line is shown.\n"
        "Callers and callees are found by name: a caller with a ? may mean another "
        "of the same name; a\ncallee is followed by the key of what it can only "
        "mean.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
