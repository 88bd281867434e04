#pragma once
/* One root folder: its scan, stages, writer, query, bus, enrichment, and the state of each file. The order of the stages is
 * in workspace/pipeline.c and nowhere else. Loop thread. A registry holds the workspaces of this process, one per root. */
#include "base/str.h"
#include "bus/bus.h"
#include "config/config.h"
#include "model/snapshot.h"
#include "query/query.h"
#include "workspace/jobs.h"
#include "workspace/pushed.h"
#include "workspace/retry.h"
#include "workspace/sink.h"

#define WORKSPACE_ID_BYTES 13 // hex of the real root's hash: the same after a restart
#define WORKSPACE_COUNT_MAX 64
#define WORKSPACE_CREDITS 512        // files between scan and commit
#define WORKSPACE_CREDITS_RESERVED 8 // of them, kept for open documents

enum workspace_state {
    WORKSPACE_OPENING,   // the index is being opened
    WORKSPACE_INDEXING,  // a walk, or files behind it, are under way
    WORKSPACE_ENRICHING, // names are complete, hovers are being asked
    WORKSPACE_READY,
    WORKSPACE_PAUSED,    // enrichment stopped by the user
    WORKSPACE_FOLLOWING, // another engine writes the index; its events come all the same
    WORKSPACE_FAILED,    // why tells; nothing is indexed
    WORKSPACE_CLOSING,
    WORKSPACE_STATE_COUNT
};
const char *workspace_state_name(enum workspace_state state); // "opening", "indexing", …
struct workspaces;
struct workspace;
struct workspaces_options {
    const struct config *config;       // outlives the registry
    const char *guard_program;         // rt/child.h
    const char *db_url;                // --db, or NULL: the place of each root
    const struct workspace_sink *sink; // NULL: each has its index
    bool with_watch;                   // stay and watch; false: one index run, then quiet
};

/* Owns the pool. Nothing is indexed before the first workspace_acquire. */
struct workspaces *workspaces_open(struct loop *l,
                                   const struct workspaces_options *options) MUST_USE;
/* Sends pipeline:offline, stops scans and servers, commits what is queued, then on_closed. */
void workspaces_close(struct workspaces *all, void (*on_closed)(void *ctx), void *ctx);
/* NULL: past the end; none. */
struct workspace *workspaces_at(const struct workspaces *all, size_t index);
struct workspace *workspaces_by_id(const struct workspaces *all, struct str id);
/* The workspace of a root (any path; resolved); it stays open until the registry closes. Opens and starts it when there is
 * none yet. -ENOENT, -ENOTDIR, -EMFILE (WORKSPACE_COUNT_MAX)…; problems of its index arrive later as WORKSPACE_FAILED. No
 * program is started for it before somebody who trusts the folder acquires it. */
int workspaces_acquire(struct workspaces *all, const char *root, bool is_trusted,
                       struct workspace **ret_workspace);
/* Status object of everything: {"workspaces":[…],"closed":[…]}, as workspace_add_status and workspaces_add_closed. */
void workspaces_add_status(struct buf *json, const struct workspaces *all);
struct pool *workspaces_pool(const struct workspaces *all); // its workers

const char *workspace_id(const struct workspace *w);
const char *workspace_root(const struct workspace *w);  // real path, or "pushed:NAME"
const char *workspace_epoch(const struct workspace *w); // "" while opening
int64_t workspace_first_seq(const struct workspace *w); // the oldest event still kept
enum workspace_state workspace_state(const struct workspace *w);
const char *workspace_why(const struct workspace *w); // of FAILED; else NULL
struct bus *workspace_bus(const struct workspace *w);
struct query *workspace_query(const struct workspace *w); // NULL while opening or failed
/* View into `absolute` below the root; p is NULL when it is outside. */
struct str workspace_relative(const struct workspace *w, const char *absolute);
char *workspace_absolute(const struct workspace *w, struct str relative) MUST_USE;
/* Object: id, root, state, why, epoch, head, first_seq, files{…}, entities, edges, hovers{known,empty,unknown,stale,reused}, reasons{…},
 * past{contents,size_bytes}, progress{done,total}, queue{depth,…}, servers[{name,state,why,version,pid,…}], watched, unwatched, max_watches. */
void workspace_add_status(struct buf *json, const struct workspace *w);
/* Of it what costs nothing, as members behind another: files (indexed ones), entities, hovers{…}. */
void workspace_add_brief(struct buf *json, const struct workspace *w);

/* Told on the loop when state or progress changed, at most every 100 ms, and the last one always. */
struct workspace_listener;
struct workspace_listener *workspace_listen(struct workspace *w, void (*fn)(void *ctx),
                                            void *ctx) MUST_USE;
void workspace_unlisten(struct workspace_listener *l);
struct workspace_progress {
    uint64_t files_done, files_total; // of this walk; total grows while it runs
    uint64_t hover_files_done, hover_files_total;
};
struct workspace_progress workspace_progress(const struct workspace *w);

struct workspace_summary {
    int r;                                                        // 0, or -errno
    const char *why;                                              // of an error: one line
    uint64_t files, skipped, failed, unchanged, removed, ignored; // of this run's walk
    uint64_t reasons[FILE_REASON_COUNT]; // why files have no entities
    struct store_counts counts;          // after it
    struct store_info info;
    int64_t took_ms;
};
void workspace_add_summary(struct buf *json, const struct workspace_summary *summary);
typedef void (*workspace_summary_fn)(void *ctx, const struct workspace_summary *summary);
/* Walk again and call back when everything found is committed; with_enrich: and every hover was asked once. */
void workspace_index(struct workspace *w, bool with_enrich, workspace_summary_fn fn,
                     void *ctx);
void workspace_reindex(struct workspace *w, struct str path); // one file
/* Enrichment: stops, goes on, lets an editor's request go first. */
void workspace_pause(struct workspace *w);
void workspace_resume(struct workspace *w);
void workspace_yield(struct workspace *w);

/* Documents open in an editor: they overlay the disk. path relative; the text of the last call wins when two editors have it open. language_id from didOpen. */
void workspace_doc_open(struct workspace *w, struct str path, struct str language_id,
                        struct snapshot *text);
void workspace_doc_change(struct workspace *w, struct str path, struct snapshot *text);
void workspace_doc_save(struct workspace *w, struct str path);
void workspace_doc_close(struct workspace *w, struct str path);
/* Hovers the editor has of a text. Takes them; done, which may come at once, sees what became of them. */
void workspace_doc_hovers(struct workspace *w, struct str path, struct handed_hovers *h,
                          void (*done)(void *ctx, const struct handed_hovers *h),
                          void *ctx);
/* Somebody looks at this file: if there are hovers to ask for, it is next. */
void workspace_want_hovers(struct workspace *w, struct str path);
/* Entities of a file as it is now: of the open document's text, else of the index. As query_file. */
void workspace_outline(struct workspace *w, struct str path, query_done_fn done,
                       void *ctx);
