#pragma once
/* Rows as every backend has them, whatever they lie in: files, entities, what is recalled of a
 * content, the edges of a file. Inside of src/store; plain data, whoever holds the handle.
 * An entity's id is file.id << SLOT_BITS | slot: rows of one file lie together, and an entity keeps
 * its slot as long as its key lives. */
#include "base/arena.h"
#include "base/vec.h"
#include "store/store.h"

struct tables;

#define SLOT_BITS 20
#define SLOT_MASK ((INT64_C(1) << SLOT_BITS) - 1)
#define SLOT_TARGETS SLOT_MASK // no entity's: of a file's edges as a whole
#define ENTITY_ID(file_id, slot) ((int64_t)(file_id) << SLOT_BITS | (int64_t)(slot))
/* Columns: of an entity; of its hover, for which NULL may stand. */
#define ENTITY_WHAT(kind, ordinal) ((int64_t)(ordinal) << 8 | (int64_t)(kind))
#define HOVER_NOT_ASKED ((int64_t)HOVER_REASON_NOT_ASKED << 4 | HOVER_UNKNOWN)

struct file_stored {
    struct file f;
    int64_t id;          // > 0, never given again
    int64_t content_gen; // counts the contents the file had
    int64_t text_gen;    // of the text index; 0: waits for it; -1: has nothing for it
    uint64_t n_entities, n_edges;
    int64_t log_seq; // of the event whose data is left to the rows; 0: none is
};

/* What is said of a file's hovers as a whole. */
struct file_counts {
    int64_t n_state[HOVER_STATE_COUNT];
    int64_t n_reason[HOVER_REASON_COUNT]; // of the unknown ones
    int64_t n_stale;                      // of the others
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

/* All entities of a file in their order: by start, outer first, then by id. */
struct entity_list {
    struct entity_stored *v;
    size_t n;
    struct entity_row *rows; // of rows_of_file(): complete, parents by index
};

/* Hovers of a content that no file has. id > 0; the newest is the one used last. */
struct past_row {
    int64_t id;
    struct hash128 content;
    struct str lang;
    uint64_t server_key;
    int64_t bytes, used_ms;
    struct str hovers; // bytes, see past.c
};

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
    int64_t past_id; // the past_row whose references these are; 0: they are a file's
    int64_t bytes;
};

int64_t rows_hover(const struct entity_stored *s);          // state, reason, generation
int rows_set_hover(struct entity_stored *s, int64_t hover); // -EBADMSG
/* As the contract shows it; parent_key and e.parent are the caller's to set. */
void rows_show(const struct entity_stored *s, const struct file_stored *f,
               struct arena *a, struct entity_row *ret_row);
/* Puts a list's values into their order, for a backend that does not read them so. */
void rows_sort(struct entity_list *list);
/* Entities with their hovers, keys and parents. -EBADMSG. */
int rows_of_file(struct tables *t, const struct file_stored *f, struct arena *a,
                 struct entity_list *ret_list);
/* What the log says of a file whose rows are still those it began with: the data of that event, byte
 * for byte as it was told. What hovers came later is not part of it. The list is of rows_of_file()
 * and keeps its values. */
void rows_first_data(const struct file_stored *f, const struct entity_list *list,
                     struct buf *b);
/* Of a past content, unless the caller knows that there is none, else of a file other than own_id; n
 * is 0 when nobody knows anything. Of file, content and lang count. */
int recall_load(struct tables *t, const struct file *file, int64_t own_id, bool with_past,
                struct arena *a, struct recall *ret_recall);
/* store_read_told(), within a view. */
int recall_told(struct tables *t, struct hash128 content, struct str lang,
                struct arena *a, struct store_told *ret_told);

/* A file's edges by the name they point to, as views of their text. Next until 0; 1 gives one; the same
 * for the places of each, where a slot of -1 is the file's scope. -EBADMSG. An escaped target lies in
 * the arena. */
struct edges {
    struct str rest;
};
struct edge_places {
    struct str numbers, utf16; // what is left of them
    bool has_utf16;
};
struct edge_group {
    enum edge_kind kind;
    struct str target;
    struct edge_places places;
};
int edges_open(struct str text, struct edges *ret_edges); // empty text: no edges
int edges_next(struct edges *edges, struct arena *a, struct edge_group *ret_group);
int edges_next_place(struct edge_places *p, int64_t *ret_slot, struct position *ret_at);
