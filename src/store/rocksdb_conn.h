#pragma once
/* RocksDB behind one struct: the database that a process has once, and a writer's or a reader's way
 * into it. Inside of the RocksDB backend; whoever holds the handle.
 * Keys, numbers big-endian so that they lie in their order:
 *   meta    key as text                        value as text; NUL: ids, letters, jobs
 *   file    file id                            the row
 *   count   file id                            what is said of its hovers as a whole
 *   look    'p' path                           file id
 *           'c' content, file id               (of files of which something is known)
 *           't' file id                        (waits for the text index); 'g' generation: file id
 *           'k' idempotency key                seq; 'o' time, key: the oldest of them
 *   entity  file id, slot                      the row: a prefix gives a file's
 *   edge    file id                            the text
 *   hover   hover id, 0 or 1                   server and text; how many show it
 *   past    'r' id                             the row; 'c' content, lang: id
 *   event   seq                                the row
 *   name    'n' hash of a name, generation     slots; 'c' hash of a target: the same
 *   word    word, NUL, generation              slots, and where each has it */
#include "rt/shared.h"
#include "store/rocksdb_fresh.h"
#include "store/rocksdb_lib.h"
#include "store/tables.h"

/* Kept as one row of meta. */
struct rocks_ids {
    int64_t head, first; // seqs: last given, oldest kept
    int64_t file, past;  // last given
};

enum rocks_family {
    ROCKS_META, // the "default" one
    ROCKS_FILE,
    ROCKS_COUNT,
    ROCKS_LOOK,
    ROCKS_ENTITY,
    ROCKS_EDGE,
    ROCKS_HOVER,
    ROCKS_PAST,
    ROCKS_EVENT,
    ROCKS_NAME,
    ROCKS_WORD,
    ROCKS_FAMILIES
};

/* The thing that is shared; or a reader's own, of another process' index. */
struct rocks_db {
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[ROCKS_FAMILIES];
};

struct rocks_conn {
    struct tables t;
    struct rocks_db *db;
    rocksdb_readoptions_t *read; // with the view's snapshot
    bool is_damaged;             // RocksDB met damage: the next start has to look
    /* A writer's. */
    rocksdb_writebatch_t *all;                // what the transaction writes
    rocksdb_writebatch_wi_t *batch;           // as much of it as its reads can find
    struct rocks_fresh fresh[ROCKS_FAMILIES]; // and the rest
    struct rocks_ids ids;
    bool has_ids, are_ids_new;         // looked for; not in the batch yet
    bool may_have_told, is_told_known; // see has_told()
    /* A reader's. */
    const rocksdb_snapshot_t *snapshot; // of the view
    int stop_fd;                        // an eventfd: store_reader_interrupt(); -1: none
    unsigned n_steps;                   // since it was looked at
};

#define ROCKS_DOUBT ".doubt" // beside the folder: see rocks_reader_close()
#define rocks_conn_of(tables) container_of((tables), struct rocks_conn, t)

/* Takes the text that RocksDB told (or NULL), and frees it: -errno. */
int rocks_errno(char *error);

/* ---- keys ---- */

#define ROCKS_KEY_BYTES 64 // a word, its end, a generation

struct rocks_key {
    char p[ROCKS_KEY_BYTES];
    size_t n;
};

struct rocks_key rocks_key_id(int64_t id);
struct rocks_key rocks_key_entity(int64_t entity_id);
struct rocks_key rocks_key_mark(char mark, int64_t id);
struct rocks_key rocks_key_content(char mark, struct hash128 content);
void rocks_key_add(struct rocks_key *key, int64_t id);
struct str rocks_key_str(const struct rocks_key *key);
int64_t rocks_key_read(struct str key, size_t at); // 0 when it is too short

int rocks_get(struct rocks_conn *c, enum rocks_family family, struct str key,
              struct arena *a, struct str *ret_value); // 1/0
void rocks_put(struct rocks_conn *c, enum rocks_family family, struct str key,
               struct str value);
/* Of a key behind all that its family has. */
void rocks_put_fresh(struct rocks_conn *c, enum rocks_family family, struct str key,
                     struct str value);
void rocks_delete(struct rocks_conn *c, enum rocks_family family, struct str key);

/* Of the view, or as the transaction has them. */
int rocks_ids_get(struct rocks_conn *c, struct rocks_ids *ret_ids);

/* ---- many, in the order of their keys ---- */

struct rocks_walk {
    struct rocks_conn *c;
    rocksdb_iterator_t *it;
    struct rocks_key prefix; // all keys begin with it
    bool is_begun;
    struct str key, value; // until the next step
};

/* Those that begin with the prefix, from `from` on, which begins with it; empty: from the first. The
 * family is not written to until rocks_walk_close(). */
void rocks_walk_open(struct rocks_walk *walk, struct rocks_conn *c,
                     enum rocks_family family, struct rocks_key prefix, struct str from);
int rocks_walk_next(struct rocks_walk *walk); // 1 one, 0 the end, -EINTR
void rocks_walk_close(struct rocks_walk *walk);
