#pragma once
/* How far a copy came, as the target says it: written with the rows it speaks of. Inside of copy.c. */
#include "store/store.h"

struct copy_mark {
    char epoch
        [STORE_EPOCH_BYTES]; // of the source, with its head: the rows that were copied
    int64_t head;
    struct store_copied n; // but what is no number of rows
    uint64_t n_past_seen;  // some of them are nothing any more
};

/* -ENOENT: `w` is no partial copy. One that is of nothing we know has an empty epoch. */
int copy_mark_read(struct store_writer *w, struct copy_mark *ret_mark);
/* These within a transaction. */
int copy_mark_write(struct store_writer *w, const struct copy_mark *mark);
int copy_mark_remove(struct store_writer *w); // it is whole
/* A partial index without anything but its mark; the log goes on with the next seq. Outside of transactions. */
int copy_clear(struct store_writer *w);
