#pragma once
/* Messages of a feed as bytes for the socket, frames and all, made once for everybody who stands in the same place.
 * Private to the hub; loop thread. */
#include "hub/sub.h"

/* Subscriptions that would be sent the same from the same place on. */
struct parcel_kind;
struct parcels;

struct parcel {
    struct list link; // the kind's, the newest first
    struct parcels *all;
    struct sub_position from, to;
    struct buf bytes;
    size_t offset; // where they begin
    size_t n_messages;
    int64_t seq; // of the first message
    uint64_t n_taken;
    int file;       // with the bytes; -1: none
    bool is_wanted; // somebody took it since the last look
};

/* A feed's; the functions below keep it. */
struct parcels {
    struct list kinds;
    size_t n_bytes, n_files;
};

void parcels_init(struct parcels *all);
void parcels_finish(struct parcels *all); // no kinds are left
/* Once a second: what nobody takes any more is let go. */
void parcels_trim(struct parcels *all);
/* A reference. `text` says what is sent: subscriptions with the same text are sent the same. */
struct parcel_kind *parcel_kind_of(struct parcels *all, struct str text) MUST_USE;
void parcel_kind_unref(struct parcel_kind *kind);

/* What comes next for the subscription, which then stands behind it; SUB_FRAME: *ret_parcel, the feed's, until the next
 * call. has_lines: one frame with a line for each message, else a frame for each. */
enum sub_next parcel_next(struct sub *s, bool has_lines, struct parcel **ret_parcel);
struct str parcel_bytes(const struct parcel *p);
/* How many of the bytes the socket took without a copy of its own: all, some of the first ones, or none. */
size_t parcel_send(struct parcel *p, int socket);
