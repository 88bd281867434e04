#pragma once
/* Merges of the text index's runs, a piece at a time. Inside of the SQLite backend; the writer's thread,
 * within its transaction. */
#include "store/sqlite_runs.h"

#define RUNS_MERGED                                                                      \
    16 // of one level: so many lie beside each other at most, and one more

struct text_merge {
    struct text_cursor in[RUNS_MERGED];
    size_t n;                               // 0: none is under way
    struct text_cursor *order[RUNS_MERGED]; // those not at their ends, by key
    size_t n_left;
    struct text_out out;
    int64_t level;    // of those merged
    int64_t last_run; // given
    bool is_swept;    // nothing is left of what was merged or given up
};

/* An id that no leaf has. */
int sqlite_run_new(struct sqlite_conn *c, struct text_merge *m, int64_t *ret_run);
/* About so many bytes of postings further. */
int sqlite_merge_step(struct sqlite_conn *c, struct text_merge *m, size_t n_bytes,
                      bool *ret_more);
/* Of a merge under way nothing counts any more; after a rollback, and at the end. */
void sqlite_merge_drop(struct text_merge *m);
