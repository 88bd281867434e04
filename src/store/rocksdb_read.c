/* Rows in their order. Invariant: what is shown is a view of what the iterator stands on, or lies in an arena
 * of the walk; a callback may start another read on the same handle, which has its own. */
#include <sys/eventfd.h>

#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"

static const struct rocks_key any;

/* ---- numbers ---- */

static int
count_files(struct rocks_conn *c, struct store_counts *counts)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_FILE, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f;
        r = rocks_file_read(walk.value, rocks_key_read(walk.key, 0), &f);
        if (r < 0)
            break;
        counts->files[f.f.state]++;
        counts->entities += f.n_entities;
        counts->edges += f.n_edges;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
count_hovers(struct rocks_conn *c, struct store_counts *counts)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_COUNT, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_counts of;
        r = rocks_counts_read(walk.value, &of);
        if (r < 0)
            break;
        counts->hovers[HOVER_KNOWN] += (uint64_t)of.n_state[HOVER_KNOWN];
        counts->hovers[HOVER_EMPTY] += (uint64_t)of.n_state[HOVER_EMPTY];
        counts->stale += (uint64_t)of.n_stale;
        for (int i = 0; i < HOVER_REASON_COUNT; i++) {
            counts->reasons[i] += (uint64_t)of.n_reason[i];
            counts->hovers[HOVER_UNKNOWN] += (uint64_t)of.n_reason[i];
        }
    }
    rocks_walk_close(&walk);
    return r;
}

static int
count(struct store_reader *reader, struct store_counts *counts)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = count_files(&r->c, counts);
    if (e == 0)
        e = count_hovers(&r->c, counts);
    return e < 0 ? e : rocks_db_size(r->real, &counts->size_bytes);
}

/* ---- files ---- */

static int
each_in_any_order(struct rocks_conn *c, reader_file_fn fn, void *ctx)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_FILE, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f;
        r = rocks_file_read(walk.value, rocks_key_read(walk.key, 0), &f);
        if (r == 0)
            r = fn(ctx, &f);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

/* Those that the family look has under this mark. */
static int
each_marked(struct rocks_conn *c, char mark, reader_file_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    const struct rocks_key prefix = {.p = {mark}, .n = 1};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_LOOK, prefix, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f;
        arena_reset(&a);
        r = rocks_file_by_id(&c->t, rocks_key_read(walk.value, 0), &a, &f);
        r = r == -ENOENT ? err_trace(-EBADMSG) : r;
        if (r == 0)
            r = fn(ctx, &f);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

struct unasked {
    struct str path;
    int64_t id;
    bool is_stale_only;
};

static int
unasked_first(const void *a, const void *b)
{
    const struct unasked *x = a, *y = b;
    if (x->is_stale_only != y->is_stale_only)
        return x->is_stale_only ? 1 : -1;
    return str_cmp(x->path, y->path);
}

struct unasked_list {
    struct unasked *v;
    size_t n, cap;
};

static int
list_unasked(struct rocks_conn *c, struct arena *a, struct unasked_list *list)
{
    static const enum hover_reason reasons[] = {
        HOVER_REASON_NOT_ASKED, HOVER_REASON_STARTING, HOVER_REASON_TIMED_OUT,
        HOVER_REASON_CRASHED,   HOVER_REASON_BUSY,     HOVER_REASON_CANCELLED,
    };
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_COUNT, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_counts counts;
        struct file_stored f;
        int64_t n_unasked = 0, id = rocks_key_read(walk.key, 0);
        r = rocks_counts_read(walk.value, &counts);
        for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
            n_unasked += counts.n_reason[reasons[i]];
        if (r == 0 && (n_unasked > 0 || counts.n_stale > 0)) {
            r = rocks_file_by_id(&c->t, id, a, &f);
            if (r == 0)
                *vec_push(list) = (struct unasked){f.f.path, id, n_unasked == 0};
        }
        if (r < 0)
            break;
    }
    rocks_walk_close(&walk);
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

static int
each_unasked(struct rocks_conn *c, reader_file_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena names = {0};
    AUTO(arena_finish) struct arena a = {0};
    struct unasked_list list = {0};
    int r = list_unasked(c, &names, &list);
    if (list.n > 1)
        qsort(list.v, list.n, sizeof(*list.v), unasked_first);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        struct file_stored f;
        arena_reset(&a);
        r = rocks_file_by_id(&c->t, list.v[i].id, &a, &f);
        if (r == 0)
            r = fn(ctx, &f);
    }
    vec_finish(&list);
    return r;
}

static int
each_file(struct store_reader *reader, enum reader_files which, reader_file_fn fn,
          void *ctx)
{
    struct rocks_conn *c = &rocks_reader_of(reader)->c;
    switch (which) {
    case FILES_ALL: return each_in_any_order(c, fn, ctx);
    case FILES_BY_PATH: return each_marked(c, 'p', fn, ctx);
    case FILES_UNASKED: return each_unasked(c, fn, ctx);
    case FILES_WAITING: return each_marked(c, 't', fn, ctx);
    }
    return -EINVAL;
}

/* ---- the rest ---- */

static int
each_name(struct store_reader *reader, reader_name_fn fn, void *ctx)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, &rocks_reader_of(reader)->c, ROCKS_ENTITY, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct entity_stored s;
        r = rocks_entity_read(walk.value, rocks_entity_id(walk.key), &s);
        if (r == 0) {
            struct entity_row row = {.id = s.id};
            row.e.kind = s.e.kind;
            row.e.parent = ENTITY_NONE;
            row.e.name = s.e.name;
            row.e.qualified_name = s.e.qualified_name;
            r = fn(ctx, &row);
        }
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
each_past(struct store_reader *reader, store_past_fn fn, void *ctx)
{
    static const struct rocks_key rows = {.p = {'r'}, .n = 1};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, &rocks_reader_of(reader)->c, ROCKS_PAST, rows, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct past_row row;
        r = rocks_past_read(walk.value, rocks_key_read(walk.key, 1), &row);
        if (r == 0)
            r = fn(ctx, row.content, row.lang);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
each_event(struct store_reader *reader, int64_t since, size_t limit, reader_event_fn fn,
           void *ctx)
{
    struct rocks_conn *c = &rocks_reader_of(reader)->c;
    struct rocks_walk walk;
    struct rocks_ids ids;
    int r = rocks_ids_get(c, &ids);
    if (r < 0 || since >= ids.head)
        return r;
    struct rocks_key from = rocks_key_id(MAX(since + 1, ids.first));
    rocks_walk_open(&walk, c, ROCKS_EVENT, any, rocks_key_str(&from));
    for (; limit > 0 && (r = rocks_walk_next(&walk)) > 0; limit--) {
        struct table_event row;
        r = rocks_event_read(walk.value, rocks_key_read(walk.key, 0), &row);
        if (r == 0)
            r = fn(ctx, &row);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static void
interrupt(struct store_reader *reader)
{
    eventfd_write(rocks_reader_of(reader)->c.stop_fd, 1);
}

const struct store_reader_ops rocks_reader_ops = {
    .close = rocks_reader_close,
    .interrupt = interrupt,
    .view_begin = rocks_view_begin,
    .view_end = rocks_view_end,
    .counts = count,
    .each_file = each_file,
    .each_name = each_name,
    .each_event = each_event,
    .each_past = each_past,
    .each_letter = rocks_read_letters,
    .each_job = rocks_read_jobs,
    .find_named = rocks_find_named,
    .find_callers = rocks_find_callers,
    .find_words = rocks_find_words,
};
