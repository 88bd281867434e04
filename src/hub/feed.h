#pragma once
/* One workspace's events, for all its subscribers. Private to the hub; loop thread. */
#include "hub/internal.h"

#include "codec/codec.h"

/* A stretch of a row's wire events as messages, shared by all who send them. */
struct window_part {
    const char *event_type;        // NULL: for everybody
    size_t offset, size;           // of the message in text; LWS_PRE bytes lie before it
    size_t data_offset, data_size; // of its data
};

struct kept_row;
struct pages;
struct parcels;

struct window {
    unsigned refs;
    int64_t seq; // 0: an ephemeral one
    uint32_t first;
    bool has_more;        // the row goes on behind it
    struct kept_row *row; // then
    struct codec_place next;
    struct buf text;
    VEC(struct window_part) parts;
    char sub[24]; // whose "sub" member it bears
};

struct window *window_ref(struct window *w);
void window_unref(struct window *w);

/* The feed of a workspace, made when it is the first time; the hub's. */
struct feed *feed_of(struct hub *h, struct workspace *w);
void feed_destroy_all(struct hub *h);
struct workspace *feed_workspace(const struct feed *f);
void feed_add(struct feed *f, struct list *sub_link);
/* The wire events of a row from `first` on. A reference; NULL: the row is large, some more of it was read: ask again. */
struct window *feed_window(struct feed *f, struct event *event, uint32_t first,
                           const char *sub) MUST_USE;
/* What is behind a window that has more, without reading its row anew. A reference. */
struct window *feed_window_behind(struct feed *f, const struct window *before) MUST_USE;
/* Ephemeral events have numbers of their own. The oldest kept one from *number on that came when the
 * log was not further than `seq`; *number becomes the one behind it. NULL: none. */
struct event *feed_ephemeral(struct feed *f, uint64_t *number, int64_t seq);
uint64_t feed_ephemeral_end(const struct feed *f);
/* Wakes the clients of the feeds where something was published. */
void feed_wake_all(struct hub *h);
/* Somebody was sent something of this row: how long after the news of its commit. */
void feed_note_sent(struct feed *f, int64_t seq);
struct pages *feed_pages(struct feed *f);
struct parcels *feed_parcels(struct feed *f);
/* Once a second: large rows, pages and parcels that nobody takes any more are let go. */
void feed_trim_all(struct hub *h);
