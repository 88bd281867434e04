#pragma once
/* One row of the event log, or an ephemeral notice of the same shape. `data` is the JSON object of
 * docs/PROTOCOL.md. A durable row is expanded into wire events by codec/event.
 * Reference-counted, immutable after the writer made it. One thread at a time holds references:
 * the writer until the commit mail, the loop after. */
#include "base/base.h"
#include "base/str.h"

/* Stored by number: append only. */
enum event_type {
    /* durable */
    EVENT_FILE_COMPLETED,  // delta of a file; expands to entity.* and file:completed
    EVENT_FILE_FAILED,     // could not be indexed; entity.deleted for what it had
    EVENT_FILE_DELETED,    // entity.deleted for what it had
    EVENT_ENTITY_ENRICHED, // hovers of a file; expands to entity.enriched
    EVENT_INDEX_REBUILT,
    EVENT_PIPELINE_ONLINE,
    EVENT_PIPELINE_OFFLINE,
    /* ephemeral: no seq */
    EVENT_FILE_PROCESSING,
    EVENT_STATUS_UPDATE,
    EVENT_HEARTBEAT,
    /* durable; the subject is the job's id */
    EVENT_JOB_SUBMITTED,
    EVENT_JOB_COMPLETED,
    EVENT_JOB_FAILED,
    EVENT_JOB_CANCELLED,
    /* ephemeral */
    EVENT_JOB_PROGRESS,
    /* durable */
    EVENT_LIBRARY_CREATED, // a workspace without a folder
    EVENT_LIBRARY_DELETED,
    EVENT_TYPE_COUNT
};

struct event {
    unsigned refs;
    enum event_type type;
    int64_t seq;        // 0 for an ephemeral one
    int64_t time_ms;    // wall clock
    struct str subject; // the file's path, the job's id, or ""
    struct str data;    // JSON object; empty: the log has it (store_be_brief)
};

/* "file:completed"… as on the wire. */
const char *event_type_name(enum event_type type);
bool event_type_is_durable(enum event_type type);
/* Copies subject and data; one reference. */
struct event *event_create(enum event_type type, int64_t seq, int64_t time_ms,
                           struct str subject, struct str data) MUST_USE;
struct event *event_ref(struct event *e);
void event_unref(struct event *e);
DEFINE_AUTO(event_unref, struct event *)
