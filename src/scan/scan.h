#pragma once
/* Which files there are and which changed: walk of the root with ignore rules, then watching.
 * Directories are read by pool jobs, one each. Directories are remembered, files are not: memory does
 * not grow with their number (but for those in directories that could not be watched).
 * Loop thread. Owns the watch. Symlinks are not followed out of the root; a directory is visited once
 * (device, inode), so loops end. */
#include "base/base.h"
#include "base/fs.h"
#include "base/str.h"
#include "config/config.h"
#include "rt/loop.h"
#include "rt/pool.h"

struct scan;

struct scan_events {
    /* A regular file that is not ignored; path relative to the root. Both in the walk and when it changed later. */
    void (*on_file)(void *ctx, struct str path, const struct fs_stat *stat);
    /* It is gone, or is ignored now; path may be a directory: everything below it too. Only from watching. */
    void (*on_removed)(void *ctx, struct str path);
    /* A directory could not be read: one line for the user. Path "": the root, in every walk; while it
     * is watched it is looked for, and on_rescan follows when it is there again. */
    void (*on_problem)(void *ctx, struct str path, int r);
    /* The walk ended: what on_file did not name is gone. Also after a rescan. is_complete: no directory failed or was cut short by scan_cancel. */
    void (*on_walked)(void *ctx, bool is_complete);
    /* A rescan begins (events were lost, or the root is another folder now): treat it as a new walk. */
    void (*on_rescan)(void *ctx);
    /* Nothing is being looked at any more: all that was seen so far is told. Comes often. May be NULL. */
    void (*on_settled)(void *ctx);
};

struct scan *scan_open(struct loop *l, struct pool *pool, const struct config *config,
                       const char *root, const struct scan_events *events, void *ctx)
    MUST_USE;
/* with_watch: directories are watched from before they are read, so that no change is missed between. */
/* Again later: another walk, unless one is on its way. */
void scan_start(struct scan *s, bool with_watch);
/* Back-pressure: no on_file while paused. */
void scan_pause(struct scan *s);
void scan_resume(struct scan *s);
/* Ends the walk (on_walked follows if there is one) and the watching; nothing is reported after. NULL is allowed. */
void scan_cancel(struct scan *s);
/* Something is being looked at: on_settled follows. */
bool scan_is_busy(const struct scan *s);
/* Ask again about one path: on_file or on_removed follows. */
void scan_recheck(struct scan *s, struct str path);
struct scan_counts {
    size_t watched;
    size_t unwatched; // the budget is spent: read every few seconds instead
    size_t
        ignored; // files and directories that a rule left out of the last walk; what is in them is not counted
};
struct scan_counts scan_counts(const struct scan *s);
/* What several scans may watch together. Before scan_start; it outlives the scan. Without: no limit but the system's. */
struct watch_budget {
    size_t n_max, n_used;
};
void scan_share_watches(struct scan *s, struct watch_budget *budget);
void scan_close(struct scan *s, void (*on_closed)(void *ctx), void *ctx);

/* ---- scan/ignore.c: pure, gitignore(5) patterns ---- */
struct ignore; // one file's rules, chained to those above it; reference-counted

/* Takes the caller's reference to `above`, which may be NULL. Any thread; references only on the loop. */
struct ignore *ignore_parse(
    struct ignore *above, struct str dir,
    struct str text); // dir: "" or "src/net", relative to the root
struct ignore *ignore_ref(struct ignore *i);
void ignore_unref(struct ignore *i);
/* Last matching rule of the nearest file wins; what lies in an ignored directory is ignored. Path relative to the root. */
bool ignore_matches(const struct ignore *i, struct str path, bool is_dir);
