#pragma once
/* The writing side: the handle, and one function for each operation of the contract. Inside of the
 * SQLite backend; the writer's thread. */
#include "store/sqlite_rows.h"

#define SQLITE_APPLICATION_ID 0x474c5331 // "GLS1"

/* Within a transaction: from the file's user_version to ours. */
int sqlite_migrate(struct sqlite_conn *c, int from_version);

struct sqlite_counters {
    int64_t head;
    int64_t event_bytes;
    int64_t text_gen;  // last one given
    int64_t text_rows; // in the text index
    int64_t text_dead; // of them, of a generation that is gone
};

struct sqlite_writer {
    struct store_writer base;
    struct sqlite_conn c;
    struct sqlite_counters now, committed;
    struct arena scratch; // of one operation
    char *path;
    char *root; // the tree it is the index of; NULL: of any
    int lock_fd;
    int wal_pages;
    int64_t page_bytes;
    bool is_open;  // in a transaction
    bool is_brief; // store_be_brief()
    uint64_t seed; // of hash tables over names from outside
};

static inline struct sqlite_writer *
sqlite_writer_of(struct store_writer *w)
{
    return container_of(w, struct sqlite_writer, base);
}

extern const struct store_writer_ops sqlite_writer_ops;

/* The row with the next seq. is_bare: the data is left to the rows, see sqlite_first_data(). */
int sqlite_event_add(struct sqlite_writer *w, enum event_type type, struct str subject,
                     struct str data, bool is_bare, struct event **ret_event);
/* Before the file's rows change the first time: what they were goes into the log, unless that row
 * of it was pruned. Clears f->log_seq, which the caller writes. */
int sqlite_event_fill(struct sqlite_writer *w, struct file_stored *f,
                      const struct entity_list *list);
/* Sets file.n_known… and the table of unknown ones from the file's rows. */
int sqlite_counts_refresh(struct sqlite_writer *w, const struct file_stored *f);
int sqlite_unknown_put(struct sqlite_writer *w, int64_t file_id,
                       const int64_t n_reason[HOVER_REASON_COUNT]);
/* The file's part of the text index is out of date: sets text_gen, which the caller writes. */
void sqlite_text_drop(struct sqlite_writer *w, struct file_stored *f);

/* ---- one operation each ---- */
int sqlite_writer_open(const char *rest, const char *root,
                       struct store_writer **ret_writer, struct store_info *ret_info,
                       char **ret_why);
void sqlite_writer_close(struct store_writer *w);
int sqlite_put_file(struct store_writer *w, const struct batch *batch,
                    struct event **ret_event);
int sqlite_delete_file(struct store_writer *w, struct str path, struct event **ret_event);
/* slots: of the batch's entities, by index. */
int sqlite_put_edges(struct sqlite_writer *w, const struct file_stored *f,
                     const struct batch *b, const uint32_t *slots, uint64_t n_was);
int sqlite_put_hovers(struct store_writer *w, const struct hover_batch *hovers,
                      struct event **ret_event);
int sqlite_hover_ref(struct sqlite_writer *w, struct str markdown, struct str server,
                     int64_t *ret_id);
/* One more entity shows it; 0 is allowed. */
int sqlite_hover_share(struct sqlite_writer *w, int64_t id);
/* Entities of another file of the same content and language whose hovers are known, as stored, in
 * their order; none when there is no such file. What is stale there has hover_gen 0. */
int sqlite_hovers_of_twin(struct sqlite_writer *w, const struct file *file,
                          int64_t own_id, struct entity_list *ret_list);
int sqlite_hover_unref(struct sqlite_writer *w, int64_t id); // 0 is allowed
int sqlite_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);
