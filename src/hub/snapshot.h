#pragma once
/* The present state of an index, for a subscription that begins with it. Private to the hub; loop thread. */
#include "hub/internal.h"

#define SNAPSHOT_PATHS 1024 // known at once
#define SNAPSHOT_FILES 64   // looked at in one read of the index
#define SNAPSHOT_ROWS 500   // of one read, but a file is read whole
#define SNAPSHOT_READS_MAX 2
#define SNAPSHOT_PAGES_MAX 16  // that are held for clients who take their time
#define SNAPSHOT_PAGE_MS 10000 // then it is somebody else's turn

struct filter;
struct snapshot;

struct snapshot_options {
    const char *sub;             // its id, as the "sub" member: ["s1"]
    int64_t head;                // the last event that the rows are sure to contain
    bool has_rows;               // else begin and end only
    const struct filter *filter; // of rows, borrowed; NULL: all
};

void snapshot_turns_init(struct snapshot_turns *t);
/* Once a second: closes clients that keep others waiting. */
void snapshot_on_tick(struct hub *h, int64_t now_ms);

struct snapshot *snapshot_open(struct hub_client *c, struct workspace *w,
                               const struct snapshot_options *options) MUST_USE;
void snapshot_close(struct snapshot *s);
size_t snapshot_memory(const struct snapshot *s);

enum snapshot_next {
    SNAPSHOT_FRAME,
    SNAPSHOT_WAITS, // it wakes the client
    SNAPSHOT_BUSY,  // looked at many, none was wanted yet: ask again
    SNAPSHOT_OVER,
    SNAPSHOT_FAILED, // the index cannot be read: *ret_why
};
/* A view with LWS_PRE bytes before it, valid until the next call. */
enum snapshot_next snapshot_next(struct snapshot *s, struct str *ret_frame,
                                 const char **ret_why);
