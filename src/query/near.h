#pragma once
/* The rows of files that an editor has open or asked in lately, on the loop, so that a hover in one of them waits
 * for no worker. Inside of this folder; loop thread. Owns the results it is given. */
#include "query/query.h"

#define NEAR_FILES 16
#define NEAR_BYTES_MAX (1u << 20) // of one; what is larger is asked for each time
#define NEAR_SETTLE_MS 200        // without a change of it, before a file is read

enum near_state { NEAR_UNREAD, NEAR_READING, NEAR_READ, NEAR_TOO_LARGE };

struct near_file {
    struct near *near;
    char *path; // NULL: free
    enum near_state state;
    uint64_t used; // counted in uses
    int64_t changed_ms;
    bool is_outdated; // what is being read of it: it changed meanwhile
    bool is_open;     // in an editor: it is read before anybody asks
    bool is_tried;    // once, of what it is now: not by itself again
    bool is_large;    // it was when it was read, open as it is now: the same, even if it changes
    struct query_result *rows;
};

struct near {
    struct near_file files[NEAR_FILES];
    uint64_t n_uses;
    bool is_told;       // of changes; until then nothing is remembered
    int64_t changed_ms; // of any file
};

void near_init(struct near *near);
void near_finish(struct near *near);
/* This file, or any (empty). true: one that is open may have to be read. */
bool near_changed(struct near *near, struct str path, int64_t now_ms);
/* The entities of this name into the result, by id; false: none, or the file is not known. */
bool near_find(struct near *near, struct str path, struct str name,
               struct query_result *result);
/* The file whose rows are to be read now, for near_take(); NULL: none. */
struct near_file *near_want(struct near *near, struct str path, int64_t now_ms);
/* An editor has it open, or no more. */
void near_open(struct near *near, struct str path, bool is_open);
/* The same as near_want() of open ones; *ret_wait_ms: when there is one, if nothing changes; below 0: never. */
struct near_file *near_next(struct near *near, int64_t now_ms, int64_t *ret_wait_ms);
/* What was read of it, if that still counts; else it stays the caller's. */
void near_take(struct near_file *file, struct query_result **result);
