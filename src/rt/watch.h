#pragma once
/* inotify through the loop: directories one by one, no recursion of its own (scan knows the tree).
 * libuv's watcher drops IN_Q_OVERFLOW, so this is ours. */
#include "base/base.h"
#include "rt/loop.h"

enum watch_change {
    WATCH_CREATED,  // is_dir tells; what is being written says so when it is closed
    WATCH_MOVED_IN, // complete as it is
    WATCH_WRITTEN,  // closed after write
    WATCH_DELETED,  // or moved out
    WATCH_ATTRIB,
    WATCH_DIR_GONE, // the watched directory itself; the watch is over
    WATCH_OVERFLOW, // events were lost: look at everything again. dir and name are NULL
};

struct watch;

typedef void (*watch_fn)(void *ctx, enum watch_change change, const char *dir,
                         const char *name, bool is_dir);

int watch_open(struct loop *l, watch_fn fn, void *ctx, struct watch **ret_watch);
/* `dir` absolute. -ENOSPC: the user's watch budget is spent; -ENOENT, -EACCES… Adding twice is
 * fine: it tells what either asked for. */
int watch_add(struct watch *w, const char *dir);
/* As watch_add, but tells only what comes and goes: WATCH_CREATED, WATCH_MOVED_IN, WATCH_DELETED, WATCH_DIR_GONE. */
int watch_add_names(struct watch *w, const char *dir);
void watch_remove(struct watch *w, const char *dir);
/* How many folders the system lets this user watch, in all programs; 0: it does not say. Blocking, small. */
size_t watch_user_max(void);
size_t watch_count(const struct watch *w);
void watch_close(struct watch *w);
