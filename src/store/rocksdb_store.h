#pragma once
/* The writer and the reader of the RocksDB backend, and what its files say to each other. */
#include "store/reader.h"
#include "store/rocksdb_conn.h"
#include "store/shared.h"

struct rocks_writer {
    struct table_writer w;
    struct rocks_conn c;
    struct shared *shared; // where c.db is from
    char *path, *real;     // as it was asked for; where it is
    char *root;            // the tree it is the index of; NULL: of any
    int lock_fd;
    bool is_broken;    // the database takes nothing any more: see rocks_mend()
    bool is_closing;   // what is written now is not synced
    bool drops_text;   // with the next commit: rocks_text_drop_all()
    size_t log_bytes;  // written since all was last flushed
    int64_t text_from; // file id from which on one may wait for the text index
};

struct rocks_reader {
    struct store_reader base;
    struct rocks_conn c;
    struct shared *shared; // NULL: c.db is its own
    char *path, *real;
    uint64_t signature; // of the files that its own one was made of
};

extern const struct table_reads rocks_reads;
extern const struct table_writes rocks_writes;
extern const struct store_reader_ops rocks_reader_ops;

static inline struct rocks_reader *
rocks_reader_of(struct store_reader *r)
{
    return container_of(r, struct rocks_reader, base);
}

/* ---- rocksdb_db.c; `real` is a folder's real path ---- */

/* What the process has of this folder, made or opened. */
int rocks_db_take(const char *real, struct shared **ret_shared);
/* For one reader alone, beside an engine of another process; what that writes later is not seen, but
 * then it has changed. -ENOENT: there is none. */
int rocks_db_open_own(const char *real, struct rocks_db **ret_db,
                      uint64_t *ret_signature);
bool rocks_db_has_changed(const char *real, uint64_t signature);
void rocks_db_close(void *db); // NULL is allowed
bool rocks_db_is_there(const char *real);
/* Something was written into it: rows, or a log. */
bool rocks_db_has_rows(const char *real);
int rocks_db_size(const char *real, uint64_t *ret_size_bytes);
enum rocks_whose { ROCKS_OURS, ROCKS_BEGUN, ROCKS_SOMEBODYS };
int rocks_db_look(const char *real, enum rocks_whose *ret_whose);

/* ---- rocksdb_open.c ---- */

/* After a write that failed RocksDB takes no more: opened anew. -EBUSY while a reader has it. */
int rocks_mend(struct rocks_writer *w);
/* Of a commit that failed: is it on the disk all the same, up to this seq? Mends it, if it can. */
bool rocks_has_landed(struct rocks_writer *w, int64_t head);
int rocks_checkpoint(struct store_writer *w, bool is_idle);
int rocks_writer_open(const char *path, const char *root,
                      struct store_writer **ret_writer, struct store_info *ret_info,
                      char **ret_why);
void rocks_writer_close(struct store_writer *w);

/* ---- rocksdb_reads.c ---- */

void rocks_ids_write(struct rocks_conn *c);
void rocks_path_key(struct buf *b, struct str path);
void rocks_once_key(struct buf *b, struct str key);
void rocks_past_key(struct buf *b, struct hash128 content, struct str lang);
int64_t rocks_entity_id(struct str key); // 0: it is no key of one
int rocks_file_by_id(struct tables *t, int64_t id, struct arena *a,
                     struct file_stored *ret_file); // -ENOENT
int rocks_counts_of(struct rocks_conn *c, int64_t file_id,
                    struct file_counts *ret_counts);
int rocks_entities(struct tables *t, const struct file_stored *f, struct arena *a,
                   struct entity_list *ret_list);
int rocks_past_by_id(struct rocks_conn *c, int64_t id, struct arena *a,
                     struct past_row *ret_row); // 1/0
int rocks_edges_get(struct tables *t, int64_t file_id, struct arena *a,
                    struct str *ret_text);

struct rocks_ids_list { // vec.h
    int64_t *v;
    size_t n, cap;
};

/* ---- rocksdb_attach.c, rocksdb_find.c, rocksdb_text.c ---- */

int rocks_reader_open(const char *path, struct store_reader **ret_reader, char **ret_why);
void rocks_reader_close(struct store_reader *r);
void rocks_leave_doubt(const char *real); // ROCKS_DOUBT, if that is an index
int rocks_view_begin(struct store_reader *r);
void rocks_view_end(struct store_reader *r);
int rocks_find_named(struct store_reader *r, struct str name, struct found_list *list);
int rocks_find_callers(struct store_reader *r, struct str name, struct found_list *list);
int rocks_find_words(struct store_reader *r, const struct words *words, size_t limit,
                     struct found_list *list, bool *ret_is_sure);
int rocks_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);
void rocks_text_drop_all(struct rocks_writer *w);

/* ---- rocksdb_letters.c ---- */

int rocks_each_letter(struct store_writer *w, store_letter_fn fn, void *ctx);
int rocks_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx);
int rocks_put_letter(struct store_writer *w, const struct dead_letter *l);
int rocks_drop_letter(struct store_writer *w, int64_t id);
/* ---- rocksdb_jobs.c ---- */
int rocks_each_job(struct store_writer *w, store_job_fn fn, void *ctx);
int rocks_put_job(struct store_writer *w, const struct job *job);
int rocks_drop_job(struct store_writer *w, struct str id);
int rocks_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx);
void rocks_gauges(const struct store_writer *w, struct store_gauges *ret_gauges);
