/* The files of bench_store: a real tree, since what a row costs depends on how long its texts are and how many
 * edges a file has. Commits end where the writer's do in a bulk load, so that all contestants have the same. */
#include <ftw.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "bodies/bodies.h"
#include "extract/extract.h"
#include "parse/parse.h"
#include "store/store.h"
#include "tests/bench/store.h"
#include "writer/writer.h"

#define FILE_BYTES_MAX (4u << 20)

struct reader {
    struct parser *parser;
    struct extractor *extractor;
    struct bodies *bodies;
    struct buf text;
};

static VEC(char *) paths; // nftw() has no context

static int
on_path(const char *path, const struct stat *st, int type, struct FTW *at UNUSED)
{
    if (type == FTW_F && st->st_size <= FILE_BYTES_MAX)
        *vec_push(&paths) = xstrdup(path);
    return 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NULL: no language of ours. */
static struct batch *
read_file(struct reader *r, const char *path, struct str name)
{
    struct fs_stat st;
    struct outline outline;
    const struct outline *found = NULL;
    const TSTree *tree = NULL;
    must(fs_read_file(path, FILE_BYTES_MAX, &r->text, &st), path);
    struct str text = buf_str(&r->text);
    const struct lang *l =
        lang_of_file(name, str_slice(text.p, MIN(text.n, (size_t)LANG_HEAD_BYTES)));
    if (!l)
        return NULL;
    struct batch *b = batch_create(name);
    b->file.lang = arena_cstr(&b->arena, l->key_prefix);
    b->file.size_bytes = st.size_bytes;
    b->file.mtime_ns = st.mtime_ns;
    b->file.inode = st.inode;
    b->file.content = hash128(text);
    const struct bodies_syntax *syntax =
        l->outline ? bodies_syntax_named(str_of(l->outline)) : NULL;
    if (syntax && bodies_scan(r->bodies, syntax, text, true, &outline) == 0)
        found = &outline;
    must(parse_text_once(r->parser, l, found ? found->text : text, 0, &tree), path);
    must(extract_batch(r->extractor, l, text, found, tree, 0, b), path);
    store_prepare(b); // on the worker, as there
    return b;
}

static void
end_commits(struct corpus *c)
{
    size_t entities = 0, bytes = 0;
    c->ends_commit = xcalloc(c->files.n, sizeof(*c->ends_commit));
    for (size_t i = 0; i < c->files.n; i++) {
        entities += 1 + c->files.v[i]->n_entities;
        bytes += c->files.v[i]->arena.total_bytes;
        if (entities < WRITER_BATCH_ENTITIES && bytes < WRITER_BATCH_BYTES &&
            i + 1 < c->files.n)
            continue;
        c->ends_commit[i] = true;
        entities = bytes = 0;
    }
}

void
corpus_init(struct corpus *c, const char *dir)
{
    struct reader r = {.parser = parser_create(),
                       .extractor = extractor_create(),
                       .bodies = bodies_create()};
    *c = (struct corpus){.n_entities = 0};
    if (nftw(dir, on_path, 16, FTW_PHYS) != 0)
        must(-EIO, dir);
    qsort(paths.v, paths.n, sizeof(*paths.v), by_name);
    for (size_t i = 0; i < paths.n; i++) {
        struct batch *b = read_file(&r, paths.v[i], str_of(paths.v[i] + strlen(dir) + 1));
        free(paths.v[i]);
        if (!b)
            continue;
        *vec_push(&c->files) = b;
        c->n_entities += b->n_entities;
        c->n_edges += b->n_edges;
    }
    vec_finish(&paths);
    buf_finish(&r.text);
    parser_destroy(r.parser);
    extractor_destroy(r.extractor);
    bodies_destroy(r.bodies);
    if (c->n_entities == 0)
        must(-ENOENT, "no entities");
    end_commits(c);
}

void
corpus_finish(struct corpus *c)
{
    for (size_t i = 0; i < c->files.n; i++)
        batch_destroy(c->files.v[i]);
    vec_finish(&c->files);
    free(c->ends_commit);
}
