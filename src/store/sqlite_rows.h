#pragma once
/* Files and entities as rows. Inside of the SQLite backend; whoever holds the handle.
 * An entity's id is file.id << SLOT_BITS | slot: rows of one file lie together in the B-tree, and an
 * entity keeps its slot as long as its key lives. */
#include "store/sqlite_conn.h"

#define SLOT_BITS 20
#define SLOT_MASK ((INT64_C(1) << SLOT_BITS) - 1)
#define SLOT_TARGETS SLOT_MASK // in the text index: the names a file's edges point to
#define ENTITY_ID(file_id, slot) ((int64_t)(file_id) << SLOT_BITS | (int64_t)(slot))

struct file_stored {
    struct file f;
    int64_t id;
    int64_t content_gen; // counts the contents the file had
    int64_t text_gen;    // of the text index; 0: not in it
    uint64_t n_entities, n_edges;
    int64_t log_seq; // of the event whose data is left to the rows; 0: none is
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

#define FILE_COLUMN_COUNT 15 // of sqlite_file_read()
#define ENTITY_COLUMNS 15    // of a row, behind its id
#define ENTITY_WHAT(kind, ordinal) ((int64_t)(ordinal) << 8 | (int64_t)(kind))
#define HOVER_NOT_ASKED ((int64_t)HOVER_REASON_NOT_ASKED << 4 | HOVER_UNKNOWN) // as NULL

/* Strings go into the arena; with NULL they are views until the next step. -EBADMSG. */
int sqlite_file_read(sqlite3_stmt *stmt, struct arena *a, struct file_stored *ret_file);
int sqlite_entity_read(sqlite3_stmt *stmt, struct arena *a,
                       struct entity_stored *ret_entity);
/* All columns but the id, in the order of SQL_ENTITY_ADD, to parameter i and those behind it. */
void sqlite_entity_bind(sqlite3_stmt *stmt, int i, const struct entity_stored *s);
void sqlite_hover_bind(sqlite3_stmt *stmt, int first, const struct entity_stored *s);
/* State, reason and generation from column i. -EBADMSG. */
int sqlite_hover_read(sqlite3_stmt *stmt, int i, struct entity_stored *s);
bool sqlite_entity_same_place(const struct entity *a, const struct entity *b);
/* -ENOENT. */
int sqlite_file_find(struct sqlite_conn *c, struct str path, struct arena *a,
                     struct file_stored *ret_file);
/* The row as the contract shows it; parent_key and e.parent are the caller's to set. */
void sqlite_entity_row(const struct entity_stored *s, const struct file_stored *f,
                       struct arena *a, struct entity_row *ret_row);

/* All entities of a file in their order: by start, outer first. */
struct entity_list {
    struct entity_stored *v;
    size_t n;
    struct entity_row *rows; // of sqlite_rows_of_file(): complete, parents by index
};
int sqlite_entities_of_file(struct sqlite_conn *c, const struct file_stored *f,
                            struct arena *a, struct entity_list *ret_list);
int sqlite_rows_of_file(struct sqlite_conn *c, const struct file_stored *f,
                        struct arena *a, struct entity_list *ret_list);
/* What servers said of the entities of a content, by their place (entity_place()). */
struct recall_entry {
    uint64_t place;
    int64_t hover_id; // 0: empty
    enum hover_state state;
    bool is_stale;
    bool is_taken; // its reference is an entity's now
};
struct recall {
    struct recall_entry *v;
    size_t n;
    uint64_t server_key;
    int64_t
        past_id; // the row of hover_past whose references these are; 0: they are a file's
    int64_t bytes;
};
/* Of a row of hover_past, unless the caller knows that there is none, else of a file other than
 * own_id; n is 0 when nobody knows anything. Of file, content and lang count. */
int sqlite_recall_load(struct sqlite_conn *c, const struct file *file, int64_t own_id,
                       bool with_past, struct arena *a, struct recall *ret_recall);
struct recall_entry *sqlite_recall_find(const struct recall *recall, uint64_t place);
/* 1; 0 when there is no such text. */
int sqlite_hover_text(struct sqlite_conn *c, int64_t id, struct arena *a,
                      struct str *ret_markdown, struct str *ret_server);

/* What the log says of a file whose rows are still those it began with: the data of that event, byte
 * for byte as it was told. What hovers came later is not part of it. The list is of
 * sqlite_rows_of_file() and keeps its values. */
void sqlite_first_data(const struct file_stored *f, const struct entity_list *list,
                       struct buf *b);

/* A file's edges by the name they point to, as views of their row, until the statement is given back
 * (SQL_EDGE_OF_FILE, also after an error). Next until 0; 1 gives one; the same for the places of each,
 * where a slot of -1 is the file's scope. -EBADMSG. An escaped target lies in the arena. */
struct sqlite_edges {
    struct str rest;
};
struct sqlite_places {
    struct str numbers, utf16; // what is left of them
    bool has_utf16;
};
struct sqlite_edge_group {
    enum edge_kind kind;
    struct str target;
    struct sqlite_places places;
};
int sqlite_edges_of_file(struct sqlite_conn *c, int64_t file_id,
                         struct sqlite_edges *ret_edges, sqlite3_stmt **ret_stmt);
int sqlite_edges_next(struct sqlite_edges *edges, struct arena *a,
                      struct sqlite_edge_group *ret_group);
int sqlite_places_next(struct sqlite_places *p, int64_t *ret_slot,
                       struct position *ret_at);
