#pragma once
/* Someone who takes the events of a workspace over plain HTTP: what SSE and the long poll share. Private to
 * the hub; loop thread. */
#include "hub/sub.h"

struct workspace;

/* What the address asks for. */
struct follow_args {
    struct workspace *workspace;
    struct sub_options sub; // views into what is below, and into the exchange
    bool is_cloudevents;
    struct str since;
    struct str patterns[MATCH_PATTERNS_MAX];
};

/* types, filter, format, and since unless it is set already; false: the problem was answered. args->workspace is the
 * caller's to find. Behind it the filter must be given to a subscription. */
bool follow_read_args(struct exchange *x, struct follow_args *args);

/* The first member of what hangs on the exchange. */
struct follower {
    struct list link;       // the hub's
    struct sub_owner owner; // its functions are set by whoever embeds it
    struct exchange *exchange;
    struct sub *sub; // NULL until it begins, and when it was refused
    bool is_cloudevents;
    void (*on_tick)(struct follower *f, int64_t now_ms); // once a second; may be NULL
};

/* A new one of `size` bytes that begins with a follower; NULL: there are too many, which was answered. */
struct follower *follower_create(struct exchange *x, size_t size) MUST_USE;
/* Closes its subscription, of which it hears no more. */
void follower_stop(struct follower *f);
void follower_destroy(struct follower *f);
struct follower *follower_of_owner(struct sub_owner *owner);
/* As sub_next_frame(), in the format that was asked for. */
enum sub_next follower_next(struct follower *f, struct str *ret_event);
/* Once a second. */
void follower_tick_all(struct hub *h, int64_t now_ms);
