/* Events: names, durability and life. An event and its two strings are one block of memory, and it
 * does not change after it was made. */
#include "model/event.h"

#include "base/mem.h"

static const struct type_row {
    const char *name;
    bool durable;
} types[EVENT_TYPE_COUNT] = {
    [EVENT_FILE_COMPLETED] = {"file:completed", true},
    [EVENT_FILE_FAILED] = {"file:failed", true},
    [EVENT_FILE_DELETED] = {"file:deleted", true},
    [EVENT_ENTITY_ENRICHED] = {"entity.enriched", true},
    [EVENT_INDEX_REBUILT] = {"index.rebuilt", true},
    [EVENT_PIPELINE_ONLINE] = {"pipeline:online", true},
    [EVENT_PIPELINE_OFFLINE] = {"pipeline:offline", true},
    [EVENT_LIBRARY_CREATED] = {"library.created", true},
    [EVENT_LIBRARY_DELETED] = {"library.deleted", true},
    [EVENT_FILE_PROCESSING] = {"file:processing", false},
    [EVENT_STATUS_UPDATE] = {"status:update", false},
    [EVENT_HEARTBEAT] = {"heartbeat", false},
    [EVENT_JOB_SUBMITTED] = {"job.submitted", true},
    [EVENT_JOB_COMPLETED] = {"job.completed", true},
    [EVENT_JOB_FAILED] = {"job.failed", true},
    [EVENT_JOB_CANCELLED] = {"job.cancelled", true},
    [EVENT_JOB_PROGRESS] = {"job.progress", false},
};

const char *
event_type_name(enum event_type type)
{
    assert((unsigned)type < EVENT_TYPE_COUNT);
    return types[type].name;
}

bool
event_type_is_durable(enum event_type type)
{
    assert((unsigned)type < EVENT_TYPE_COUNT);
    return types[type].durable;
}

/* Copy s to `at`, with a NUL behind it. */
static struct str
place(char *at, struct str s)
{
    if (s.n > 0)
        memcpy(at, s.p, s.n);
    at[s.n] = '\0';
    return str_slice(at, s.n);
}

struct event *
event_create(enum event_type type, int64_t seq, int64_t time_ms, struct str subject,
             struct str data)
{
    struct event *e = xmalloc(sizeof(*e) + subject.n + 1 + data.n + 1);
    char *text = (char *)(e + 1);
    *e = (struct event){
        .refs = 1,
        .type = type,
        .seq = seq,
        .time_ms = time_ms,
        .subject = place(text, subject),
        .data = place(text + subject.n + 1, data),
    };
    return e;
}

struct event *
event_ref(struct event *e)
{
    if (e) {
        assert(e->refs > 0 && e->refs < UINT_MAX);
        e->refs++;
    }
    return e;
}

void
event_unref(struct event *e)
{
    if (!e)
        return;
    assert(e->refs > 0);
    if (--e->refs == 0)
        free(e);
}
