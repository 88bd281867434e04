#pragma once
/* What the files of this folder share. Nobody else includes it. Loop thread. */
#include "rt/timer.h"
#include "rt/watch.h"
#include "scan/dirs.h"

#define SCAN_WALK_JOBS_MAX 4    // folders read or waiting for delivery
#define SCAN_CHUNK_ENTRIES 1024 // entries of a folder that one job brings
#define SCAN_DEBOUNCE_MS 10     // a path is quiet for so long, unless it is a single save
#define SCAN_GONE_MS 20         // the same of what was taken away
#define SCAN_DEBOUNCE_MAX_MS 100 // but a path that never is gets its turn
#define SCAN_SINGLE_MAX 16       // more changes than these at once are no single saves
#define SCAN_AGAIN_MS                                                                    \
    100 // a path looked at twice so lately is no single save (a formatter's is the second)
#define SCAN_LATELY_SLOTS 64
#define SCAN_CHECK_BATCH 128 // changed paths looked at by one job
#define SCAN_CHECK_JOBS_MAX 2
#define SCAN_CHANGES_MAX 65536 // more changed paths than this: look at everything again
#define SCAN_LOCK_MAX_MS 4000  // how long .git/index.lock holds changes back
#define SCAN_LOCK_SINGLE_MAX 8 // but the first few: a save beside a "git status"
#define SCAN_POLL_MS 2000      // how often unwatched folders are read again
#define SCAN_ROOT_MS 500       // how often a root that is gone is looked for

/* A path that was looked at, the last time and the time before. */
struct lately {
    uint64_t hash;
    int64_t at_ms, before_ms;
};

struct scan {
    struct loop *loop;
    struct pool *pool;
    struct watch *watch; // NULL: without
    struct timer *timer; // of changes
    struct timer *poll_timer;
    const struct scan_events *events;
    void *ctx;
    char *root; // absolute
    size_t root_n;
    char *above;          // the folder that the root is in; NULL: none
    struct ignore *fixed; // the configuration's: decides before any other
    struct ignore *base;  // what holds before the root's own files
    struct base_job *base_job;
    uint64_t base_hash;
    char *git_dir;
    struct sources sources; // watched
    struct dir *dirs;       // the root
    struct map *by_path;    // of struct dir
    struct map *by_id;      // of struct dir, by device and inode
    struct list queue;      // of dir.queued, next first
    struct list unwatched;
    struct list ready;   // of ready: brought by jobs, waiting for delivery
    struct map *changes; // of struct change by path
    struct list due;     // of struct change, by time
    struct list at_once; // of those that wait for nothing, not even for git
    struct lately lately[SCAN_LATELY_SLOTS]; // by hash; a collision forgets
    size_t n_unwatched, n_watched, n_ignored;
    struct watch_budget *budget; // NULL: the system's
    size_t n_jobs;               // submitted, done() not run
    size_t n_walking;            // walk jobs, until delivered
    size_t n_checking;
    size_t n_problems;     // of this walk
    int64_t hold_until_ms; // changes wait for git until then; 0: they do not
    size_t n_held;         // told since the lock was made
    struct list jobs;      // of scan_job.link: submitted
    bool is_watching_wanted, is_budget_spent;
    bool is_started, is_walking, is_rescan_wanted;
    bool is_base_stale; // changed while base_job was at work
    bool is_root_lost;  // it could not be read when it was last looked at
    bool is_paused, is_scheduled, is_in_turn;
    bool is_cancelled, is_stopped, is_closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

/* ---- jobs: walk.c, change.c and scan.c all submit one of these ---- */
struct scan_job {
    struct pool_job job;
    struct scan *scan;
    struct list link; // scan.jobs, then scan.ready
    /* Loop; takes the job. False: paused midway, call again. */
    bool (*deliver)(struct scan_job *job);
    void (*destroy)(struct scan_job *job);
};
void scan_submit(struct scan *s, struct scan_job *job, enum pool_lane lane,
                 pool_work_fn work);
/* Come back to it from the loop: deliver, read on, end. */
void scan_schedule(struct scan *s);
void scan_rescan(struct scan *s);
void scan_load_base(struct scan *s, enum dir_reading reading);

/* ---- walk.c ---- */
void walk_pump(struct scan *s);
void walk_forget_job(struct walk_job *job); // its folder was dropped
void walk_poll(void *scan);

/* ---- change.c ---- */
struct change {
    struct list link; // scan.due or at_once, a dir's waiting, or none while looked at
    char *path;
    size_t path_n;
    int64_t due_ms, limit_ms;
    bool is_checking;
    bool is_again;                   // changed once more meanwhile
    bool was_there, again_was_there; // something by this name was taken away
    int r;
    struct fs_stat stat;
};
/* was_there: it is known that something by this name was taken away. */
void change_add(struct scan *s, struct str path, int64_t delay_ms, bool was_there);
/* Those that waited for a folder. */
void change_wake(struct scan *s, struct list *waiting);
void change_clear(struct scan *s);
void change_arm(struct scan *s);
void change_hold(struct scan *s);
/* The root could not be read; it is looked for from now on. */
void change_root_lost(struct scan *s, int r);
void on_watch_change(void *scan, enum watch_change change, const char *dir,
                     const char *name, bool is_dir);
void on_change_timer(void *scan);
