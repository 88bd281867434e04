/* Why: a workspace's events reach any number of subscribers without being queued for any of them: a
 * commit only marks the feed, a few milliseconds later its clients are woken, and each reads on from
 * its own cursor. Invariant: the messages of a row are made once and shared, never changed. */
#include "hub/feed.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/page.h"
#include "hub/parcel.h"
#include "hub/sub.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define FEED_EPHEMERAL 256
#define FEED_WINDOWS                                                                     \
    16 // recent ones, of HUB_FRAME_BYTES_MAX and one message each at most

#define FEED_READ_BYTES (64u << 10) // of a large row, in one go
#define FEED_TIMES 1024 // rows of which it is known when their commit was heard of

struct ephemeral {
    struct event *event; // NULL: a later one of its subject took its place
    int64_t after_seq;
};

struct feed {
    struct list link;
    struct hub *hub;
    struct workspace *workspace;
    struct bus_subscription *subscription;
    struct workspace_listener *listener;
    struct list subs;
    bool is_dirty;
    struct ephemeral ephemeral[FEED_EPHEMERAL];
    uint64_t next_ephemeral; // number of the next one
    struct window *windows[FEED_WINDOWS];
    size_t next_window;
    struct pages pages;
    struct parcels parcels;
    struct list reading; // large rows, on the way to their first window
    struct {
        int64_t seq, ns;
    } heard[FEED_TIMES]; // by seq
};

/* ---- windows ---- */

/* A row that is larger than a window: read and checked once, kept while one of its windows is. */
struct kept_row {
    struct list link; // of those that are being read
    bool is_wanted;   // somebody asked for it since the last look
    unsigned refs;
    struct event *event;
    struct codec_row row;
};

static void
kept_row_unref(struct kept_row *kept)
{
    if (!kept || --kept->refs > 0)
        return;
    codec_row_finish(&kept->row);
    event_unref(kept->event);
    free(kept);
}

struct window *
window_ref(struct window *w)
{
    w->refs++;
    return w;
}

void
window_unref(struct window *w)
{
    if (!w || --w->refs > 0)
        return;
    kept_row_unref(w->row);
    buf_finish(&w->text);
    vec_finish(&w->parts);
    free(w);
}

struct window_making {
    struct feed *feed;
    struct window *window;
};

static int
on_wire_event(void *ctx, const struct codec_wire_event *event)
{
    struct window_making *making = ctx;
    struct window *w = making->window;
    if (event->index < w->first)
        return 0;
    if (w->text.n >= HUB_FRAME_BYTES_MAX) {
        w->has_more = true;
        return 1;
    }
    message_begin(&w->text);
    struct window_part *part = vec_push(&w->parts);
    part->event_type = event->event_type;
    part->offset = w->text.n;
    codec_add_wire_event(&w->text, event,
                         str_of(workspace_epoch(making->feed->workspace)),
                         str_of(workspace_id(making->feed->workspace)), str_of(w->sub));
    part->size = w->text.n - part->offset;
    part->data_size = MAX(event->data.n, (size_t)2); // {}
    part->data_offset = w->text.n - 1 - part->data_size;
    return 0;
}

/* Said, not hidden: the row is in the log and cannot be read. */
static void
put_damaged(struct window *w)
{
    buf_reset(&w->text);
    w->parts.n = 0;
    message_begin(&w->text);
    struct window_part *part = vec_push(&w->parts);
    part->event_type = NULL;
    part->offset = w->text.n;
    buf_printf(&w->text,
               "{\"type\":\"system\",\"message\":\"event %" PRId64
               " is damaged and was left out\",\"seq\":%" PRId64
               ",\"reason\":\"damaged\",\"sub\":%s}",
               w->seq, w->seq, w->sub);
    part->size = w->text.n - part->offset;
}

/* The last message of a row says so: a client that saw it may go on from there. */
static void
mark_last(struct window *w)
{
    if (w->seq == 0 || w->parts.n == 0)
        return;
    struct window_part *part = &w->parts.v[w->parts.n - 1];
    w->text.n--; // the brace
    buf_add_cstr(&w->text, ",\"last\":true}");
    part->size = w->text.n - part->offset;
}

static struct window *
find_window(struct feed *f, int64_t seq, uint32_t first, const char *sub)
{
    for (size_t i = 0; i < FEED_WINDOWS; i++) {
        struct window *w = f->windows[i];
        if (w && w->seq == seq && w->first == first && strcmp(w->sub, sub) == 0)
            return w;
    }
    return NULL;
}

static struct window *
window_create(int64_t seq, uint32_t first, const char *sub)
{
    struct window *w = xnew(struct window);
    w->refs = 1;
    w->seq = seq;
    w->first = first;
    snprintf(w->sub, sizeof(w->sub), "%s", sub);
    return w;
}

/* From w->next on. */
static void
fill(struct feed *f, struct window *w, const struct codec_row *row)
{
    struct window_making making = {.feed = f, .window = w};
    codec_row_expand(row, &w->next, on_wire_event, &making);
    if (!w->has_more)
        mark_last(w);
}

static void
keep_window(struct feed *f, struct window *w)
{
    if (w->seq == 0)
        return;
    struct window **place = &f->windows[f->next_window++ % FEED_WINDOWS];
    window_unref(*place);
    *place = window_ref(w);
}

/* Of a row that some other window has already. */
static struct kept_row *
find_row(struct feed *f, int64_t seq)
{
    for (size_t i = 0; seq > 0 && i < FEED_WINDOWS; i++)
        if (f->windows[i] && f->windows[i]->seq == seq && f->windows[i]->row)
            return f->windows[i]->row;
    return NULL;
}

static struct kept_row *
kept_row_create(struct event *event)
{
    struct kept_row *kept = xnew(struct kept_row);
    list_init(&kept->link);
    kept->refs = 1;
    kept->event = event_ref(event);
    codec_row_init(&kept->row, event);
    return kept;
}

/* A reference to the row, read and checked to its end. -EINVAL: it is damaged; CODEC_E_MORE: a part of it was read,
 * for all who ask for it. */
static int
read_row(struct feed *f, struct event *event, struct kept_row **ret_row)
{
    struct kept_row *kept = find_row(f, event->seq);
    if (kept) {
        kept->refs++;
        *ret_row = kept;
        return 0;
    }
    list_for_each (it, &f->reading)
        if (list_entry(it, struct kept_row, link)->event->seq == event->seq)
            kept = list_entry(it, struct kept_row, link);
    if (!kept) {
        kept = kept_row_create(event);
        list_add(&f->reading, &kept->link);
    }
    kept->is_wanted = true;
    int r = codec_row_read(&kept->row, event->seq > 0 ? FEED_READ_BYTES : SIZE_MAX);
    if (r == CODEC_E_MORE)
        return r;
    list_remove(&kept->link);
    if (r == 0)
        *ret_row = kept;
    else
        kept_row_unref(kept);
    return r;
}

struct window *
feed_window(struct feed *f, struct event *event, uint32_t first, const char *sub)
{
    struct window *w = event->seq > 0 ? find_window(f, event->seq, first, sub) : NULL;
    struct kept_row *kept = NULL;
    if (w)
        return window_ref(w);
    int r = read_row(f, event, &kept);
    if (r == CODEC_E_MORE)
        return NULL;
    w = window_create(event->seq, first, sub);
    if (r < 0) {
        log_error("event %" PRId64 " of %s is damaged", event->seq,
                  workspace_root(f->workspace));
        put_damaged(w);
    } else {
        fill(f, w, &kept->row);
    }
    if (w->has_more)
        w->row = kept;
    else
        kept_row_unref(kept);
    keep_window(f, w);
    return w;
}

struct window *
feed_window_behind(struct feed *f, const struct window *before)
{
    assert(before->has_more);
    uint32_t first = before->first + (uint32_t)before->parts.n;
    struct window *w =
        before->seq > 0 ? find_window(f, before->seq, first, before->sub) : NULL;
    if (w)
        return window_ref(w);
    w = window_create(before->seq, first, before->sub);
    w->next = before->next;
    fill(f, w, &before->row->row);
    if (w->has_more) {
        before->row->refs++;
        w->row = before->row;
    }
    keep_window(f, w);
    return w;
}

/* Rows that nobody asked for lately; or all. */
static void
stop_reading(struct feed *f, bool is_all)
{
    list_for_each_safe (it, &f->reading) {
        struct kept_row *kept = list_entry(it, struct kept_row, link);
        if (!kept->is_wanted || is_all) {
            list_remove(&kept->link);
            kept_row_unref(kept);
        } else {
            kept->is_wanted = false;
        }
    }
}

void
feed_trim_all(struct hub *h)
{
    list_for_each (it, &h->feeds) {
        struct feed *f = list_entry(it, struct feed, link);
        for (size_t i = 0; i < FEED_WINDOWS; i++)
            if (f->windows[i] && f->windows[i]->row && f->windows[i]->refs == 1)
                window_unref(steal(f->windows[i]));
        stop_reading(f, false);
        pages_trim(&f->pages);
        parcels_trim(&f->parcels);
    }
}

/* ---- what is published ---- */

static void
keep_ephemeral(struct feed *f, struct event *event)
{
    for (size_t i = 0; i < FEED_EPHEMERAL; i++) {
        struct event *old = f->ephemeral[i].event;
        if (old && old->type == event->type && str_eq(old->subject, event->subject)) {
            f->ephemeral[i].event = NULL;
            event_unref(old);
            f->hub->stats.events_coalesced++;
        }
    }
    struct ephemeral *place = &f->ephemeral[f->next_ephemeral++ % FEED_EPHEMERAL];
    event_unref(place->event);
    place->event = event_ref(event);
    place->after_seq = bus_head(workspace_bus(f->workspace));
}

struct event *
feed_ephemeral(struct feed *f, uint64_t *number, int64_t seq)
{
    if (f->next_ephemeral > FEED_EPHEMERAL &&
        *number < f->next_ephemeral - FEED_EPHEMERAL)
        *number = f->next_ephemeral - FEED_EPHEMERAL;
    for (; *number < f->next_ephemeral; ++*number) {
        const struct ephemeral *at = &f->ephemeral[*number % FEED_EPHEMERAL];
        if (!at->event)
            continue;
        if (at->after_seq > seq)
            return NULL; // what was committed before it goes out before it
        ++*number;
        return at->event;
    }
    return NULL;
}

uint64_t
feed_ephemeral_end(const struct feed *f)
{
    return f->next_ephemeral;
}

/* A commit after a quiet time goes out at once: somebody may wait for it. */
static void
wake_soon(struct hub *h, bool is_durable)
{
    int64_t now = clock_mono_ms();
    bool is_at_once = is_durable && now - h->woken_ms >= HUB_WAKE_MS;
    if (is_at_once)
        h->woken_ms = now;
    if (is_at_once || !timer_is_armed(h->wake_timer))
        timer_start(h->wake_timer, is_at_once ? 0 : HUB_WAKE_MS, 0);
}

static void
note_heard(struct feed *f, int64_t seq)
{
    size_t i = (size_t)((uint64_t)seq % FEED_TIMES);
    f->heard[i].seq = seq;
    f->heard[i].ns = clock_mono_ns();
}

void
feed_note_sent(struct feed *f, int64_t seq)
{
    size_t i = (size_t)((uint64_t)seq % FEED_TIMES);
    if (seq > 0 && f->heard[i].seq == seq)
        histogram_add(&f->hub->event_us,
                      (uint64_t)(clock_mono_ns() - f->heard[i].ns) / 1000);
}

static void
on_event(void *ctx, struct event *event)
{
    struct feed *f = ctx;
    struct hub *h = f->hub;
    if (list_is_empty(&f->subs) || h->is_closing)
        return;
    if (event->seq == 0)
        keep_ephemeral(f, event);
    else
        note_heard(f, event->seq);
    f->is_dirty = true;
    wake_soon(h, event->seq != 0);
}

void
feed_wake_all(struct hub *h)
{
    list_for_each (it, &h->feeds) {
        struct feed *f = list_entry(it, struct feed, link);
        if (!f->is_dirty)
            continue;
        f->is_dirty = false;
        list_for_each (at, &f->subs)
            sub_on_published(at);
    }
}

static void
on_workspace(void *ctx)
{
    struct feed *f = ctx;
    list_for_each_safe (it, &f->subs)
        sub_on_workspace(it);
}

/* ---- life ---- */

struct feed *
feed_of(struct hub *h, struct workspace *w)
{
    list_for_each (it, &h->feeds) {
        struct feed *f = list_entry(it, struct feed, link);
        if (f->workspace == w)
            return f;
    }
    struct feed *f = xnew(struct feed);
    f->hub = h;
    f->workspace = w;
    list_init(&f->subs);
    list_init(&f->reading);
    pages_init(&f->pages, h, w);
    parcels_init(&f->parcels);
    f->subscription = bus_subscribe(workspace_bus(w), on_event, f);
    f->listener = workspace_listen(w, on_workspace, f);
    list_add(&h->feeds, &f->link);
    return f;
}

static void
feed_destroy(struct feed *f)
{
    assert(list_is_empty(&f->subs));
    bus_unsubscribe(f->subscription);
    workspace_unlisten(f->listener);
    for (size_t i = 0; i < FEED_EPHEMERAL; i++)
        event_unref(f->ephemeral[i].event);
    stop_reading(f, true);
    pages_finish(&f->pages);
    parcels_finish(&f->parcels);
    for (size_t i = 0; i < FEED_WINDOWS; i++)
        window_unref(f->windows[i]);
    list_remove(&f->link);
    free(f);
}

void
feed_destroy_all(struct hub *h)
{
    list_for_each_safe (it, &h->feeds)
        feed_destroy(list_entry(it, struct feed, link));
}

struct workspace *
feed_workspace(const struct feed *f)
{
    return f->workspace;
}

struct pages *
feed_pages(struct feed *f)
{
    return &f->pages;
}

struct parcels *
feed_parcels(struct feed *f)
{
    return &f->parcels;
}

void
feed_add(struct feed *f, struct list *sub_link)
{
    list_add(&f->subs, sub_link);
}
