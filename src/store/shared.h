#pragma once
/* The writer's logic over tables.h, which answers store.h: a backend's writer begins with struct table_writer;
 * what is its own is in store_writer_ops. Inside of src/store; the writer's thread. */
#include "store/tables.h"

struct table_counters {
    int64_t head; // last seq given
    int64_t event_bytes;
    int64_t text_gen;  // last one given
    int64_t text_rows; // in the text index
    int64_t text_dead; // of them, of a generation that is gone
    int64_t past_rows;
    int64_t past_bytes;
    int64_t once_rows; // idempotency keys
    int64_t reused;    // hovers that came without a request
};

struct table_writer {
    struct store_writer base;
    struct tables *t;
    const struct table_writes *writes;
    struct table_counters now, committed;
    struct arena scratch; // of one operation
    bool is_open;         // in a transaction
    bool is_brief;        // store_be_brief()
    bool is_doubtful;     // a row made no sense: the next start has to look
    uint64_t seed;        // of hash tables over names from outside
};

static inline struct table_writer *
table_writer_of(struct store_writer *w)
{
    return container_of(w, struct table_writer, base);
}

/* ---- for opening and closing; the ops are set ---- */

void table_writer_init(struct table_writer *w, const struct store_writer_ops *ops,
                       const struct table_writes *writes, struct tables *t);
void table_writer_finish(struct table_writer *w);
/* The counters of an index that has an epoch; *ret_info is of store_read_info(). */
int table_writer_load(struct table_writer *w, struct store_info *ret_info);
/* Of an operation: r, noted when a row of the index made no sense. */
static inline int
table_done(struct table_writer *w, int r)
{
    w->is_doubtful |= r == -EBADMSG;
    return r;
}
int table_info(struct tables *t, struct store_info *ret_info); // within a view
int table_meta_int(struct tables *t, const char *key,
                   int64_t *ret_value); // 0 when absent
int table_meta_put_int(struct table_writer *w, const char *key, int64_t value);

/* ---- event.c, for a copy; the last two within a transaction ---- */

int table_fact(struct store_writer *w, const char *key, struct arena *a,
               struct str *ret_value); // -ENOENT
int table_put_fact(struct store_writer *w, const char *key, struct str value);
/* Past contents, then the log, of an index without files; ret_more: call again. */
int table_forget(struct store_writer *w, bool *ret_more);
