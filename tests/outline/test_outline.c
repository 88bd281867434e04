/* Parses every file below the paths given in both ways, by outline and in full (in both without macros
 * in heads, see src/bodies/macros.c), and compares what is
 * found: entities in all they have, calls as sets. With --time it says how fast each way is instead,
 * with --show it also lists what differs, with --text it prints the outlines. Beside a file may lie what
 * both ways must find in it (FILE.told; made anew with GOLDEN_UPDATE=1). Ends badly if it is something else,
 * or if fewer than 999 of 1000 entities agree in files that a parser reads without an error: of the others
 * it guesses, and an outline leaves it less to guess. */
#include <dirent.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "bodies/bodies.h"
#include "extract/extract.h"
#include "parse/parse.h"

#define FILE_BYTES_MAX (4 * 1024 * 1024)
#define DEPTH_MAX 64

struct totals {
    uint64_t bytes, outline_bytes, entities, differ, calls, more_calls, fewer_calls;
    uint64_t files, unbalanced, differing_files, told_files, wrong_files;
    uint64_t clean_files, clean_entities,
        clean_differ; // the whole file parsed without errors
    int64_t scan_ns, parse_ns[2], extract_ns[2];
};

static struct parser *parser;
static struct extractor *extractor;
static struct bodies *bodies;
static struct totals totals;
static bool is_shown, is_timed, is_printed;

static struct batch *
parse(const char *path, const struct lang *l, struct str text, const struct outline *o,
      bool is_full, bool *ret_is_clean)
{
    struct batch *b = batch_create(str_of(path));
    const TSTree *tree = NULL;
    int64_t at[3];
    at[0] = clock_mono_ns();
    if (parse_text_once(parser, l, o ? o->text : text, 0, &tree) != 0)
        abort();
    at[1] = clock_mono_ns();
    if (extract_batch(extractor, l, text, o, tree, 0, b) < 0)
        abort();
    at[2] = clock_mono_ns();
    totals.parse_ns[is_full] += at[1] - at[0];
    totals.extract_ns[is_full] += at[2] - at[1];
    *ret_is_clean = !ts_node_has_error(ts_tree_root_node(tree));
    return b;
}

static int
compare_entities(const struct entity *a, const struct entity *b)
{
    if (a->range.start_byte != b->range.start_byte)
        return a->range.start_byte < b->range.start_byte ? -1 : 1;
    if (a->name_range.start_byte != b->name_range.start_byte)
        return a->name_range.start_byte < b->name_range.start_byte ? -1 : 1;
    return 0;
}

static const char *
difference(const struct batch *x, const struct entity *a, const struct batch *y,
           const struct entity *b)
{
    struct str none = STR_NONE;
    struct str pa =
        a->parent == ENTITY_NONE ? none : x->entities[a->parent].qualified_name;
    struct str pb =
        b->parent == ENTITY_NONE ? none : y->entities[b->parent].qualified_name;
    return a->kind != b->kind                                         ? "kind"
           : !str_eq(a->qualified_name, b->qualified_name)            ? "name"
           : a->ordinal != b->ordinal                                 ? "ordinal"
           : !str_eq(pa, pb)                                          ? "parent"
           : memcmp(&a->range, &b->range, sizeof(a->range))           ? "range"
           : memcmp(&a->name_range, &b->name_range, sizeof(a->range)) ? "name range"
           : !str_eq(a->signature, b->signature)                      ? "signature"
           : !str_eq(a->doc, b->doc)                                  ? "doc"
           : a->hash != b->hash                                       ? "hash"
                                                                      : NULL;
}

static void
show(const struct batch *b, const struct entity *e, const char *what, bool is_clean)
{
    totals.differ++;
    totals.clean_differ += is_clean;
    if (is_shown)
        fprintf(stderr, "%s%.*s:%u: %s %.*s: %s\n", is_clean ? "" : "(errors) ",
                STR_ARG(b->file.path), e->range.start.line + 1, entity_kind_name(e->kind),
                STR_ARG(e->qualified_name), what);
}

static void
compare_batches(const struct batch *outline, const struct batch *full, bool is_clean)
{
    size_t i = 0, j = 0;
    uint64_t before = totals.differ;
    while (i < outline->n_entities || j < full->n_entities) {
        const struct entity *a = &outline->entities[i], *b = &full->entities[j];
        int c = i == outline->n_entities ? 1
                : j == full->n_entities  ? -1
                                         : compare_entities(a, b);
        const char *what;
        if (c < 0)
            show(outline, a, "only in the outline", is_clean);
        else if (c > 0)
            show(full, b, "only in full", is_clean);
        else if ((what = difference(outline, a, full, b)))
            show(full, b, what, is_clean);
        i += c <= 0;
        j += c >= 0;
    }
    totals.entities += full->n_entities;
    totals.differing_files += totals.differ != before;
    totals.clean_files += is_clean;
    totals.clean_entities += is_clean ? full->n_entities : 0;
}

static void
show_edge(const struct batch *b, const struct edge *e, const char *what)
{
    if (is_shown)
        fprintf(stderr, "%.*s:%u:%u: edge %.*s: %s\n", STR_ARG(b->file.path),
                e->at.line + 1, e->at.col_byte + 1, STR_ARG(e->target), what);
}

static void
compare_edges(const struct batch *outline, const struct batch *full)
{
    size_t i = 0, j = 0;
    while (i < outline->n_edges || j < full->n_edges) {
        const struct edge *a = &outline->edges[i], *b = &full->edges[j];
        int c = i == outline->n_edges      ? 1
                : j == full->n_edges       ? -1
                : a->at.line != b->at.line ? (a->at.line < b->at.line ? -1 : 1)
                : a->at.col_byte != b->at.col_byte
                    ? (a->at.col_byte < b->at.col_byte ? -1 : 1)
                    : (int)a->kind - (int)b->kind;
        if (c < 0) {
            totals.more_calls++;
            show_edge(outline, a, "only in the outline");
        } else if (c > 0) {
            totals.fewer_calls++;
            show_edge(full, b, "only in full");
        }
        i += c <= 0;
        j += c >= 0;
    }
    totals.calls += full->n_edges;
}

/* Against what must be found. */
static void
compare_told(const char *path, const struct batch *b)
{
    AUTO(free) char *told_path = xasprintf("%s.told", path);
    AUTO(buf_finish) struct buf told = {0}, found = {0};
    if (fs_read_file(told_path, FILE_BYTES_MAX, &told, NULL) < 0)
        return;
    for (size_t i = 0; i < b->n_entities; i++) {
        const struct entity *e = &b->entities[i];
        buf_printf(&found, "%s %.*s | %u-%u | %.*s%s%.*s\n", entity_kind_name(e->kind),
                   STR_ARG(e->qualified_name), e->range.start.line + 1,
                   e->range.end.line + 1, STR_ARG(e->signature),
                   e->doc.n > 0 ? " | " : "", STR_ARG(e->doc));
    }
    totals.told_files++;
    if (getenv("GOLDEN_UPDATE"))
        (void)fs_write_atomic(told_path, buf_str(&found), 0644);
    else if (!str_eq(buf_str(&told), buf_str(&found)))
        fprintf(stderr, "%s:\n%.*s", path, STR_ARG(buf_str(&found)));
    totals.wrong_files += !str_eq(buf_str(&told), buf_str(&found));
}

static void
read_file(const char *path)
{
    AUTO(buf_finish) struct buf buf = {0};
    struct outline outline;
    if (fs_read_file(path, FILE_BYTES_MAX, &buf, NULL) < 0)
        return;
    struct str text = buf_str(&buf);
    const struct lang *l = lang_of_file(
        str_of(path), str_slice(text.p, MIN(text.n, (size_t)LANG_HEAD_BYTES)));
    const struct bodies_syntax *syntax =
        l && l->outline ? bodies_syntax_named(str_of(l->outline)) : NULL;
    if (!syntax || parse_is_binary(text))
        return;
    int64_t before_ns = clock_mono_ns();
    int r = bodies_scan(bodies, syntax, text, true, &outline);
    totals.scan_ns += clock_mono_ns() - before_ns;
    totals.files++;
    totals.bytes += text.n;
    if (r == BODIES_E_UNBALANCED) {
        totals.unbalanced++;
        totals.outline_bytes += text.n;
        if (is_shown)
            fprintf(stderr, "%s: unbalanced\n", path);
    } else {
        totals.outline_bytes += outline.text.n;
    }
    if (is_printed && r == 0)
        fprintf(stdout, "%.*s", STR_ARG(outline.text));
    bool is_clean, is_full_clean;
    AUTO(batch_destroy)
    struct batch *a = parse(path, l, text, r == 0 ? &outline : NULL, false, &is_clean);
    if (is_timed && r == 0)
        return;
    r = bodies_scan_heads(bodies, syntax, text, &outline);
    AUTO(batch_destroy)
    struct batch *b =
        parse(path, l, text, r == 0 ? &outline : NULL, true, &is_full_clean);
    compare_told(path, a);
    compare_told(path, b);
    compare_batches(a, b, is_full_clean);
    compare_edges(a, b);
}

static void
read_path(const char *path, unsigned depth)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (!dir) {
        read_file(path);
        return;
    }
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.' || d->d_type == DT_LNK ||
            strcmp(d->d_name, "node_modules") == 0)
            continue;
        AUTO(free) char *below = path_join(path, d->d_name);
        read_path(below, depth + 1);
    }
    closedir(dir);
}

static double
rate(uint64_t bytes, int64_t ns)
{
    return ns > 0 ? (double)bytes * 1000 / (double)ns : 0; // MB/s
}

static void
report(void)
{
    const struct totals *t = &totals;
    fprintf(stdout,
            "# %" PRIu64 " files, %.1f MB, outlines %.1f %%, %" PRIu64 " unbalanced\n",
            t->files, (double)t->bytes / 1e6,
            (double)t->outline_bytes * 100 / (double)MAX(t->bytes, 1u), t->unbalanced);
    fprintf(stdout,
            "# MB/s: scan %.0f, outline parse %.1f extract %.1f, full parse %.1f extract "
            "%.1f\n",
            rate(t->bytes, t->scan_ns), rate(t->bytes, t->parse_ns[0]),
            rate(t->bytes, t->extract_ns[0]), rate(t->bytes, t->parse_ns[1]),
            rate(t->bytes, t->extract_ns[1]));
    fprintf(stdout,
            "# ms: scan %.0f, outline parse %.0f extract %.0f, full parse %.0f extract "
            "%.0f\n",
            (double)t->scan_ns / 1e6, (double)t->parse_ns[0] / 1e6,
            (double)t->extract_ns[0] / 1e6, (double)t->parse_ns[1] / 1e6,
            (double)t->extract_ns[1] / 1e6);
    if (is_timed)
        return;
    fprintf(stdout,
            "# %" PRIu64 " entities, %" PRIu64 " differ in %" PRIu64 " files, %" PRIu64
            " edges, %" PRIu64 " more and %" PRIu64 " fewer by outline\n"
            "# of these in %" PRIu64 " files that parse without errors: %" PRIu64
            " entities, %" PRIu64 " differ\n",
            t->entities, t->differ, t->differing_files, t->calls, t->more_calls,
            t->fewer_calls, t->clean_files, t->clean_entities, t->clean_differ);
}

int
main(int argc, char **argv)
{
    char *why = NULL;
    if (lang_init(&why) < 0)
        return EXIT_FAILURE;
    parser = parser_create();
    extractor = extractor_create();
    bodies = bodies_create();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--show") == 0)
            is_shown = true;
        else if (strcmp(argv[i], "--time") == 0)
            is_timed = true;
        else if (strcmp(argv[i], "--text") == 0)
            is_printed = true;
        else
            read_path(argv[i], 0);
    }
    report();
    bool is_good = totals.files > 0 && totals.clean_differ * 1000 <= totals.entities;
    bool is_told = totals.wrong_files == 0;
    fprintf(stdout,
            "1..2\n%s 1 - entities of outlines agree with those of whole files\n"
            "%s 2 - of %" PRIu64 " readings, all find what they must\n",
            is_good ? "ok" : "not ok", is_told ? "ok" : "not ok", totals.told_files);
    bodies_destroy(bodies);
    extractor_destroy(extractor);
    parser_destroy(parser);
    lang_finish();
    return is_good && is_told ? EXIT_SUCCESS : EXIT_FAILURE;
}
