#pragma once
/* What a backend gives so that reading is written once: reader.c (views, rows, the log), find.c (names,
 * words), walk.c (edges). Inside of src/store; whoever holds the handle.
 * THE BACKEND'S: opening, what a view is, how rows are listed, what its indexes find. SHARED: which views
 * there are, what is told of a row, in which order. Rules as in tables.h; but for the first six, ops are
 * asked within a view. What they show is theirs until the callback returns, which may begin another read. */
#include <signal.h>

#include "store/tables.h"
#include "store/words.h"

#define FOUND_MAX 2000000 // matches kept for sorting

struct found {
    int64_t id; // of an entity; of a file << SLOT_BITS | … where files are looked for
    double score;
};

struct found_list { // vec.h
    struct found *v;
    size_t n, cap;
};

enum reader_files {
    FILES_ALL, // in no order
    FILES_BY_PATH,
    FILES_UNASKED, // as store_each_unasked_file() has them
    FILES_WAITING, // to get into the text index; only their id is said
};

typedef int (*reader_file_fn)(void *ctx, const struct file_stored *f);
typedef int (*reader_name_fn)(void *ctx, struct entity_row *row);
typedef int (*reader_event_fn)(void *ctx, const struct table_event *event);

struct store_reader_ops {
    void (*close)(struct store_reader *r);
    void (*interrupt)(struct store_reader *r);
    int (*listen)(struct store_reader *r, int *ret_fd); // NULL: it cannot
    int (*news)(struct store_reader *r);
    int (*view_begin)(struct store_reader *r);
    void (*view_end)(struct store_reader *r);
    int (*counts)(struct store_reader *r,
                  struct store_counts *counts); // not of past contents
    int (*each_file)(struct store_reader *r, enum reader_files which, reader_file_fn fn,
                     void *ctx);
    /* By id. What is left empty of path and lang the caller looks up. */
    int (*each_name)(struct store_reader *r, reader_name_fn fn, void *ctx);
    int (*each_event)(struct store_reader *r, int64_t since, size_t limit,
                      reader_event_fn fn, void *ctx);
    int (*each_past)(struct store_reader *r, store_past_fn fn, void *ctx);
    int (*each_letter)(struct store_reader *r, store_letter_fn fn, void *ctx);
    int (*each_job)(struct store_reader *r, store_job_fn fn, void *ctx);
    /* Entities that may have this name. */
    int (*find_named)(struct store_reader *r, struct str name, struct found_list *list);
    /* Files that may have an edge to it, but for those that wait. */
    int (*find_callers)(struct store_reader *r, struct str name, struct found_list *list);
    /* Of the text index, at least CANDIDATES_MAX and `limit` of the best; *ret_is_sure: they have all of
     * the words, not only what the index knows of them. */
    int (*find_words)(struct store_reader *r, const struct words *words, size_t limit,
                      struct found_list *list, bool *ret_is_sure);
};

#define CANDIDATES_MAX 500 // of the text index whose rows are looked at

struct store_reader {
    const struct store_reader_ops *ops;
    struct tables *t;
    unsigned n_reads; // that run, one from within the other's callback
    bool is_held;     // a view: store_reader_begin()
    bool is_doubtful; // a row made no sense: the next writer has to look
    /* Set by another thread, of a backend that has whole answers before it shows them. */
    volatile sig_atomic_t is_interrupted;
};

/* ---- reader.c ---- */

/* A view for as long as a read needs it. */
int reader_begin(struct store_reader *r);
void reader_end(struct store_reader *r, int e); // e: of the read
/* Of a callback of the caller's: e, or -EINTR when the read was interrupted meanwhile. */
static inline int
reader_shown(const struct store_reader *r, int e)
{
    return e == 0 && r->is_interrupted ? -EINTR : e;
}
/* -ENOENT. */
int reader_row(struct tables *t, int64_t id, struct arena *a, struct entity_row *ret_row);
int reader_find(struct tables *t, struct str key, struct arena *a,
                struct file_stored *ret_file, struct entity_stored *ret_entity);
/* A number that should be one of an event of the log: -EBADMSG. */
int reader_event_type(int64_t number, enum event_type *ret_type);

/* ---- check.c ---- */

/* Every row of it. -EBADMSG: one makes no sense. */
int reader_check(struct store_reader *r);

/* ---- find.c ---- */

/* Best first, then by id. */
void found_sort(struct found_list *list);
