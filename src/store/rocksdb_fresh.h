#pragma once
/* What a load writes and nobody reads before its commit. Inside of the RocksDB backend; the writer's thread. */
#include "base/str.h"
#include "base/vec.h"

#define ROCKS_ENTITY_KEY_BYTES 11 // file id, slot

struct rocks_conn;
struct rocks_key;

/* Entities of files that the transaction made, which no read of it finds yet. Nearly all that a load writes is
 * of this kind and is not read before its commit, and what a row needs to be found is most of what a
 * put costs. Whatever touches one of them puts all of them where they are found first. */
struct rocks_fresh {
    struct buf bytes; // keys of ROCKS_ENTITY_KEY_BYTES, each before its row
    VEC(size_t) ends; // of the rows
};

/* Of ROCKS_ENTITY, and behind all that are there: of a file that this transaction made. */
void rocks_put_fresh(struct rocks_conn *c, const struct rocks_key *key, struct str row);
void rocks_batch_clear(struct rocks_conn *c);
