/* Publish and subscribe, and the ring of recent durable events. Invariant: the ring holds an unbroken
 * run of seqs that ends with the head, so an event's place is its seq less the first one. One without
 * data ends the run: who wants it reads the log, and the run begins anew behind it. A
 * subscription that ends during a delivery is only marked; the outermost delivery takes it out. */
#include "bus/bus.h"

#include "base/list.h"
#include "base/mem.h"

struct bus {
    struct list subscriptions;
    struct event **ring; // BUS_RING_EVENTS places, by seq modulo
    int64_t first;       // seq of the oldest in the ring; head + 1 when it is empty
    int64_t head;
    size_t bytes;
    unsigned depth; // of deliveries within deliveries
    bool has_ended; // some subscription ended meanwhile
};

struct bus_subscription {
    struct list link;
    struct bus *bus;
    bus_event_fn fn; // NULL: ended
    void *ctx;
};

static size_t
place_of(int64_t seq)
{
    return (size_t)((uint64_t)seq % BUS_RING_EVENTS);
}

static size_t
bytes_of(const struct event *e)
{
    return sizeof(*e) + e->subject.n + e->data.n;
}

struct bus *
bus_create(void)
{
    struct bus *b = xnew(struct bus);
    list_init(&b->subscriptions);
    b->ring = xcalloc(BUS_RING_EVENTS, sizeof(struct event *));
    b->first = 1;
    return b;
}

static void
drop_oldest(struct bus *b)
{
    struct event **at = &b->ring[place_of(b->first++)];
    b->bytes -= bytes_of(*at);
    event_unref(steal(*at));
}

void
bus_destroy(struct bus *b)
{
    if (!b)
        return;
    assert(list_is_empty(&b->subscriptions));
    while (b->first <= b->head)
        drop_oldest(b);
    free(b->ring);
    free(b);
}

static void
keep(struct bus *b, struct event *event)
{
    assert(event->seq > b->head);
    if (event->data.n == 0) {
        bus_set_head(b, event->seq);
        return;
    }
    /* A run must be unbroken: what came before a gap is of no use. */
    if (event->seq != b->head + 1) {
        while (b->first <= b->head)
            drop_oldest(b);
        b->first = event->seq;
    }
    while (b->first <= b->head && (event->seq - b->first >= BUS_RING_EVENTS ||
                                   b->bytes + bytes_of(event) > BUS_RING_BYTES))
        drop_oldest(b);
    b->head = event->seq;
    b->bytes += bytes_of(event);
    b->ring[place_of(event->seq)] = event_ref(event);
}

static void
sweep(struct bus *b)
{
    list_for_each_safe (it, &b->subscriptions) {
        struct bus_subscription *s = list_entry(it, struct bus_subscription, link);
        if (s->fn)
            continue;
        list_remove(&s->link);
        free(s);
    }
    b->has_ended = false;
}

void
bus_publish(struct bus *b, struct event *event)
{
    if (event->seq > 0)
        keep(b, event);
    event_ref(event); // the ring may let go of it during the delivery
    b->depth++;
    /* New ones are added at the end and would be reached: they asked for what comes after. */
    struct list *last = b->subscriptions.prev;
    for (struct list *it = b->subscriptions.next; it != &b->subscriptions;
         it = it->next) {
        struct bus_subscription *s = list_entry(it, struct bus_subscription, link);
        if (s->fn)
            s->fn(s->ctx, event);
        if (it == last)
            break;
    }
    b->depth--;
    event_unref(event);
    if (b->depth == 0 && b->has_ended)
        sweep(b);
}

struct bus_subscription *
bus_subscribe(struct bus *b, bus_event_fn fn, void *ctx)
{
    assert(fn);
    struct bus_subscription *s = xnew(struct bus_subscription);
    s->bus = b;
    s->fn = fn;
    s->ctx = ctx;
    list_add(&b->subscriptions, &s->link);
    return s;
}

void
bus_unsubscribe(struct bus_subscription *s)
{
    if (!s)
        return;
    assert(s->fn);
    s->fn = NULL;
    s->bus->has_ended = true;
    if (s->bus->depth == 0)
        sweep(s->bus);
}

int64_t
bus_head(const struct bus *b)
{
    return b->head;
}

void
bus_set_head(struct bus *b, int64_t seq)
{
    while (b->first <= b->head)
        drop_oldest(b);
    b->head = seq;
    b->first = seq + 1;
}

struct event *
bus_next(const struct bus *b, int64_t since)
{
    if (since >= b->head || !bus_covers(b, since))
        return NULL;
    return b->ring[place_of(since + 1)];
}

bool
bus_covers(const struct bus *b, int64_t since)
{
    return since >= b->first - 1;
}
