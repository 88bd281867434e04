#pragma once
/* What the files of the SQLite backend share. Nobody else includes it.
 * An entity's id is file.id << SLOT_BITS | slot: rows of one file lie together in the B-tree, and an
 * entity keeps its slot as long as its key lives. */
#include <sqlite3.h>

#include "base/vec.h"
#include "store/backend.h"

#define SLOT_BITS 20
#define SLOT_MASK ((INT64_C(1) << SLOT_BITS) - 1)
#define SLOT_TARGETS SLOT_MASK // in the text index: the names a file's edges point to
#define ENTITY_ID(file_id, slot) ((int64_t)(file_id) << SLOT_BITS | (int64_t)(slot))

#define SQLITE_APPLICATION_ID 0x474c5331 // "GLS1"

/* One per row of sqlite_sql.c. */
enum sql {
    SQL_BEGIN,
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_META_PUT,
    SQL_META_GET,
    SQL_FILE_BY_PATH,
    SQL_FILE_BY_ID,
    SQL_FILE_ALL,
    SQL_FILE_UNASKED,
    SQL_FILE_ADD,
    SQL_FILE_PUT,
    SQL_FILE_TOUCH,
    SQL_FILE_COUNTS_PUT,
    SQL_FILE_DELETE,
    SQL_FILE_TEXT_PUT,
    SQL_FILE_TEXT_WAITING,
    SQL_UNKNOWN_DELETE,
    SQL_UNKNOWN_ADD,
    SQL_ENTITY_OF_FILE,
    SQL_ENTITY_BY_ID,
    SQL_ENTITY_BY_NAME,
    SQL_ENTITY_WAITING,
    SQL_ENTITY_NAMES,
    SQL_ENTITY_HOVER_COUNTS,
    SQL_ENTITY_ADD,
    SQL_ENTITY_PUT,
    SQL_ENTITY_HOVER_PUT,
    SQL_ENTITY_DELETE,
    SQL_HOVER_GET,
    SQL_HOVER_ADD,
    SQL_HOVER_REFS,
    SQL_HOVER_DELETE,
    SQL_EDGE_OF_FILE,
    SQL_EDGE_OF_ENTITY,
    SQL_EDGE_TO,
    SQL_EDGE_PUT,
    SQL_EDGE_DELETE_FROM,
    SQL_EVENT_ADD,
    SQL_EVENT_SINCE,
    SQL_EVENT_OLDEST,
    SQL_EVENT_DELETE,
    SQL_EVENT_FIRST,
    SQL_EVENT_HEAD,
    SQL_TEXT_ADD,
    SQL_TEXT_CLEAR,
    SQL_TEXT_CLEAR_FILES,
    SQL_TEXT_FIND,
    SQL_TEXT_FILES,
    SQL_COUNT_FILES,
    SQL_COUNT_UNKNOWN,
    SQL_STATEMENTS
};

struct sqlite_conn {
    sqlite3 *db;
    sqlite3_stmt *cached[SQL_STATEMENTS];
    bool is_damaged; // SQLITE_CORRUPT or NOTADB was seen
};

extern const char *const sqlite_sql[SQL_STATEMENTS];

/* ---- sqlite_conn.c ---- */

/* -errno of a SQLite code on this connection; 0 for OK, ROW and DONE. */
int sqlite_errno(struct sqlite_conn *c, int rc);
/* A statement ready to bind. Give it back with sqlite_put(): a second one of the same kind may be in
 * use meanwhile, from within a callback. */
int sqlite_get(struct sqlite_conn *c, enum sql which, sqlite3_stmt **ret_stmt);
void sqlite_put(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt);
/* Step once to the end and give back. */
int sqlite_run(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt);
int sqlite_run_plain(struct sqlite_conn *c, enum sql which);
int sqlite_exec(struct sqlite_conn *c, const char *text);
/* 1 a row, 0 the end, <0. */
int sqlite_step(struct sqlite_conn *c, sqlite3_stmt *stmt);
void sqlite_conn_finish(struct sqlite_conn *c);
void sqlite_bind_str(sqlite3_stmt *stmt, int i, struct str s);      // borrowed until sqlite_put()
void sqlite_bind_str_opt(sqlite3_stmt *stmt, int i, struct str s);  // NULL when empty
struct str sqlite_column_str(sqlite3_stmt *stmt, int i);            // until the next step
int sqlite_meta_get(struct sqlite_conn *c, const char *key, struct arena *a, struct str *ret_value);
int sqlite_meta_get_int(struct sqlite_conn *c, const char *key, int64_t *ret_value); // 0 when absent
int sqlite_meta_put(struct sqlite_conn *c, const char *key, struct str value);
int sqlite_meta_put_int(struct sqlite_conn *c, const char *key, int64_t value);

/* ---- sqlite_schema.c ---- */

/* Within a transaction: from the file's user_version to ours. */
int sqlite_migrate(struct sqlite_conn *c, int from_version);

/* ---- sqlite_rows.c ---- */

struct file_stored {
    struct file f;
    int64_t id;
    int64_t content_gen; // counts the contents the file had
    int64_t text_gen;    // of the text index; 0: not in it
    uint64_t n_entities, n_edges;
};

/* e.parent is a slot here. */
struct entity_stored {
    struct entity e;
    int64_t id, rev;
    enum hover_state hover_state;
    enum hover_reason hover_reason;
    int64_t hover_gen; // file.content_gen at which the hover was told
    int64_t hover_id;  // 0: none
    struct str markdown, server;
};

/* Strings go into the arena; with NULL they are views until the next step. -EBADMSG. */
int sqlite_file_read(sqlite3_stmt *stmt, struct arena *a, struct file_stored *ret_file);
int sqlite_entity_read(sqlite3_stmt *stmt, struct arena *a, struct entity_stored *ret_entity);
void sqlite_entity_bind(sqlite3_stmt *stmt, const struct entity *e, int64_t rev);
/* All columns but id, from parameter 2 on, in the order of SQL_ENTITY_ADD. */
void sqlite_hover_bind(sqlite3_stmt *stmt, int first, const struct entity_stored *s);
bool sqlite_entity_same_place(const struct entity *a, const struct entity *b);
/* -ENOENT. */
int sqlite_file_find(struct sqlite_conn *c, struct str path, struct arena *a,
                     struct file_stored *ret_file);
/* The row as the contract shows it; parent_key and e.parent are the caller's to set. */
void sqlite_entity_row(const struct entity_stored *s, const struct file_stored *f, struct arena *a,
                       struct entity_row *ret_row);

/* All entities of a file in their order: by start, outer first. */
struct entity_list {
    struct entity_stored *v;
    size_t n;
    struct entity_row *rows; // of sqlite_rows_of_file(): complete, parents by index
};
int sqlite_entities_of_file(struct sqlite_conn *c, const struct file_stored *f, struct arena *a,
                            struct entity_list *ret_list);
int sqlite_rows_of_file(struct sqlite_conn *c, const struct file_stored *f, struct arena *a,
                        struct entity_list *ret_list);

/* ---- sqlite_writer.c ---- */

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
    int lock_fd;
    int wal_pages;
    bool is_open; // in a transaction
};

static inline struct sqlite_writer *
sqlite_writer_of(struct store_writer *w)
{
    return container_of(w, struct sqlite_writer, base);
}

extern const struct store_writer_ops sqlite_writer_ops;

/* The row with the next seq. */
int sqlite_event_add(struct sqlite_writer *w, enum event_type type, struct str subject,
                     struct str data, struct event **ret_event);
/* Sets file.n_known… and the table of unknown ones from the file's rows. */
int sqlite_counts_refresh(struct sqlite_writer *w, const struct file_stored *f);
int sqlite_unknown_put(struct sqlite_writer *w, int64_t file_id,
                       const int64_t n_reason[HOVER_REASON_COUNT]);
/* The file's part of the text index is out of date: sets text_gen, which the caller writes. */
void sqlite_text_drop(struct sqlite_writer *w, struct file_stored *f);

/* ---- one operation each ---- */
int sqlite_writer_open(const char *rest, struct store_writer **ret_writer,
                       struct store_info *ret_info, char **ret_why);
void sqlite_writer_close(struct store_writer *w);
int sqlite_put_file(struct store_writer *w, const struct batch *batch, struct event **ret_event);
int sqlite_delete_file(struct store_writer *w, struct str path, struct event **ret_event);
/* slots: of the batch's entities, by index. */
int sqlite_put_edges(struct sqlite_writer *w, const struct file_stored *f, const struct batch *b,
                     const uint32_t *slots, uint64_t n_was);
int sqlite_put_hovers(struct store_writer *w, const struct hover_batch *hovers,
                      struct event **ret_event);
int sqlite_hover_ref(struct sqlite_writer *w, struct str markdown, struct str server,
                     int64_t *ret_id);
int sqlite_hover_unref(struct sqlite_writer *w, int64_t id); // 0 is allowed
int sqlite_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);

/* ---- sqlite_read*.c ---- */

struct sqlite_reader {
    struct store_reader base;
    struct sqlite_conn c;
};

static inline struct sqlite_reader *
sqlite_reader_of(struct store_reader *r)
{
    return container_of(r, struct sqlite_reader, base);
}

extern const struct store_reader_ops sqlite_reader_ops;
int sqlite_reader_open(const char *rest, struct store_reader **ret_reader, char **ret_why);
/* A view for as long as needed; *ret_mine: it was begun here. */
int sqlite_view_begin(struct sqlite_conn *c, bool *ret_mine);
void sqlite_view_end(struct sqlite_conn *c, bool is_mine);
int sqlite_read_info(struct sqlite_conn *c, struct store_info *ret_info);
int sqlite_file_by_id(struct sqlite_conn *c, int64_t id, struct arena *a,
                      struct file_stored *ret_file);
int sqlite_row_by_id(struct sqlite_conn *c, int64_t id, struct arena *a,
                     struct entity_row *ret_row);

int sqlite_each_named(struct store_reader *r, struct str name, store_entity_fn fn, void *ctx);
int sqlite_search_text(struct store_reader *r, struct str query, size_t limit, store_entity_fn fn,
                       void *ctx);
int sqlite_each_caller(struct store_reader *r, struct str name, size_t limit, store_edge_fn fn,
                       void *ctx);
int sqlite_each_callee(struct store_reader *r, struct str key, size_t limit, store_edge_fn fn,
                       void *ctx);

/* ---- sqlite_words.c: what a word is, for the text index and for what waits to get into it ---- */

/* "n1a2b3c4d": stands for exactly this name in the column ident. */
#define IDENT_BYTES 10
void sqlite_ident(char mark, struct str name, char ret_ident[IDENT_BYTES]);
/* Name and its parts: "App.runLoop" gives "App.runLoop run Loop". */
void sqlite_name_words(struct buf *b, struct str qualified_name);
/* Next word of a text, as a view; false at the end. */
bool sqlite_next_word(struct str *rest, struct str *ret_word);
/* Does the text have a word that begins with this one (of sqlite_next_word)? */
bool sqlite_text_has(struct str text, struct str word);
