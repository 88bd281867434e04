#pragma once
/* Pages of a workspace's log, each read once for all who stand near each other. Private to the hub; loop thread. */
#include "hub/internal.h"

#define PAGES_BYTES_MAX (4u << 20) // of a feed's, besides those that somebody reads from

struct event;

/* Rows as they follow each other in the log; it never changes. */
struct page {
    struct list link; // the feed's, the newest first
    struct pages *all;
    unsigned refs;
    int64_t from;          // they are those behind this one
    struct event **events; // at least one
    size_t n, n_bytes;
    bool is_kept;   // a reference is the feed's
    bool is_wanted; // somebody took it since the last look
};

/* A feed's; the functions below keep it. */
struct pages {
    struct hub *hub;
    struct workspace *workspace;
    struct list pages; // all that there are
    struct list reads; // under way
    size_t kept_bytes;
    size_t limit; // rows of the next one
};

/* Somebody waits for the page that has the row behind `cursor`. */
struct page_wait {
    struct list link;       // the read's
    struct page_read *read; // NULL: it is being told
    int64_t cursor;
    bool is_on;
    /* Once, and it waits no more. The page is borrowed; NULL: there is none such row, or r < 0. */
    void (*on_page)(struct page_wait *wait, int r, struct page *page);
};

void pages_init(struct pages *all, struct hub *h, struct workspace *w);
void pages_finish(struct pages *all); // nobody waits, nobody has one
/* Once a second: what nobody takes any more is let go. */
void pages_trim(struct pages *all);
/* The one that has the row behind the cursor; a reference. NULL: it is not at hand. */
struct page *page_find(struct pages *all, int64_t cursor);
/* Its first row that is behind the cursor; n: none is. */
size_t page_place(const struct page *p, int64_t cursor);
void page_unref(struct page *p); // NULL is allowed
struct page *page_ref(struct page *p);
/* on_page comes, but not before this returned. -ENOTCONN: the index is closed. */
int page_wait_begin(struct pages *all, struct page_wait *wait, int64_t cursor);
/* It does not come any more. */
void page_wait_end(struct page_wait *wait);
