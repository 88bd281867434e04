/* Why: a workspace's events reach any number of subscribers without being queued for any of them: a
 * commit only marks the feed, a few milliseconds later its clients are woken, and each reads on from
 * its own cursor. Invariant: the messages of a row are made once and shared, never changed. */
#include "hub/feed.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/sub.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define FEED_EPHEMERAL 256
#define FEED_WINDOWS                                                                     \
    16 // recent ones, of HUB_FRAME_BYTES_MAX and one message each at most

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
};

/* ---- windows ---- */

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

struct window *
feed_window(struct feed *f, const struct event *event, uint32_t first, const char *sub)
{
    struct window *w = event->seq > 0 ? find_window(f, event->seq, first, sub) : NULL;
    if (w)
        return window_ref(w);
    w = xnew(struct window);
    w->refs = 1;
    w->seq = event->seq;
    w->first = first;
    snprintf(w->sub, sizeof(w->sub), "%s", sub);
    struct window_making making = {.feed = f, .window = w};
    int r = codec_event_expand(event, on_wire_event, &making);
    if (r < 0) {
        log_error("event %" PRId64 " of %s is damaged", event->seq,
                  workspace_root(f->workspace));
        put_damaged(w);
    } else if (!w->has_more) {
        mark_last(w);
    }
    if (event->seq > 0) {
        struct window **place = &f->windows[f->next_window++ % FEED_WINDOWS];
        window_unref(*place);
        *place = window_ref(w);
    }
    return w;
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
on_event(void *ctx, struct event *event)
{
    struct feed *f = ctx;
    struct hub *h = f->hub;
    if (list_is_empty(&f->subs) || h->is_closing)
        return;
    if (event->seq == 0)
        keep_ephemeral(f, event);
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

void
feed_add(struct feed *f, struct list *sub_link)
{
    list_add(&f->subs, sub_link);
}
