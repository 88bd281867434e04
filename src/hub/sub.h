#pragma once
/* One subscription: a cursor. Private to the hub; loop thread. */
#include "hub/internal.h"

struct filter;
struct sub;

enum sub_snapshot {
    SUB_SNAPSHOT_NEVER,
    SUB_SNAPSHOT_IF_NEEDED, // when the client has no place in the log, or one that cannot be gone on from
    SUB_SNAPSHOT_ALWAYS,
};

struct sub_options {
    enum sub_snapshot snapshot;
    struct since since;
    const struct str *patterns; // none: all
    size_t n_patterns;
    struct filter *filter;  // taken over; NULL: all
    const char *request_id; // JSON text, copied; NULL: nobody waits for a reply
};

/* It replies, if asked to, by itself; it may be closed already when this returns. */
void sub_open(struct hub_client *c, struct workspace *w,
              const struct sub_options *options);
void sub_close(struct sub *s);
const char *sub_id(const struct sub *s);
struct feed *sub_feed(const struct sub *s);
int64_t sub_cursor(const struct sub *s);
struct sub *sub_of_client_link(struct list *link);
struct hub_client *sub_client_of_feed_link(struct list *feed_link);
/* The workspace opened, or failed. */
void sub_on_workspace(struct list *feed_link);

enum sub_next {
    SUB_FRAME, // ret_frame is to be sent
    SUB_QUIET, // nothing now; it will wake the client
    SUB_BUSY,  // looked at many, found nothing yet: ask again
    SUB_LOST,  // what comes next is not in the log any more
};
/* A view with LWS_PRE bytes before it, valid until the next call. */
enum sub_next sub_next_frame(struct sub *s, struct str *ret_frame);
