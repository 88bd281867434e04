#pragma once
/* What a backend fills in. Inside of src/store only: store.c picks by URL and forwards, so that a
 * caller never sees a backend. What is not here is shared, see tables.h. A backend's writer begins with
 * the base struct below, its reader with that of reader.h. */
#include "store/store.h"

struct store_writer_ops {
    void (*close)(struct store_writer *w);
    int (*index_text)(struct store_writer *w, size_t n_entities, bool *ret_more);
    int (*checkpoint)(struct store_writer *w, bool is_idle);
    /* NULL: it keeps no letters, or has nothing to say */
    void (*gauges)(const struct store_writer *w, struct store_gauges *ret_gauges);
    int (*each_letter)(struct store_writer *w, store_letter_fn fn, void *ctx);
    int (*put_letter)(struct store_writer *w, const struct dead_letter *letter);
    int (*drop_letter)(struct store_writer *w, int64_t id);
    int (*each_job)(struct store_writer *w, store_job_fn fn, void *ctx);
    int (*put_job)(struct store_writer *w, const struct job *job);
    int (*drop_job)(struct store_writer *w, struct str id);
};

struct store_writer {
    const struct store_writer_ops *ops;
    char *url;                 // store.c's
    store_wanted_fn is_wanted; // NULL: never
    void *wanted_ctx;
};
static inline bool
store_is_wanted(const struct store_writer *w)
{
    return w->is_wanted && w->is_wanted(w->wanted_ctx);
}

struct store_ops {
    const char *scheme; // "sqlite:"; the rest of the URL is the backend's
    bool can_follow;    // its readers have listen and news
    int (*writer_open)(const char *rest, const char *root,
                       struct store_writer **ret_writer, struct store_info *ret_info,
                       char **ret_why);
    int (*reader_open)(const char *rest, struct store_reader **ret_reader,
                       char **ret_why);
};

/* Also what a copy was begun in and not finished. */
int store_reader_open_any(const char *url, struct store_reader **ret_reader,
                          char **ret_why);

extern const struct store_ops store_sqlite_ops, store_mem_ops;
extern const struct store_ops store_rocksdb_ops; // refuses when it was not built in
extern const struct store_ops store_postgres_ops, store_postgresql_ops;
