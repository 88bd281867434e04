#pragma once
/* Rows of the event log as wire events. Part of codec/codec.h. Pure, any thread. */
#include "base/base.h"
#include "base/str.h"
#include "model/event.h"

struct codec_wire_event {
    const char *event_type; // "entity.added"
    int64_t seq;            // 0: ephemeral
    uint32_t index;         // within the row
    int64_t time_ms;
    struct str subject; // file path
    struct str data;    // JSON object
};

typedef int (*codec_wire_fn)(void *ctx, const struct codec_wire_event *event);

/* One durable row into its wire events, in order: entity.deleted, entity.added, entity.updated,
 * entity.enriched, then the file's own event with counts (all four, 0 too) in place of the arrays;
 * EVENT_ENTITY_ENRICHED has no event of its own, what is no delta goes through as one event.
 * A non-zero return of fn stops and is returned. -EINVAL, before any call of fn, when the row's data
 * is damaged. A wire event's strings are fn's until it returns. */
int codec_event_expand(const struct event *event, codec_wire_fn fn, void *ctx);

/* The same in stretches, for a row that is too large for one go: a checked row, and where to go on in it. */
enum codec_list {
    CODEC_DELETED,
    CODEC_ADDED,
    CODEC_UPDATED,
    CODEC_ENRICHED,
    CODEC_LIST_COUNT
};
struct codec_row {
    const struct event *event; // outlives it
    struct str lists[CODEC_LIST_COUNT];
    size_t counts[CODEC_LIST_COUNT];
    struct buf rest; // members that are no list
    /* While it is read: */
    struct str left, list_left; // of the whole, when it is within a list
    int list;                   // that it is in; CODEC_LIST_COUNT: none
    bool is_first, is_list_first;
};
#define CODEC_E_MORE 2
/* Zeroed: the first event. */
struct codec_place {
    int list;
    uint32_t index;    // of the event that comes next
    struct str before; // of the list that is being walked: what is left of it
    bool is_within;
};
void codec_row_init(struct codec_row *row, const struct event *event);
/* Reads and checks some n_bytes more, all of it before it is expanded. CODEC_E_MORE: it is not at its end yet; -EINVAL: it is damaged. */
int codec_row_read(struct codec_row *row, size_t n_bytes);
void codec_row_finish(struct codec_row *row);
/* From a place on. When fn stops, the place is of the event that it was given last. */
int codec_row_expand(const struct codec_row *row, struct codec_place *place,
                     codec_wire_fn fn, void *ctx);

/* The envelope {"type":"event","event_type":…,"seq","i","epoch","workspace","library_id","time","subject",["sub":[…]],"data"};
 * seq and i are left out of an ephemeral one. `sub` is the array as JSON text, ["s1","s2"]; empty leaves it out.
 * Empty data is {}. */
void codec_add_wire_event(struct buf *b, const struct codec_wire_event *event,
                          struct str epoch, struct str workspace, struct str sub);
