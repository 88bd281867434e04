#pragma once
/* One subscription: a cursor. Private to the hub; loop thread. */
#include "hub/internal.h"

struct event;
struct filter;
struct parcel_kind;
struct sub;
struct window;

/* How it began. */
struct sub_begin {
    const char *request_id; // of its options
    const char *reason;     // why it cannot go on from where it should; NULL: it does
    int64_t from, head;     // the first row that it gives; the last there is
    uint32_t n_parts;       // of `from` that are left out: the peer has them
    bool has_snapshot;
};

/* Whoever has subscriptions: a WebSocket, or an HTTP answer that streams. The functions are called with
 * it; it closes its subscriptions before it ends. */
struct sub_owner {
    struct hub *hub;
    struct hub_client *client; // NULL: it is no WebSocket, and asks for no snapshot
    struct list subs;
    size_t n_subs;
    uint64_t next_sub;
    int look_left; // what may be looked at in vain before it is somebody else's turn
    void (*wake)(struct sub_owner *owner); // one of them may have something
    void (*on_begin)(struct sub_owner *owner, struct sub *s,
                     const struct sub_begin *begin);
    /* It never begins, and is closed behind this. */
    void (*on_refused)(struct sub_owner *owner, const char *request_id, enum problem p,
                       const char *detail);
    /* It cannot go on now. */
    void (*on_broken)(struct sub_owner *owner, const char *why);
};

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

void sub_owner_init(struct sub_owner *o, struct hub *h);
/* It tells its owner how it began; it may be closed already when this returns. */
void sub_open(struct sub_owner *o, struct workspace *w,
              const struct sub_options *options);
void sub_close(struct sub *s);
const char *sub_id(const struct sub *s);
struct feed *sub_feed(const struct sub *s);
int64_t sub_cursor(const struct sub *s);
size_t sub_memory(
    const struct sub *s); // pages, rows and windows that others have, too, not counted
struct sub *sub_of_owner_link(struct list *link);
/* Something was published. */
void sub_on_published(struct list *feed_link);
/* The workspace opened, or failed. */
void sub_on_workspace(struct list *feed_link);

enum sub_next {
    SUB_FRAME, // ret_frame is to be sent
    SUB_QUIET, // nothing now; it will wake its owner
    SUB_BUSY,  // looked at many in vain: ask again, after others had their turn
    SUB_LOST,  // what comes next is not in the log any more
};
/* A view with LWS_PRE bytes before it, valid until the next call. */
enum sub_next sub_next_frame(struct sub *s, struct str *ret_frame);

/* Where a subscription stands; what it is sent from there on depends on nothing else. */
struct sub_position {
    int64_t cursor;     // the last row that was sent whole
    uint64_t ephemeral; // number of the next one
    struct event *row;  // being sent
    struct window *window;
    size_t part;
    uint32_t skip; // parts of the first row that the peer has already
};

bool sub_position_is(const struct sub_position *a, const struct sub_position *b);
/* With references. */
void sub_position_copy(struct sub_position *to, const struct sub_position *from);
void sub_position_finish(struct sub_position *at);
const struct sub_position *sub_position(struct sub *s);
/* Somebody else's messages from here to there are sent, or about to be. */
void sub_move(struct sub *s, const struct sub_position *to);
/* It began, and its snapshot is over. */
bool sub_is_running(const struct sub *s);
struct parcel_kind *sub_kind(struct sub *s, bool has_lines);

/* What the last frame is. */
struct sub_place {
    const char *event_type; // NULL: it is a message of type system
    int64_t seq;            // 0: an ephemeral one, or of a snapshot
    uint32_t index;
    bool is_last; // of its row
};
const struct sub_place *sub_place(const struct sub *s);
