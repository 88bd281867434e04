/* Every registered language, by the way of a file without the file (outline, tree, entities), with texts
 * that nobody writes: no end of the process, no time beyond the deadline, ranges inside the text.
 * hostile GOLDEN_DIR. Time is the thread's own, so a busy machine changes nothing. */
#include <dirent.h>

#include "base/deadline.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/utf.h"
#include "bodies/bodies.h"
#include "extract/extract.h"
#include "fuzz.h"
#include "parse/parse.h"

#define GOLDEN_BYTES_MAX (1024 * 1024)
#define BIG_BYTES (1024 * 1024)
#define DEEP 100000
#define REPEATED_BYTES (256 * 1024) // most grammars read so much within the deadline
#define BRIEF_MS 20                 // for what hardly any grammar reads to its end
#define SHORT_MS 50                 // for what may well be given up
#define MEDIUM_MS 500
#define LONG_MS 20000   // for what must not be
#define OVER_MS_MAX 250 // of the deadline, at most; sanitizers and valgrind aside
#define ODD_PER_FILE 40 // names replaced

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define IS_SLOW true
#else
#    define IS_SLOW false
#endif

enum outcome { DONE, GIVEN_UP, TOO_MANY };

struct tools {
    struct parser *parser;
    struct extractor *extractor;
    struct bodies *bodies;
    const char *golden;
    const struct lang *lang; // of this point
    const char *what;
    size_t n_problems, n_golden;
    bool has_error; // the grammar could not read all of the last text
};

static void
fail(struct tools *t, const char *why, int64_t n)
{
    fprintf(stdout, "# %s, %s: %s (%lld)\n", t->lang->name, t->what, why, (long long)n);
    t->n_problems++;
}

static void
check_batch(struct tools *t, const struct batch *b, struct str text)
{
    for (size_t i = 0; i < b->n_entities; i++) {
        const struct entity *e = &b->entities[i];
        bool is_good = (e->parent == ENTITY_NONE || e->parent < i) && e->name.n > 0 &&
                       e->range.start_byte < e->range.end_byte &&
                       e->range.end_byte <= text.n &&
                       e->name_range.start_byte >= e->range.start_byte &&
                       e->name_range.end_byte <= e->range.end_byte &&
                       e->name_range.start.col_byte <= text.n && utf8_is_valid(e->name) &&
                       utf8_is_valid(e->signature) && utf8_is_valid(e->doc);
        if (!is_good) {
            fail(t, "an entity is not within the text", (int64_t)i);
            return;
        }
    }
    for (size_t i = 0; i < b->n_edges; i++)
        if (b->edges[i].from != ENTITY_NONE && b->edges[i].from >= b->n_entities)
            fail(t, "an edge of no entity", (int64_t)i);
}

/* The batch is the caller's. */
static enum outcome
read_text(struct tools *t, struct str text, uint64_t deadline_ms,
          struct batch **ret_batch)
{
    const struct lang *l = t->lang;
    struct batch *b = *ret_batch = batch_create(STR("hostile"));
    const struct bodies_syntax *syntax =
        l->outline ? bodies_syntax_named(str_of(l->outline)) : NULL;
    struct outline outline;
    const TSTree *tree = NULL;
    int64_t from_ms = clock_thread_ms();
    struct deadline deadline = deadline_after(deadline_ms);
    bool is_short = syntax && bodies_scan(t->bodies, syntax, text, true, &outline) == 0;
    int r =
        parse_text_once(t->parser, l, is_short ? outline.text : text, deadline_ms, &tree);
    enum outcome outcome = GIVEN_UP;
    t->has_error = r != 0 || ts_node_has_error(ts_tree_root_node(tree));
    if (r == 0) {
        r = extract_batch(t->extractor, l, text, is_short ? &outline : NULL, tree,
                          deadline_left_ms(&deadline), b);
        outcome = r == 0 ? DONE : r == EXTRACT_E_TOO_MANY ? TOO_MANY : GIVEN_UP;
    }
    if (r < 0)
        fail(t, "an error", r);
    int64_t took_ms = clock_thread_ms() - from_ms;
    if (!IS_SLOW && took_ms > (int64_t)deadline_ms + OVER_MS_MAX)
        fail(t, "milliseconds", took_ms);
    check_batch(t, b, text);
    return outcome;
}

static void
try_for(struct tools *t, const char *what, struct str text, uint64_t deadline_ms)
{
    struct batch *b;
    t->what = what;
    read_text(t, text, deadline_ms, &b);
    batch_destroy(b);
}

static void
try(struct tools *t, const char *what, struct str text)
{
    try_for(t, what, text, SHORT_MS);
}

/* ---- made up ---- */

static void
nest_deeply(struct tools *t)
{
    static const char *const opens[] = {
        "(", "{", "[", "a(", "<a>", "- ", "function f() {", "class A {\n"};
    for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
        AUTO(buf_finish) struct buf text = {0};
        while (text.n < DEEP * strlen(opens[i]) && text.n < BIG_BYTES)
            buf_add_cstr(&text, opens[i]);
        try_for(t, opens[i], buf_str(&text), BRIEF_MS);
    }
}

static void
make_noise(struct tools *t)
{
    AUTO(buf_finish) struct buf text = {0};
    uint32_t state = (uint32_t)t->lang->index + 1;
    for (size_t i = 0; i < BIG_BYTES / 4; i++) {
        state = state * 1664525u + 1013904223u;
        buf_add_char(&text, (char)(state >> 24));
    }
    try(t, "random bytes", buf_str(&text));
    for (size_t i = 0; i < text.n; i++)
        text.p[i] = (char)(' ' + (unsigned char)text.p[i] % 95);
    try(t, "random letters", buf_str(&text));
    memset(text.p, '\0', text.n);
    try(t, "NULs", buf_str(&text));
    memset(text.p, 'a', text.n);
    try(t, "one word", buf_str(&text));
}

/* ---- made of golden files ---- */

static void
repeat(struct tools *t, struct str text)
{
    AUTO(buf_finish) struct buf big = {0};
    while (big.n < REPEATED_BYTES)
        buf_add_str(&big, text);
    try_for(t, "much of it", buf_str(&big), MEDIUM_MS);
    for (size_t i = 0; i < big.n; i++)
        if (big.p[i] == '\n' || big.p[i] == '\r')
            big.p[i] = ' ';
    try(t, "much of it in one line", buf_str(&big));
}

static void
recode(struct tools *t, struct str text)
{
    AUTO(buf_finish) struct buf wide = {0}, latin = {0};
    buf_add(&wide, "\xff\xfe", 2);
    for (size_t i = 0; i < text.n; i++) {
        buf_add_char(&wide, text.p[i]);
        buf_add_char(&wide, '\0');
        buf_add_char(&latin, text.p[i] == 'e' ? '\xe9' : text.p[i]);
    }
    try(t, "UTF-16", buf_str(&wide));
    try(t, "Latin-1", buf_str(&latin));
    for (size_t i = 1; i < 8; i++)
        try(t, "cut short", str_slice(text.p, text.n * i / 8));
}

/* The same entities, whatever ends the lines, where the grammar reads both: Haskell's knows no string that
 * goes on behind a carriage return. */
static void
end_lines_otherwise(struct tools *t, struct str text)
{
    AUTO(buf_finish) struct buf other = {0};
    struct batch *a, *b;
    if (str_find_char(text, '\r') >= 0)
        return;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            buf_add_char(&other, '\r');
        buf_add_char(&other, text.p[i]);
    }
    t->what = "CRLF";
    read_text(t, text, LONG_MS, &a);
    read_text(t, buf_str(&other), LONG_MS, &b);
    if (!t->has_error && a->n_entities != b->n_entities)
        fail(t, "not as many entities", (int64_t)b->n_entities - (int64_t)a->n_entities);
    for (size_t i = 0; !t->has_error && i < MIN(a->n_entities, b->n_entities); i++) {
        if (str_eq(a->entities[i].name, b->entities[i].name) &&
            a->entities[i].range.start.line == b->entities[i].range.start.line)
            continue;
        fail(t, "another entity", (int64_t)i);
        break;
    }
    batch_destroy(a);
    batch_destroy(b);
}

static void
name_oddly(struct tools *t, struct str text)
{
    static const struct str odd[] = {
        {"\"", 1},
        {"'", 1},
        {"a\nb", 3},
        {"a\0b", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xe2\x80\xae"
         "a",
         4},
        {"\xff", 1},
        {"", 0},
    };
    struct batch *names, *b;
    t->what = "odd names";
    read_text(t, text, LONG_MS, &names);
    for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
        AUTO(buf_finish) struct buf other = {0};
        size_t at = 0;
        for (size_t i = 0; i < MIN(names->n_entities, (size_t)ODD_PER_FILE); i++) {
            const struct span *name = &names->entities[i].name_range;
            if (name->start_byte < at)
                continue;
            buf_add_str(&other, str_slice(text.p + at, name->start_byte - at));
            buf_add_str(&other, odd[k]);
            at = name->end_byte;
        }
        buf_add_str(&other, str_slice(text.p + at, text.n - at));
        read_text(t, buf_str(&other), SHORT_MS, &b);
        batch_destroy(b);
    }
    batch_destroy(names);
}

static void
each_golden(struct tools *t)
{
    AUTO(free) char *folder = path_join(t->golden, t->lang->name);
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        AUTO(free) char *path = path_join(folder, entries[i]->d_name);
        AUTO(buf_finish) struct buf text = {0};
        if (fs_read_file(path, GOLDEN_BYTES_MAX, &text, NULL) == 0 && text.n > 0 &&
            lang_of_file(str_of(entries[i]->d_name), buf_str(&text)) == t->lang) {
            if (t->n_golden++ == 0)
                repeat(t, buf_str(&text));
            recode(t, buf_str(&text));
            if (!str_starts_with(str_of(entries[i]->d_name), STR("broken")))
                end_lines_otherwise(t, buf_str(&text)); // what errors hide may differ
            name_oddly(t, buf_str(&text));
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

int
main(int argc, char **argv)
{
    struct tools t = {.golden = argc > 1 ? argv[1] : "."};
    char *why = NULL;
    t.parser = parser_create();
    t.extractor = extractor_create();
    t.bodies = bodies_create();
    fuzz_check(lang_init(&why) == 0);
    fprintf(stdout, "1..%zu\n", lang_count());
    for (size_t i = 0; i < lang_count(); i++) {
        t.lang = lang_at(i);
        if (argc > 2 && strcmp(argv[2], t.lang->name) != 0)
            continue;
        t.n_problems = t.n_golden = 0;
        t.what = "ready";
        struct batch *b;
        read_text(&t, STR("a"), LONG_MS, &b); // compiles its queries
        batch_destroy(b);
        nest_deeply(&t);
        make_noise(&t);
        each_golden(&t);
        if (t.n_golden == 0)
            fail(&t, "golden files", 0);
        fprintf(stdout, "%sok %zu - %s, %zu golden files\n", t.n_problems ? "not " : "",
                i + 1, t.lang->name, t.n_golden);
        fflush(stdout);
    }
    parser_destroy(t.parser);
    extractor_destroy(t.extractor);
    bodies_destroy(t.bodies);
    lang_finish();
    return 0;
}
