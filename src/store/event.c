/* The transaction, its counters and the event log. Invariant: a seq is given inside the transaction of
 * the rows it tells of; a rollback takes it back, so committed seqs have no hole. Counters that would
 * cost a scan live in memory and are written to meta with the commit that changed them. */
#include "base/clock.h"
#include "base/err.h"
#include "store/logic.h"

#define PRUNE_ROWS 5000

/* ---- the handle ---- */

/* Of the counters in meta; the head is the log's. */
static const struct {
    const char *key;
    size_t at;
} kept[] = {
    {"event_bytes", offsetof(struct table_counters, event_bytes)},
    {"text_gen", offsetof(struct table_counters, text_gen)},
    {"text_rows", offsetof(struct table_counters, text_rows)},
    {"text_dead", offsetof(struct table_counters, text_dead)},
    {"past_rows", offsetof(struct table_counters, past_rows)},
    {"past_bytes", offsetof(struct table_counters, past_bytes)},
    {"once_rows", offsetof(struct table_counters, once_rows)},
    {"reused", offsetof(struct table_counters, reused)},
};

static int64_t *
counter(struct table_counters *counters, size_t i)
{
    return (int64_t *)(void *)((char *)counters + kept[i].at);
}

void
table_writer_init(struct table_writer *w, const struct store_writer_ops *ops,
                  const struct table_writes *writes, struct tables *t)
{
    char *random = random_hex(sizeof(w->seed));
    *w = (struct table_writer){.base = {.ops = ops}, .writes = writes, .t = t};
    w->seed = hash64(str_of(random));
    free(random);
}

void
table_writer_finish(struct table_writer *w)
{
    arena_finish(&w->scratch);
}

int
table_writer_load(struct table_writer *w, struct store_info *ret_info)
{
    int r = table_info(w->t, ret_info);
    w->now = (struct table_counters){.head = ret_info->head};
    for (size_t i = 0; i < ARRAY_LEN(kept) && r == 0; i++)
        r = table_meta_int(w->t, kept[i].key, counter(&w->now, i));
    w->committed = w->now;
    return r;
}

int
table_info(struct tables *t, struct store_info *ret_info)
{
    AUTO(arena_finish) struct arena a = {0};
    struct store_info info = {0};
    struct str epoch = STR_NONE, copying = STR_NONE;
    int r = t->reads->meta_get(t, "epoch", &a, &epoch);
    if (r == -ENOENT || (r == 0 && epoch.n != STORE_EPOCH_BYTES - 1))
        r = -EBADMSG;
    if (r == 0)
        r = t->reads->log_ends(t, &info.first_seq, &info.head);
    if (r < 0)
        return err_trace(r);
    r = t->reads->meta_get(t, "copying", &a, &copying);
    if (r < 0 && r != -ENOENT)
        return err_trace(r);
    info.is_partial = copying.n > 0;
    memcpy(info.epoch, epoch.p, epoch.n);
    *ret_info = info;
    return 0;
}

int
table_meta_int(struct tables *t, const char *key, int64_t *ret_value)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str value = STR_NONE;
    *ret_value = 0;
    int r = t->reads->meta_get(t, key, &a, &value);
    if (r == -ENOENT)
        return 0;
    if (r == 0 && str_to_i64(value, ret_value) < 0)
        r = -EBADMSG;
    return err_trace(r);
}

int
table_meta_put_int(struct table_writer *w, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    return w->writes->meta_put(w->t, key, str_of(text));
}

/* ---- the transaction ---- */

int
store_begin(struct store_writer *base)
{
    struct table_writer *w = table_writer_of(base);
    assert(!w->is_open);
    int r = w->writes->begin(w->t);
    w->is_open = r == 0;
    return r;
}

int
store_commit(struct store_writer *base)
{
    struct table_writer *w = table_writer_of(base);
    int r = 0;
    assert(w->is_open);
    for (size_t i = 0; i < ARRAY_LEN(kept) && r == 0; i++) {
        int64_t value = *counter(&w->now, i);
        if (value != *counter(&w->committed, i))
            r = table_meta_put_int(w, kept[i].key, value);
    }
    if (r == 0)
        r = w->writes->commit(w->t);
    if (r < 0)
        return err_trace(r);
    w->committed = w->now;
    w->is_open = false;
    return 0;
}

void
store_rollback(struct store_writer *base)
{
    struct table_writer *w = table_writer_of(base);
    w->writes->rollback(w->t);
    w->now = w->committed;
    w->is_open = false;
}

void
store_be_brief(struct store_writer *base, bool is_brief)
{
    table_writer_of(base)->is_brief = is_brief;
}

int
store_set_maker(struct store_writer *base, struct str maker)
{
    struct table_writer *w = table_writer_of(base);
    AUTO(arena_finish) struct arena a = {0};
    struct str was = STR_NONE;
    int r = w->t->reads->meta_get(w->t, "maker", &a, &was);
    if ((r == 0 && str_eq(was, maker)) || (r < 0 && r != -ENOENT))
        return err_trace(r);
    r = store_begin(base);
    if (r < 0)
        return err_trace(r);
    r = w->writes->files_all_old(w->t);
    if (r == 0)
        r = w->writes->meta_put(w->t, "maker", maker);
    if (r == 0)
        r = store_commit(base);
    if (r < 0)
        store_rollback(base);
    return err_trace(r);
}

/* ---- the log ---- */

int
table_event_add(struct table_writer *w, enum event_type type, struct str subject,
                struct str data, bool is_bare, struct event **ret_event)
{
    struct table_event row = {
        .seq = w->now.head + 1,
        .ts_ms = clock_wall_ms(),
        .type = type,
        .subject = subject,
        .data = is_bare ? STR_NONE : data,
    };
    assert(w->is_open);
    int r = w->writes->event_add(w->t, &row);
    if (r < 0)
        return r;
    w->now.head = row.seq;
    w->now.event_bytes += (int64_t)(subject.n + row.data.n);
    *ret_event = event_create(type, row.seq, row.ts_ms, subject, data);
    return 0;
}

int
store_put_event(struct store_writer *base, enum event_type type, struct str subject,
                struct str data, struct event **ret_event)
{
    assert(event_type_is_durable(type));
    return table_event_add(table_writer_of(base), type, subject, data, false, ret_event);
}

int
table_event_fill(struct table_writer *w, struct file_stored *f,
                 const struct entity_list *list)
{
    AUTO(buf_finish) struct buf data = {0};
    if (f->log_seq == 0)
        return 0;
    rows_first_data(f, list, &data);
    int r = w->writes->event_fill(w->t, f->log_seq, buf_str(&data));
    if (r > 0)
        w->now.event_bytes += (int64_t)data.n;
    f->log_seq = 0;
    return err_trace(MIN(r, 0));
}

/* A generation that is gone keeps its rows until there are too many of them. */
void
table_text_drop(struct table_writer *w, struct file_stored *f)
{
    if (f->text_gen > 0)
        w->now.text_dead += (int64_t)f->n_entities + 1;
    f->text_gen = 0;
}

struct cut {
    const struct table_writer *w;
    int64_t now_ms, seq, bytes;
    int n;
};

/* While a row is beyond one of the three limits. */
static int
walk_log(void *ctx, int64_t seq, int64_t ts_ms, int64_t size_bytes)
{
    struct cut *cut = ctx;
    bool is_beyond = cut->w->now.head - seq >= STORE_EVENTS_MAX ||
                     cut->now_ms - ts_ms > STORE_EVENTS_AGE_MS ||
                     cut->bytes > STORE_EVENTS_BYTES;
    if (!is_beyond)
        return 1;
    cut->bytes -= size_bytes;
    cut->seq = seq;
    cut->n++;
    return 0;
}

int
store_prune(struct store_writer *base, int64_t now_ms, bool *ret_more)
{
    struct table_writer *w = table_writer_of(base);
    struct cut cut = {.w = w, .now_ms = now_ms, .bytes = w->now.event_bytes};
    assert(w->is_open);
    int r = w->writes->events_oldest(w->t, PRUNE_ROWS, walk_log, &cut);
    if (r < 0)
        return err_trace(r);
    if (cut.n > 0) {
        r = w->writes->events_delete(w->t, cut.seq);
        if (r < 0)
            return err_trace(r);
        w->now.event_bytes = MAX(cut.bytes, 0);
    }
    bool more_past = false, more_once = false;
    r = table_past_prune(w, STORE_PAST_ROWS, STORE_PAST_BYTES, &more_past);
    if (r == 0)
        r = table_once_prune(w, now_ms, &more_once);
    *ret_more = more_past || more_once || cut.n == PRUNE_ROWS;
    return table_done(w, r);
}

/* ---- for a copy ---- */

int
table_fact(struct store_writer *base, const char *key, struct arena *a,
           struct str *ret_value)
{
    struct table_writer *w = table_writer_of(base);
    return w->t->reads->meta_get(w->t, key, a, ret_value);
}

int
table_put_fact(struct store_writer *base, const char *key, struct str value)
{
    struct table_writer *w = table_writer_of(base);
    assert(w->is_open);
    return w->writes->meta_put(w->t, key, value);
}

/* Of an index without files: what they left. The next seq is as it was. */
int
table_forget(struct store_writer *base, bool *ret_more)
{
    struct table_writer *w = table_writer_of(base);
    assert(w->is_open);
    int r = table_past_prune(w, 0, 0, ret_more);
    if (r < 0 || *ret_more)
        return err_trace(r);
    w->now.event_bytes = 0;
    return err_trace(w->writes->events_delete(w->t, w->now.head));
}
