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
    int64_t past_rows; // of hover_past
    int64_t past_bytes;
    int64_t reused; // hovers that came without a request
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
    unsigned n_checkpoints; // up to when they are rare
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
int sqlite_set_maker(struct store_writer *w, struct str maker);
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
int sqlite_hover_unref(struct sqlite_writer *w, int64_t id); // 0 is allowed
/* Marks as stale what a server of another key told. */
int sqlite_expire_hovers(struct store_writer *w, struct str lang, uint64_t server_key,
                         uint64_t *ret_n_files);
int sqlite_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);

/* ---- sqlite_past.c: hovers of contents that no file has ---- */

/* Before the file's content changes or goes: what is known of it and not stale is referenced;
 * nothing when another file has it as well. */
int sqlite_past_hold(struct sqlite_writer *w, const struct file_stored *f,
                     const struct entity_list *list, struct recall *ret_kept);
/* Then the row, which takes over the references; text_bytes of texts that the file let go. */
int sqlite_past_put(struct sqlite_writer *w, const struct file *file,
                    const struct recall *kept, int64_t text_bytes);
/* After its entities took what they could: what is left goes, and the row. */
int sqlite_past_end(struct sqlite_writer *w, const struct recall *recall);
/* Those used longest ago, beyond the limits; ret_more: call again. */
int sqlite_past_prune(struct sqlite_writer *w, bool *ret_more);
