#pragma once
/* The stages: what is known of each path, and the way of one path from "it changed" to its commit. */
#include "base/hash.h"
#include "base/list.h"
#include "bodies/bodies.h"
#include "extract/extract.h"
#include "model/batch.h"
#include "model/snapshot.h"
#include "parse/parse.h"
#include "rt/pool.h"
#include "workspace/known.h"
#include "workspace/trees.h"

#define WORKSPACE_PARSE_DEADLINE_MS 1000
#define WORKSPACE_SCAN_AHEAD 256 // files waiting for a credit before the walk pauses
/* Batches on their way to their commit, all together: a transaction and what follows it. A file more is
 * begun as long as it is less. */
#define WORKSPACE_HELD_BYTES_MAX ((size_t)2 * WRITER_BATCH_BYTES)
#define WORKSPACE_BATCH_BYTES_PER_TEXT 8 // of a file of nothing but definitions
#define WORKSPACE_LEAVE_MS_MAX 1000      // deletions wait so long for files that come
#define WORKSPACE_RETRY_MS 30000 // after the index could not be written, walk again,
#define WORKSPACE_RETRY_MS_MAX 1000000 // and twice as late each time

struct workspace;

/* One per worker of the pool; touched by that worker alone. */
struct worker_tools {
    struct parser *parser;
    struct extractor *extractor;
    struct bodies *bodies;
    struct buf text; // of the last file read
};

enum file_job_kind { JOB_INDEX, JOB_DELETE };

/* At most one per path:
 *   WAITING (for a credit) → WORKING (on the pool) → STORING (in the writer's queue; kept back before
 *   the index is open) → gone
 * A change meanwhile sets is_again, and the job starts over, as again_kind, when it is through. */
enum file_job_state { JOB_WAITING, JOB_WORKING, JOB_STORING };

struct file_job {
    struct pool_job pool;
    struct list link; // of workspace.waiting, leaving or early
    struct workspace *w;
    char *path;
    enum file_job_kind kind, again_kind;
    enum file_job_state state;
    bool is_again, is_urgent;
    bool is_leaving;     // while it waits: in workspace.leaving
    uint64_t size_bytes; // of the file, when the walk saw it; 0: not known
    size_t held_bytes;   // of workspace.held_bytes
    /* for the worker */
    char *absolute;
    struct snapshot *text; // NULL: from disk
    struct hash128 known_content;
    bool is_known;
    size_t max_file_bytes;
    bool is_parsed_full;
    struct worker_tools *tools;
    bool with_kept;         // saved or typed in: the next version comes soon
    struct kept_tree *kept; // of the version before, then of this one
    /* from the worker */
    struct batch *batch; // NULL: the overlay says what the index has
    bool is_gone;
};

void pipeline_init(struct workspace *w);
void pipeline_finish(struct workspace *w);
void pipeline_start_early(
    struct workspace *w); // there is no index yet: walk while it is made
/* The index is open: known files are read, then the first walk, if it has not begun. */
void pipeline_start(struct workspace *w);
void pipeline_drop_early(struct workspace *w); // it does not open, or is closing
void pipeline_walk(struct workspace *w);
/* Nothing before the first walk begins: then all open documents are touched. */
void pipeline_touch(struct workspace *w, struct str path, enum file_job_kind kind,
                    bool is_urgent);
bool pipeline_is_idle(const struct workspace *w);
/* The writer failed: one line; a later walk tries again. If it is the index that cannot be written
 * (disk full…), what waits is left to that walk too. */
void pipeline_not_stored(struct workspace *w, const char *what, int r);
/* What is the matter then. Static. */
const char *pipeline_trouble(const struct workspace *w);

/* index_file.c, on a worker */
void index_file_work(struct pool_job *job, unsigned worker);
