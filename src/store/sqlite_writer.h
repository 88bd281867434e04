#pragma once
/* The writing side: the handle, and what only this backend does. Inside of the SQLite backend; the
 * writer's thread. */
#include "store/mem.h"
#include "store/shared.h"
#include "store/sqlite_rows.h"

#define SQLITE_APPLICATION_ID 0x474c5331 // "GLS1"

/* Within a transaction: from the file's user_version to ours. */
int sqlite_migrate(struct sqlite_conn *c, int from_version);

struct text_fill;

struct sqlite_writer {
    struct table_writer base;
    struct sqlite_conn c;
    char *path;
    char *root;              // the tree it is the index of; NULL: of any
    struct mem_place *place; // of an index in memory, which goes at the end; or NULL
    int lock_fd;
    int64_t wal_pages;      // in the log since it began, as the last commit left it
    int64_t wal_pages_seen; // of them, by the last checkpoint
    bool is_wal_held;       // a reader did not let it copy them all
    unsigned n_checkpoints; // up to when they are rare
    uint64_t checkpoints, checkpoint_us_max;
    int64_t page_bytes;
    struct text_fill *text; // NULL until the text index is filled
};

static inline struct sqlite_writer *
sqlite_writer_of(struct store_writer *w)
{
    return container_of(table_writer_of(w), struct sqlite_writer, base);
}

extern const struct store_writer_ops sqlite_writer_ops;
extern const struct table_writes sqlite_table_writes;

int sqlite_writer_open(const char *rest, const char *root,
                       struct store_writer **ret_writer, struct store_info *ret_info,
                       char **ret_why);
/* In memory: nothing is synced. Takes over the place, also when it fails. */
int sqlite_writer_open_in(struct mem_place *place, const char *root,
                          struct store_writer **ret_writer, struct store_info *ret_info,
                          char **ret_why);
void sqlite_writer_close(struct store_writer *w);

/* ---- sqlite_text.c ---- */
int sqlite_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);
void sqlite_text_forget(struct sqlite_writer *w); // after a rollback
void sqlite_text_finish(struct sqlite_writer *w);

/* ---- sqlite_letters.c ---- */
void sqlite_gauges(const struct store_writer *w, struct store_gauges *ret_gauges);
int sqlite_each_letter(struct store_writer *w, store_letter_fn fn, void *ctx);
int sqlite_put_letter(struct store_writer *w, const struct dead_letter *letter);
int sqlite_drop_letter(struct store_writer *w, int64_t id);
/* ---- sqlite_jobs.c ---- */
int sqlite_each_job(struct store_writer *w, store_job_fn fn, void *ctx);
int sqlite_put_job(struct store_writer *w, const struct job *job);
int sqlite_drop_job(struct store_writer *w, struct str id);
