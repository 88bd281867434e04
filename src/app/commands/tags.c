/* The tags file of an index: format 2 of tags(5) in its "u-ctags" mode. A place is a line number,
 * since the index holds no source text. All lines are held until they are sorted: one file has
 * one order, and a reader that searches by halves must be able to trust it. */
#include "app/commands/tags.h"

#include "app/app.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "lang/lang.h"

struct tags {
    struct arena arena;
    VEC(struct str) lines;
    struct buf line;
};

/* Tabs and line ends part fields and lines, and a leading '!' marks the head of the file. */
static void
add_escaped(struct buf *b, struct str s, bool is_name)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\\')
            buf_add_cstr(b, "\\\\");
        else if (c < 0x20 || c == 0x7F || (c == '!' && is_name && i == 0))
            buf_printf(b, "\\x%02x", c);
        else
            buf_add_char(b, s.p[i]);
    }
}

static void
add_field(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, "\t%s:", name);
    add_escaped(b, value, false);
}

static bool
has_parameters(enum entity_kind kind)
{
    return kind == ENTITY_FUNCTION || kind == ENTITY_METHOD ||
           kind == ENTITY_CONSTRUCTOR || kind == ENTITY_MACRO;
}

/* "(int a, char *b)" behind the name, or nothing. A bracket in quotes is none. */
static struct str
parameters(const struct entity *e)
{
    struct str s = e->signature;
    ssize_t at = str_find(s, e->name);
    size_t depth = 0, start;
    char quote = '\0';

    if (!has_parameters(e->kind) || at < 0)
        return STR_NONE;
    for (start = (size_t)at + e->name.n; start < s.n && s.p[start] == ' '; start++)
        ;
    for (size_t i = start; i < s.n && s.p[start] == '('; i++) {
        char c = s.p[i];
        if (quote != '\0') {
            i += c == '\\';
            quote = c == quote ? '\0' : quote;
            continue;
        }
        quote = c == '"' || c == '\'' ? c : '\0';
        depth += c == '(';
        depth -= c == ')';
        if (depth == 0)
            return str_slice(s.p + start, i + 1 - start);
    }
    return STR_NONE;
}

/* The kind and the dotted name of what it lies in: struct:queue, class:App.Window */
static void
add_scope(struct buf *b, const struct entity_row *row)
{
    struct entity_key_parts parts;

    if (row->parent_key.n == 0 || entity_key_parse(row->parent_key, &parts) < 0)
        return;
    add_field(b, entity_kind_name(parts.kind), parts.qualified_name);
}

static int
on_entity(void *ctx, const struct entity_row *row)
{
    struct tags *t = ctx;
    struct buf *b = &t->line;
    const struct lang *lang = lang_by_key_prefix(row->lang);
    struct str arguments = parameters(&row->e);

    buf_reset(b);
    add_escaped(b, row->e.name, true);
    buf_add_char(b, '\t');
    add_escaped(b, row->path, false);
    buf_printf(b, "\t%u;\"", row->e.name_range.start.line + 1);
    buf_printf(b, "\tkind:%s", entity_kind_name(row->e.kind));
    buf_printf(b, "\tline:%u", row->e.name_range.start.line + 1);
    add_field(b, "language", lang ? str_of(lang->name) : row->lang);
    add_scope(b, row);
    if (str_starts_with(row->e.signature, STR("static ")))
        buf_add_cstr(b, "\tfile:");
    if (arguments.n > 0)
        add_field(b, "signature", arguments);
    buf_printf(b, "\tend:%u\n", row->e.range.end.line + 1);
    *vec_push(&t->lines) = arena_str(&t->arena, buf_str(b));
    return 0;
}

static int
by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void
print_head(void)
{
    out_line("!_TAG_FILE_FORMAT\t2\t/extended format/");
    out_line("!_TAG_FILE_SORTED\t1\t/0=unsorted, 1=sorted, 2=foldcase/");
    out_line("!_TAG_FILE_ENCODING\tutf-8\t//");
    out_line("!_TAG_OUTPUT_MODE\tu-ctags\t/u-ctags or e-ctags/");
    out_line("!_TAG_PROGRAM_NAME\tgloss\t//");
    out_line("!_TAG_PROGRAM_VERSION\t" GLOSS_VERSION "\t//");
}

int
tags_print(struct store_reader *reader)
{
    struct tags t = {0};
    AUTO(free) char *why = NULL;
    int r = lang_init(&why);

    if (r == 0)
        r = store_each_entity(reader, STR_NONE, on_entity, &t);
    if (r == 0) {
        if (t.lines.n > 1)
            qsort(t.lines.v, t.lines.n, sizeof(*t.lines.v), by_name);
        print_head();
        for (size_t i = 0; i < t.lines.n; i++)
            out_str(t.lines.v[i]);
    }
    buf_finish(&t.line);
    vec_finish(&t.lines);
    arena_finish(&t.arena);
    lang_finish();
    return err_trace(r);
}
