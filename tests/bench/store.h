#pragma once
/* What the parts of bench_store share: a tree as batches in memory, and what a backend's own library takes for
 * the same rows. */
#include "base/vec.h"
#include "model/batch.h"

/* The files of a tree in the order of their paths, as workers hand them to the writer. */
struct corpus {
    VEC(struct batch *) files;
    bool *ends_commit; // by file: the writer's limits are reached with it
    size_t n_entities, n_edges;
};

void corpus_init(struct corpus *c, const char *dir);
void corpus_finish(struct corpus *c);

struct bare_rows;

/* A loop over the backend's library alone. A backend without one has no row in bares[] of store.c, and what is
 * compared with is measured elsewhere. URLs are those of gloss. */
struct bare {
    const char *scheme;
    void (*make)(const char *url); // NULL: whoever opens it makes it
    /* Everything that gloss wrote about the files, in memory, as the library takes it. */
    struct bare_rows *(*read)(const char *url);
    void (*destroy)(struct bare_rows *rows);
    /* Writes it into an index of gloss that has no files, with the same settings and commits; to the end of the
     * last checkpoint, in nanoseconds. */
    int64_t (*write)(const struct bare_rows *rows, const struct corpus *c,
                     const char *url, bool only_entities);
    void (*remove)(const char *url);
};

extern const struct bare bare_sqlite, bare_rocksdb, bare_postgres;

/* Ends the program when r < 0. */
void must(int r, const char *what);
