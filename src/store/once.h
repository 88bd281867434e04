#pragma once
/* Idempotency keys of what scanners send, and what was answered to them. Inside of src/store; the writer's
 * thread, within its transaction. */
#include "model/ingest.h"
#include "store/tables.h"

/* Why an item cannot be done; their numbers are kept. */
enum once_fault {
    ONCE_DONE,
    ONCE_UNREADABLE, // before it came here
    ONCE_WITHIN_ITSELF,
    ONCE_TOO_DEEP,
    ONCE_NO_PARENT,
    ONCE_TOO_MANY_ENTITIES,
    ONCE_TOO_MANY_EDGES,
    ONCE_OTHER_LANGUAGE,
};
const char *once_fault_text(enum once_fault fault); // NULL: done

struct table_writer;

/* An item's key is known from now on. */
int once_put(struct table_writer *w, struct str key, int64_t seq);
/* batch->once is, with what became of each of its items, if it is more than that it is done. */
int once_put_batch(struct table_writer *w, const struct ingest_batch *batch);
/* Of a batch whose key is known, and its seq is set: says of each item again what was said. */
int once_get_outcomes(struct table_writer *w, struct ingest_batch *batch);
