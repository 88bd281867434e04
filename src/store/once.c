/* Why: whoever did not hear an answer sends the same again, and must hear the same: a batch that is not done again says
 * of each item what was said of it, which its lines alone no longer tell. Invariant: of a known batch an item without an
 * outcome was done and found nothing to delete; the outcomes of a batch have its key's time, and go with it. */
#include "store/once.h"

#include "base/clock.h"
#include "base/err.h"
#include "store/logic.h"

/* An outcome: a fault, and whether what was to be deleted was there. */
#define OUTCOME_FAULTS 0xff
#define OUTCOME_FOUND 0x100

static const char *const texts[] = {
    [ONCE_DONE] = NULL,
    [ONCE_UNREADABLE] =
        "it was wrong when its key was sent first: send it with another key",
    [ONCE_WITHIN_ITSELF] = "an entity cannot be within itself",
    [ONCE_TOO_DEEP] = "entities are nested more than 64 deep",
    [ONCE_NO_PARENT] =
        "parent is no entity of this file: it must come before its children",
    [ONCE_TOO_MANY_ENTITIES] = "a file has at most 50000 entities",
    [ONCE_TOO_MANY_EDGES] = "a file has at most 200000 edges",
    [ONCE_OTHER_LANGUAGE] = "the file is there in another language: send all of it",
};

const char *
once_fault_text(enum once_fault fault)
{
    return texts[fault];
}

static enum once_fault
fault_of(const struct ingest_item *item)
{
    for (size_t i = ONCE_UNREADABLE; i < ARRAY_LEN(texts); i++)
        if (item->fault == texts[i])
            return (enum once_fault)i;
    return item->fault ? ONCE_UNREADABLE : ONCE_DONE;
}

static int64_t
outcome_of(const struct ingest_item *item)
{
    return (int64_t)fault_of(item) | (item->is_found ? OUTCOME_FOUND : 0);
}

/* No key of a sender has a NUL. index -1: of how many items there is one. */
static struct str
outcome_key(struct buf *b, const struct ingest_batch *batch, ssize_t index)
{
    buf_reset(b);
    buf_add_str(b, batch->once);
    buf_add_char(b, '\0');
    buf_printf(b, "%" PRId64 ":%zd", batch->seq, index);
    return buf_str(b);
}

static int
put(struct table_writer *w, struct str key, int64_t value, int64_t time_ms)
{
    w->now.once_rows++;
    return err_trace(w->writes->once_add(w->t, key, value, time_ms));
}

int
once_put(struct table_writer *w, struct str key, int64_t seq)
{
    return put(w, key, seq, clock_wall_ms());
}

int
once_put_batch(struct table_writer *w, const struct ingest_batch *batch)
{
    AUTO(buf_finish) struct buf key = {0};
    int64_t n = 0, now_ms = clock_wall_ms();
    int r = put(w, batch->once, batch->seq, now_ms);
    for (size_t i = 0; i < batch->n && r == 0; i++) {
        int64_t outcome = outcome_of(&batch->v[i]);
        if (outcome == 0)
            continue;
        n++;
        r = put(w, outcome_key(&key, batch, (ssize_t)i), outcome, now_ms);
    }
    return r == 0 && n > 0 ? put(w, outcome_key(&key, batch, -1), n, now_ms) : r;
}

/* What is wrong with it now is what was, if it was sent again as it was. */
static void
set_outcome(struct ingest_item *item, int64_t outcome)
{
    size_t fault = (size_t)(outcome & OUTCOME_FAULTS);
    item->is_found = outcome & OUTCOME_FOUND;
    if (fault >= ARRAY_LEN(texts)) // of a later version
        fault = ONCE_UNREADABLE;
    if (fault != ONCE_UNREADABLE || !item->fault)
        item->fault = texts[fault];
}

int
once_get_outcomes(struct table_writer *w, struct ingest_batch *batch)
{
    AUTO(buf_finish) struct buf key = {0};
    int64_t left = 0;
    int r = w->t->reads->once_get(w->t, outcome_key(&key, batch, -1), &left);
    for (size_t i = 0; i < batch->n && r >= 0; i++) {
        int64_t outcome = 0;
        if (left > 0)
            r = w->t->reads->once_get(w->t, outcome_key(&key, batch, (ssize_t)i),
                                      &outcome);
        left -= r > 0 && outcome != 0;
        set_outcome(&batch->v[i], outcome);
        batch->v[i].seq = batch->seq;
    }
    return err_trace(MIN(r, 0));
}
