#pragma once
/* What the files of this folder share. Nobody else includes it. */
#include "base/list.h"
#include "base/map.h"
#include "enrich/enrich.h"
#include "extract/extract.h"
#include "model/batch.h"
#include "parse/parse.h"
#include "rt/timer.h"
#include "scan/scan.h"
#include "workspace/workspace.h"

#define WORKSPACE_PARSE_DEADLINE_MS 1000
#define WORKSPACE_SCAN_AHEAD 256 // files waiting for a credit before the walk pauses
#define WORKSPACE_NOTIFY_MS 100  // listeners are told at most this often
#define WORKSPACE_COUNTS_MS 1000 // counts are read again at most this often
#define WORKSPACE_ENRICH_AHEAD 6 // files handed to enrich before the next is looked up
#define WORKSPACE_TYPING_MS 1000 // a buffer changed this lately is not asked about
#define WORKSPACE_RETRY_MS 30000 // after the index could not be written, walk again

/* One per worker of the pool; touched by that worker alone. */
struct worker_tools {
    struct parser *parser;
    struct extractor *extractor;
};

struct workspaces {
    struct loop *loop;
    struct workspaces_options options;
    struct pool *pool;
    struct worker_tools *tools;
    unsigned n_tools;
    struct list all; // struct workspace.link
    size_t n_open;
    bool is_closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

/* What the store last said of a path, so that an unchanged file costs one look-up. */
struct known_file {
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    struct hash128 content;
    struct hash128 asked; // content whose hovers were asked for in this run
    enum file_state state;
    unsigned walk;  // last walk that saw it
    bool is_stored; // false: seen, not committed yet
};

/* A document that at least one editor has open. */
struct doc {
    struct snapshot *text;
    char *language_id;
    unsigned n_open;
    int64_t changed_ms; // clock_mono_ms
};

enum file_job_kind { JOB_INDEX, JOB_DELETE };

/* The way of one path from "it changed" to its commit. At most one per path:
 *   WAITING (for a credit) → WORKING (on the pool) → STORING (in the writer's queue) → gone
 * A change meanwhile sets is_again, and the job starts over when it is through. */
enum file_job_state { JOB_WAITING, JOB_WORKING, JOB_STORING };

struct file_job {
    struct pool_job pool;
    struct list link; // of workspace.waiting
    struct workspace *w;
    char *path;
    enum file_job_kind kind;
    enum file_job_state state;
    bool is_again, is_urgent;
    /* for the worker */
    char *absolute;
    struct snapshot *text; // NULL: from disk
    struct hash128 known_content;
    bool is_known;
    size_t max_file_bytes;
    struct worker_tools *tools;
    /* from the worker */
    struct batch *batch; // NULL: vanished, or the overlay says what the index has
    bool is_gone;
    struct hash128 content;
};

struct index_run {
    struct list link;
    struct workspace *w;
    bool with_enrich;
    unsigned walk; // done when this walk's files are committed
    workspace_summary_fn fn;
    void *ctx;
    int64_t started_ms;
    bool is_flushing;
};

struct workspace {
    struct list link;
    struct workspaces *all;
    char id[WORKSPACE_ID_BYTES];
    char *root;
    char *url;
    struct config *own_config; // tuned by the workspace's own file; NULL: the user's
    const struct config *config;
    struct writer *writer;
    struct query *query;
    struct bus *bus;
    struct scan *scan;
    struct enrich *enrich;
    struct store_info info;
    bool is_open;
    char *why;
    bool is_closing;
    unsigned closing_parts;

    /* pipeline */
    struct map *known; // path → struct known_file
    struct map *jobs;  // path → struct file_job
    struct list waiting;
    size_t n_waiting, n_working, credits;
    unsigned walk;
    bool is_walking, is_walk_complete, has_walked, is_scan_paused;
    uint64_t walk_files, walk_done, walk_unchanged, walk_removed;
    uint64_t n_not_stored; // since the walk began: the index cannot be written, a later walk tries again
    int not_stored_r;      // why, of the first
    struct timer *retry_timer;

    /* documents */
    struct map *docs; // path → struct doc

    /* enrichment */
    struct list to_ask; // struct ask
    struct map *to_ask_paths;
    size_t n_to_ask, n_looking_up;
    bool is_asking_store, has_asked_store, is_paused, is_trusted;
    uint64_t hover_files_done, hover_files_total;
    struct timer *typing_timer;

    /* runs and listeners */
    struct list runs;
    struct list listeners;
    struct timer *notify_timer;
    struct timer *counts_timer;
    struct store_counts counts;
    bool is_counting, counts_are_old;
};

/* workspace.c */
void workspace_changed(struct workspace *w); // tell listeners soon
void workspace_fail(struct workspace *w, const char *why);
void workspace_part_closed(void *ctx); // one asynchronous part less
int workspace_create(struct workspaces *all, char *root,
                     struct workspace **ret_workspace);
void workspace_close(struct workspace *w); // ends in registry's on_workspace_closed
void workspaces_forget(struct workspaces *all, struct workspace *w);

/* pipeline.c */
void pipeline_init(struct workspace *w);
void pipeline_finish(struct workspace *w);
void pipeline_start(struct workspace *w); // known files are read, then the first walk
void pipeline_walk(struct workspace *w);
void pipeline_touch(struct workspace *w, struct str path, enum file_job_kind kind,
                    bool is_urgent);
bool pipeline_is_idle(const struct workspace *w);
/* The writer failed (disk full…): one line, what waits is left to a later walk. */
void pipeline_not_stored(struct workspace *w, const char *what, int r);
struct known_file *pipeline_known(struct workspace *w, struct str path, bool create);

/* index_file.c, on a worker */
void index_file_work(struct pool_job *job, unsigned worker);

/* documents.c */
void documents_init(struct workspace *w);
void documents_finish(struct workspace *w);
struct doc *documents_find(const struct workspace *w, struct str path);

/* asking.c */
void asking_init(struct workspace *w);
void asking_open(struct workspace *w);
void asking_finish(struct workspace *w);
void asking_from_store(struct workspace *w);            // what the store says is unknown
void asking_file(struct workspace *w, struct str path); // it changed: before the rest
void asking_forget(struct workspace *w);                // all may be asked once more
bool asking_is_idle(const struct workspace *w);
bool asking_is_wanted(const struct workspace *w);
void asking_trust(struct workspace *w); // from now on servers may be started

/* runs.c */
void runs_check(struct workspace *w); // after anything that may complete one
void runs_finish(struct workspace *w);
void counts_refresh(struct workspace *w);
