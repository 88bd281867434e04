#pragma once
/* Entities that a scanner of somebody else's sends. Part of store.h, which includes it. The writer's thread. */
#include "model/ingest.h"

#define STORE_ONCE_AGE_MS                                                                \
    (24LL * 3600 * 1000)        // idempotency keys; then store_prune() takes them
#define STORE_ONCE_ROWS 1000000 // the oldest go first

struct store_writer;

/* Within a transaction. Items in their order; those of one file make one event, as one store_put_file()
 * does. An entity takes the place of that of its key, with its edges, and leaves the others of its file; one
 * without a hover keeps what it has as long as signature and doc stay. What cannot be done has its fault and
 * changes nothing. A file is the sender's who sent all of it, until another one changes it. An item whose key
 * is known is not done again, and has the seq that it had. Below 0, as store.h says: the transaction is to be rolled back. */
int store_put_entities(struct store_writer *w, struct ingest_batch *batch);
