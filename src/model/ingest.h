#pragma once
/* What a scanner of somebody else's sends: entities, files and deletions, in their order. Plain data; one
 * owner at a time. Made where lines are read, given to the writer, which fills in what became of each
 * item, and given back. */
#include "base/arena.h"
#include "base/base.h"
#include "base/hash.h"
#include "model/edge.h"
#include "model/entity.h"
#include "model/event.h"

#define INGEST_KEY_BYTES_MAX 256 // idempotency
#define INGEST_PATH_BYTES_MAX 1024
#define INGEST_LANG_BYTES_MAX 32
#define INGEST_QUALIFIED_BYTES_MAX 2048
#define INGEST_LINE_MAX ((1u << 24) - 2) // of a text; see ingest_place()
#define INGEST_COLUMN_MAX 1000000
#define INGEST_EDGES_MAX 10000 // of an entity
#define INGEST_DEPTH_MAX 64    // parents of parents

enum ingest_op {
    INGEST_BAD, // fault says why; nothing else is set
    INGEST_PUT_ENTITY,
    INGEST_DELETE_ENTITY,
    INGEST_PUT_FILE, // all the file has
    INGEST_DELETE_FILE,
};

struct ingest_entity {
    struct entity e;       // parent is not set: parent_key
    struct str parent_key; // of the same file; empty: at its scope
    struct hover hover;    // unknown: nothing is said
    struct edge *edges;    // from is not set: the entity
    size_t n_edges;
};

struct ingest_item {
    enum ingest_op op;
    uint64_t line;   // the sender's number
    struct str once; // idempotency key; empty: none
    struct str path, lang;
    struct str key; // of the entity to delete
    struct ingest_entity *entities;
    size_t n_entities; // 1 of INGEST_PUT_ENTITY
    struct edge *edges;
    size_t n_edges; // of a file, at its scope
    /* what became of it */
    const char *fault; // static; NULL: it is done
    bool is_again;     // its key was there: nothing was done now
    bool is_found;     // what was to be deleted was there
    int64_t seq;       // of the commit that did it
};

struct ingest_batch {
    struct arena arena; // all strings and arrays below, but for the two
    struct str source;  // hover.server of what is told with an entity
    struct str once;    // idempotency key of the whole; empty: none
    uint64_t sender;    // who sends all of it; 0: not said
    struct ingest_item *v;
    size_t n, cap;
    size_t text_bytes; // that it was read from
    struct event **events;
    size_t n_events; // of the commit, in order
    bool is_again;   // the whole was there
    int64_t seq;     // of the last one done
};

struct ingest_batch *ingest_batch_create(void) MUST_USE;
void ingest_batch_destroy(struct ingest_batch *b);
/* A new item, zeroed; pointers to others end. */
struct ingest_item *ingest_batch_add(struct ingest_batch *b);
void ingest_batch_add_event(struct ingest_batch *b, struct event *event); // takes it
/* What was done is undone: all of it may be done again. */
void ingest_batch_reset(struct ingest_batch *b);
size_t ingest_batch_bytes(const struct ingest_batch *b);
/* A sender's name as a number; of none: 0. */
uint64_t ingest_sender(struct str name);
/* Nobody has the text: a byte offset that keeps the order of places. */
uint32_t ingest_place(uint32_t line, uint32_t column);
DEFINE_AUTO(ingest_batch_destroy, struct ingest_batch *)
