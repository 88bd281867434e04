#pragma once
/* Publish and subscribe on the loop, with a ring of recent durable events so that a subscriber with
 * a cursor need not go to the store. Survives subscribing and unsubscribing from within a callback. */
#include "base/base.h"
#include "model/event.h"

#define BUS_RING_EVENTS 65536
#define BUS_RING_BYTES (16u << 20)

struct bus;
struct bus_subscription;

typedef void (*bus_event_fn)(void *ctx, struct event *event); // borrowed

struct bus *bus_create(void) MUST_USE;
void bus_destroy(struct bus *b); // no subscriptions left
/* Durable events in seq order, each once; ephemeral ones pass through without the ring, and so does
 * one without data: the ring then reaches back no further than to what follows it. */
void bus_publish(struct bus *b, struct event *event);
struct bus_subscription *bus_subscribe(struct bus *b, bus_event_fn fn, void *ctx)
    MUST_USE;
void bus_unsubscribe(struct bus_subscription *s);
/* Last durable seq published; before the first, what bus_set_head said. */
int64_t bus_head(const struct bus *b);
void bus_set_head(struct bus *b, int64_t seq);
/* The event behind `since` if the ring still reaches back to it (borrowed); NULL: nothing newer, or
 * too old — tell them apart by bus_covers(). */
struct event *bus_next(const struct bus *b, int64_t since);
bool bus_covers(const struct bus *b, int64_t since); // every event > since is in the ring
