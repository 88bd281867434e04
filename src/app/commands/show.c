/* gloss show: one entity with all that is known of it. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
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

/* ---- edges ---- */

struct edges {
    struct buf json, text;
    size_t n;
};

static int
on_edge(void *ctx, const struct edge_row *edge)
{
    struct edges *e = ctx;

    if (e->n++ > 0)
        buf_add_char(&e->json, ',');
    codec_add_edge(&e->json, edge);
    buf_printf(&e->text, "  %.*s:%u  %s %.*s\n", STR_ARG(edge->path), edge->line + 1,
               edge_kind_name(edge->kind),
               STR_ARG(edge->from_key.n ? edge->from_key : edge->target));
    return 0;
}

static int
on_callee(void *ctx, const struct edge_row *edge)
{
    struct edge_row named = *edge;
    int r;

    named.from_key = STR_NONE; // it is the entity itself
    r = on_edge(ctx, &named);
    return r;
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
show_json(const struct entity_row *row, const struct edges *callers,
          const struct edges *callees)
{
    AUTO(buf_finish) struct buf json = {0}, isgl1 = {0};

    codec_add_entity(&json, row, CODEC_WITH_HOVER);
    json.p[--json.n] = '\0'; // the closing brace: members are added
    add_isgl1(&isgl1, row);
    buf_add_cstr(&json, ",\"isgl1\":");
    codec_add_string(&json, buf_str(&isgl1));
    buf_printf(&json, ",\"callers\":[%s],\"callees\":[%s]}",
               callers->json.p ? callers->json.p : "",
               callees->json.p ? callees->json.p : "");
    out_line("%s", json.p);
}

static void
show_text(const struct entity_row *row, const struct edges *callers,
          const struct edges *callees)
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
    if (callers->n)
        out_line("\ncallers\n%s", callers->text.p);
    if (callees->n)
        out_line("\ncallees\n%s", callees->text.p);
}

static int
show(const struct command_line *line, struct store_reader *reader, struct str key)
{
    AUTO(arena_finish) struct arena arena = {0};
    struct edges callers = {0}, callees = {0};
    struct entity_row row;
    int r = store_read_entity(reader, key, &arena, &row);

    if (r == -ENOENT)
        return fail("no entity has the key %.*s (`gloss search` prints keys with --json)",
                    STR_ARG(key));
    if (r == 0)
        r = store_each_caller(reader, row.e.name, SHOW_EDGES_MAX, on_edge, &callers);
    if (r == 0)
        r = store_each_callee(reader, row.key, SHOW_EDGES_MAX, on_callee, &callees);
    if (r < 0)
        return fail("cannot read the index: %s", err_text(r));
    if (line->is_json)
        show_json(&row, &callers, &callees);
    else
        show_text(&row, &callers, &callees);
    buf_finish(&callers.json);
    buf_finish(&callers.text);
    buf_finish(&callees.json);
    buf_finish(&callees.text);
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
    .summary = "Print one entity: signature, doc, hover and its state, callers, callees",
    .details = "LINE and COL count from 1, COL in bytes; without COL the innermost "
               "entity of the line is shown.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
