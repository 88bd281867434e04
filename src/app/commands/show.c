/* gloss show: one entity with all that is known of it. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "query/query.h"
#include "store/store.h"

#define SHOW_EDGES_MAX 50
#define SHOW_NAMED_MAX 50

static const struct command_option options[] = {
    {"dir", OPTION_TEXT, "DIR",
     "the workspace (default: the current folder, or the nearest above FILE that has an "
     "index)"},
    {0},
};

/* ---- FILE:LINE[:COL], one-based ---- */

struct at {
    uint32_t line, col_byte;
    bool has_col, has_zero;
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

/* False when it is no FILE:LINE[:COL]. A zero in it is told apart: nothing is there. */
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
    at->has_zero = numbers[0] == 0 || (n == 2 && numbers[1] == 0);
    at->col_byte = n == 2 ? (uint32_t)MIN(MAX(numbers[0], 1u) - 1, UINT32_MAX) : 0;
    *ret_file = str_dup(s);
    return true;
}

/* ---- NAME or Qualified::NAME ---- */

struct named {
    struct str text;
    bool is_json;
    size_t n;
    struct buf key;   // of the first
    struct buf lines; // one for each, as `gloss search` prints them
};

/* Where the part behind the last :: or . of a qualified name begins. */
static size_t
last_part(struct str name)
{
    for (size_t i = name.n; i > 1; i--)
        if (name.p[i - 1] == '.' || (name.p[i - 1] == ':' && name.p[i - 2] == ':'))
            return i;
    return 0;
}

/* Foo::bar and Foo.bar are the same: which of the two a language writes is its own affair. */
static bool
is_same_name(struct str a, struct str b)
{
    size_t i = 0, j = 0;

    while (i < a.n && j < b.n) {
        bool a_parts = str_starts_with(str_slice(a.p + i, a.n - i), STR("::"));
        bool b_parts = str_starts_with(str_slice(b.p + j, b.n - j), STR("::"));
        if ((a_parts ? '.' : a.p[i]) != (b_parts ? '.' : b.p[j]))
            return false;
        i += a_parts ? 2 : 1;
        j += b_parts ? 2 : 1;
    }
    return i == a.n && j == b.n;
}

static int
on_named(void *ctx, const struct entity_row *row)
{
    struct named *named = ctx;
    AUTO(buf_finish) struct buf path_shown = {0}, key_shown = {0};
    struct str path = out_name(&path_shown, row->path);
    struct str key = out_name(&key_shown, row->key);

    if (!str_eq(row->e.name, named->text) &&
        !is_same_name(row->e.qualified_name, named->text))
        return 0;
    if (named->n++ == 0)
        buf_add_str(&named->key, row->key);
    if (named->is_json)
        codec_add_entity(&named->lines, row, 0);
    else
        buf_printf(&named->lines, "%.*s:%u:%u: %.*s", STR_ARG(path),
                   row->e.name_range.start.line + 1, row->e.name_range.start.col_byte + 1,
                   STR_ARG(key));
    buf_add_char(&named->lines, '\n');
    return named->n >= SHOW_NAMED_MAX;
}

/* The key of the one entity of this name; several are printed. */
static int
find_named(const struct command_line *line, struct store_reader *reader,
           struct buf *ret_key)
{
    AUTO(buf_finish) struct buf lines = {0};
    struct named named = {.text = str_of(line->arguments[0]), .is_json = line->is_json};
    size_t last = last_part(named.text);
    int r = store_each_named(reader, named.text, on_named, &named);

    if (r >= 0 && named.n == 0 && last > 0 && last < named.text.n)
        r = store_each_named(reader, str_slice(named.text.p + last, named.text.n - last),
                             on_named, &named);
    lines = named.lines;
    *ret_key = named.key;
    if (r < 0)
        return fail("cannot read the index: %s", err_text(r));
    if (named.n == 0)
        return fail("nothing has the key, place or name \"%s\" (`gloss search` finds "
                    "similar names)",
                    named.text.p);
    if (named.n == 1)
        return EXIT_OK;
    out_line("%.*s", (int)lines.n - 1, lines.p);
    return fail("%zu%s entities are called \"%s\": give the key or place of one", named.n,
                named.n == SHOW_NAMED_MAX ? " or more" : "", named.text.p);
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
    AUTO(buf_finish) struct buf name = {0};

    if (n > 0)
        out_line("\n%s (%zu)", title, n);
    for (size_t i = 0; i < MIN(n, (size_t)SHOW_EDGES_MAX); i++) {
        const struct edge_row *e = &edges[i];
        struct str path = out_name(&name, e->path);
        struct str who =
            e->from_key.n ? name_of_key(e->from_key) : STR("(the file itself)");

        out_line("  %.*s:%u:%u  %.*s%s%s%s", STR_ARG(path), e->line + 1,
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
    AUTO(buf_finish) struct buf name = {0};

    if (n > 0)
        out_line("\n%s (%zu)", title, n);
    for (size_t i = 0; i < MIN(n, (size_t)SHOW_EDGES_MAX); i++) {
        const struct edge_row *e = &edges[i];
        struct str key = out_name(&name, e->to_key);

        out_line("  %u:%u  %.*s%s%s%s%.*s", e->line + 1, e->at.col_byte + 1,
                 STR_ARG(e->target), e->kind == EDGE_CALLS ? "" : "  ",
                 e->kind == EDGE_CALLS ? "" : edge_kind_name(e->kind),
                 key.n ? "  = " : "", STR_ARG(key));
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
    AUTO(buf_finish) struct buf path_shown = {0}, key_shown = {0};
    struct str path = out_name(&path_shown, row->path);
    struct str key = out_name(&key_shown, row->key);

    out_line("%s %.*s", entity_kind_name(row->e.kind), STR_ARG(row->e.qualified_name));
    out_line("%.*s:%u:%u", STR_ARG(path), row->e.name_range.start.line + 1,
             row->e.name_range.start.col_byte + 1);
    out_line("key    %.*s", STR_ARG(key));
    if (row->e.signature.n)
        out_line("\n%.*s", STR_ARG(row->e.signature));
    if (row->e.doc.n)
        out_line("\n%.*s", STR_ARG(row->e.doc));
    out_line("\nhover  %s%s%s%s%.*s%s", hover_state_name(h->state),
             h->reason != HOVER_REASON_NONE ? ": " : "", hover_reason_name(h->reason),
             h->server.n ? " by " : "", STR_ARG(h->server),
             h->stale ? " (of an earlier text, or an earlier version of the server)"
                      : "");
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
run_place(const struct command_line *line, const char *file, struct at *at)
{
    AUTO(free) char *root = NULL, *relative = NULL;
    struct store_reader *reader;
    int r = line_file(line, file, line_text(line, "dir"), &root, &relative);

    if (r != EXIT_OK || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    r = store_each_entity(reader, str_of(relative), on_entity_at, at);
    if (r < 0)
        r = fail("cannot read the index: %s", err_text(r));
    else if (!at->is_found)
        r = fail("nothing is defined at %s", line->arguments[0]);
    else
        r = show(line, reader, at->key);
    store_reader_close(reader);
    return r;
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = NULL, *file = NULL;
    AUTO(buf_finish) struct buf found = {0};
    AUTO(arena_finish) struct arena arena = {0};
    struct at at = {.arena = &arena};
    struct entity_key_parts parts;
    struct store_reader *reader;
    struct str text = str_of(line->arguments[0]);
    bool is_key = entity_key_parse(text, &parts) == 0;
    int r = EXIT_OK;

    if (text.n == 0)
        return fail("the name is empty") + EXIT_USAGE - EXIT_FAILED;
    if (!is_key && split_place(text.p, &file, &at)) {
        if (!at.has_zero)
            return run_place(line, file, &at);
        fail("%s: lines and columns count from 1", text.p);
        return EXIT_USAGE;
    }
    root = line_root_of(line, line_text(line, "dir"));
    if (!root || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    if (!is_key)
        r = find_named(line, reader, &found);
    if (r == EXIT_OK)
        r = show(line, reader, is_key ? text : buf_str(&found));
    store_reader_close(reader);
    return r;
}

const struct command command_show = {
    .name = "show",
    .arguments = "KEY|FILE:LINE[:COL]|NAME",
    .summary =
        "Print one entity: signature, doc, hover, bases, members, callers, callees",
    .details =
        "LINE and COL count from 1, COL in bytes; without COL the innermost "
        "entity of the line is shown.\nA NAME may be qualified (Type::member, "
        "module.name); when several entities have it, they are listed.\n"
        "Callers and callees are found by name: a caller with a ? may mean another "
        "of the same name; a\ncallee is followed by the key of what it can only "
        "mean.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
