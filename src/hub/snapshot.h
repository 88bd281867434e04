#pragma once
/* The present state of an index, for a subscription that begins with it. Private to the hub; loop thread. */
#include "hub/internal.h"

#define SNAPSHOT_FILES 64 // looked at in one read of the index
#define SNAPSHOT_ROWS 500 // of one read, but a file is read whole
#define SNAPSHOTS_MAX 4   // at once; more wait for their turn

struct filter;
struct snapshot;

struct snapshot_options {
    const char *sub;             // its id, as the "sub" member: ["s1"]
    int64_t head;                // the last event that the rows are sure to contain
    bool has_rows;               // else begin and end only
    const struct filter *filter; // of rows, borrowed; NULL: all
};

struct snapshot *snapshot_open(struct hub_client *c, struct workspace *w,
                               const struct snapshot_options *options) MUST_USE;
void snapshot_close(struct snapshot *s);

enum snapshot_next {
    SNAPSHOT_FRAME,
    SNAPSHOT_WAITS, // it wakes the client
    SNAPSHOT_OVER,
    SNAPSHOT_FAILED, // the index cannot be read: *ret_why
};
/* A view with LWS_PRE bytes before it, valid until the next call. */
enum snapshot_next snapshot_next(struct snapshot *s, struct str *ret_frame,
                                 const char **ret_why);
