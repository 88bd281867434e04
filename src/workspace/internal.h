#pragma once
/* What the files of this folder share. Nobody else includes it. */
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "enrich/enrich.h"
#include "lang/lang.h"
#include "rt/timer.h"
#include "scan/scan.h"
#include "workspace/asking.h"
#include "workspace/asks.h"
#include "workspace/editor.h"
#include "workspace/following.h"
#include "workspace/pipeline.h"
#include "workspace/pushed_parts.h"
#include "workspace/runs.h"
#include "workspace/siblings.h"
#include "workspace/workspace.h"

#define WORKSPACE_STATUS_BYTES 192

struct workspaces {
    struct loop *loop;
    struct workspaces_options options;
    struct pool *pool;
    struct worker_tools *tools;
    unsigned n_tools;
    struct watch_budget watches;
    struct list all;          // struct workspace.link
    struct list gone;         // alike: deleted, and somebody may point to it
    size_t n_open, n_ingests; // the latter: batches that are not committed yet
    struct ingest_totals ingested;
    bool is_closing;
    size_t n_jobs_running, n_jobs_ingesting; // the latter are of the former
    struct timer *jobs_timer;                // jobs that are due later
    struct timer *editor_timer;              // armed: one asked in the last
    uint64_t editor_ms;                      // of them; shorter in tests
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

struct workspace {
    struct list link;
    struct workspaces *all;
    char id[WORKSPACE_ID_BYTES];
    char *root;          // or WORKSPACE_PUSHED and the name
    char *name;          // of one that has no folder; else NULL
    struct list ingests; // pushed.c: those that wait for the index
    bool is_deleted;
    void (*on_deleted)(void *ctx);
    void *deleted_ctx;
    char *url, *shown;    // shown: without passwords
    struct str own_index; // the index's path below the root; empty when it lies elsewhere
    struct config *own_config; // tuned by the workspace's own file; NULL: the user's
    const struct config *config;
    struct writer *writer;
    struct query *query;
    struct bus *bus;
    struct scan *scan; // NULL: the first walk has not begun, or it is closing
    struct enrich *enrich;
    struct store_info info;
    bool is_open;
    char *why;
    struct following *following; // NULL: this engine writes the index
    bool is_closing;
    unsigned closing_parts, n_leftovers; // that close while the rest goes on

    /* pipeline */
    struct known_files *known;
    struct map *jobs; // path → struct file_job
    struct trees *trees;
    struct list waiting;
    struct list leaving; // deletions
    struct list early;   // worked before the index is open
    bool is_known;       // the table of known files has what the index has
    size_t n_waiting, n_leaving, credits;
    size_t n_deleting; // at the writer
    int64_t leaving_since_ms;
    size_t n_working;  // pool jobs and commits that closing waits for
    size_t n_storing;  // jobs at the writer
    size_t held_bytes; // by batches between worker and commit
    bool is_flushing;  // the writer was told that nothing more comes for now
    unsigned walk;
    bool is_walking, has_walked, is_scan_paused;
    int root_r; // why the root could not be read when it was last looked at; 0: it was
    uint64_t walk_files, walk_done, walk_unchanged, walk_removed;
    struct timer *retry_timer;
    uint64_t retry_ms;
    uint64_t n_not_stored; // since the walk began; a later one tries again
    int not_stored_r;      // why, of the first
    bool is_stuck; // the index cannot be written: nothing is tried before the next walk

    /* documents */
    struct map *docs; // path → struct doc

    /* enrichment; by language, so that a slow server keeps none waiting but its own */
    struct asks *asks; // that wait
    size_t n_asking[ASKS_LANGS];
    bool is_left[ASKS_LANGS];  // files of it were not asked about: it had no server
    struct list texts;         // asking_text.c: those that wait
    struct siblings *siblings; // of the worker that reads a text
    uint64_t server_keys[LANG_COUNT_MAX]; // that the index was told of
    size_t n_asking_all;
    bool is_asking_store, has_asked_store, is_paused, is_trusted;
    unsigned n_expiries; // how often what another server told became stale
    bool is_store_newer; // than what it is being asked
    bool is_reading_text;
    uint64_t hover_files_done, hover_files_total;
    struct timer *typing_timer;
    struct timer *unasked_timer;
    struct query_result
        *unasked;     // what the store has without a hover, while it is queued
    size_t n_unasked; // that are

    /* handed.c: hovers from editors */
    struct list handed; // those that wait
    size_t n_handing;
    uint64_t n_handed, n_handed_dropped;

    struct jobs *background; // what was submitted: jobs.c

    /* runs and listeners */
    struct list runs;
    struct list listeners;
    struct list *next_listener; // while they are told
    struct timer *notify_timer, *counts_timer;
    char status_told[WORKSPACE_STATUS_BYTES]; // data of the last status:update
    struct store_counts counts;
    bool is_counting, counts_are_old;
};

/* workspace.c */
void workspace_changed(struct workspace *w); // tell listeners soon
void status_publish(struct workspace *w);    // when it is not what was told last
void workspace_fail(struct workspace *w, const char *why);
void workspace_part_closed(void *ctx); // one asynchronous part less
/* Takes root. name: of one without a folder, else NULL. */
int workspace_create(struct workspaces *all, char *root, const char *name,
                     struct workspace **ret_workspace);
void workspace_close(struct workspace *w);   // ends in workspaces_forget()
void workspace_destroy(struct workspace *w); // of one that is closed
void workspaces_forget(struct workspaces *all, struct workspace *w);

/* documents.c: those that at least one editor has open */
struct doc {
    struct snapshot *text;
    char *language_id;
    unsigned n_open;
    int64_t changed_ms; // clock_mono_ms; 0: not typed in
};
void documents_init(struct workspace *w);
void documents_finish(struct workspace *w);
void documents_each(struct workspace *w,
                    void (*fn)(struct workspace *w, struct str path));
void documents_touch(struct workspace *w); // index all
struct doc *documents_find(const struct workspace *w, struct str path);

/* handed.c */
void handed_committed(struct workspace *w, struct str path); // or it is not under way
void handed_close(struct workspace *w);
