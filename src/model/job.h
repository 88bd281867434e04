#pragma once
/* Work that somebody asked for and does not wait for: what it is, when it is due, what came of it. A row
 * of the index as long as it is kept. Texts are the job's own. One owner at a time. */
#include "base/base.h"
#include "base/list.h"
#include "base/str.h"

#define JOB_ID_BYTES 19 // "j-", 16 hex digits and NUL
#define JOB_PRIORITY_MAX 100

/* The index has their names: append only. */
enum job_kind {
    JOB_REINDEX, // look at files again
    JOB_ENRICH,  // ask again for hovers that are not known
    JOB_INGEST,  // entities from outside
    JOB_RETRY,   // dead letters
    JOB_KIND_COUNT
};

enum job_state {
    JOB_PENDING,
    JOB_RUNNING,
    JOB_COMPLETED,
    JOB_FAILED, // after its last try: kept, and may be tried again
    JOB_CANCELLED,
    JOB_STATE_COUNT
};

struct job {
    struct list link; // the owner's
    char id[JOB_ID_BYTES];
    enum job_kind kind;
    enum job_state state;
    int priority;      // -JOB_PRIORITY_MAX to JOB_PRIORITY_MAX; the higher one first
    unsigned attempts; // times it was begun, of this run
    unsigned failures; // of them
    int64_t runs;      // how often it came to its end
    int64_t done, total;
    int64_t every_s; // begins again so long after it was due; 0: once
    /* Wall clock; 0: not yet. */
    int64_t submitted_ms, run_at_ms, started_ms, ended_ms;
    char *request, *result; // JSON objects; NULL: none, or not kept
    char *error;            // in words; NULL: none
};

/* "reindex", "enrich", "ingest", "retry" */
const char *job_kind_name(enum job_kind kind);
int job_kind_parse(struct str name, enum job_kind *ret_kind); // -ENOENT
/* "pending", "running", "completed", "failed", "cancelled" */
const char *job_state_name(enum job_state state);
int job_state_parse(struct str name, enum job_state *ret_state); // -ENOENT
bool job_has_ended(const struct job *j); // and will not begin again by itself
/* What ids look like, whoever says them. */
bool job_id_is_wellformed(struct str id);

struct job *job_create(enum job_kind kind) MUST_USE; // pending, with an id of its own
struct job *job_copy(const struct job *j) MUST_USE;
void job_destroy(struct job *j);
DEFINE_AUTO(job_destroy, struct job *)
/* A copy of s, or NULL of the empty view, takes the place of *text. */
void job_set_text(char **text, struct str s);
