#pragma once
/* What a load writes and nobody reads before its commit. Inside of the RocksDB backend; the writer's thread. */
#include "base/str.h"
#include "base/vec.h"

struct rocks_conn;

/* A row by where it ends in what the transaction writes. */
struct rocks_fresh_row {
    size_t end, key_n, value_n;
};

/* Rows of one family whose keys lie behind all that it has, in their order: of files that the transaction made, and
 * events. No read of it finds them yet. Nearly all that a load writes is of this kind and is not read before its
 * commit, and what a row needs to be found is most of what a put costs. Whatever touches one of them first puts all
 * of the family where they are found. */
struct rocks_fresh {
    VEC(struct rocks_fresh_row) rows;
};

void rocks_batch_clear(struct rocks_conn *c);
