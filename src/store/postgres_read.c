/* Rows in their order, and what a view is (REPEATABLE READ). Invariant: an answer is whole before the first
 * callback, which may start another read on the same handle, and long ones are read page by page, each
 * from where the last ended. */
#include "store/postgres_reader.h"

#include "base/err.h"

/* ---- views ---- */

static int
view_begin(struct store_reader *r)
{
    return postgres_send(&postgres_reader_of(r)->p.c, PG_BEGIN_READ, NULL);
}

static void
view_end(struct store_reader *r)
{
    struct postgres_conn *c = &postgres_reader_of(r)->p.c;
    if (!c->is_cut)
        (void)postgres_wait(c); // what failed was told by then
    if (!c->is_cut && postgres_exec(c, "ROLLBACK") < 0)
        c->is_cut = true;
}

/* ---- numbers ---- */

static int
count_files(struct postgres_tables *p, struct store_counts *counts)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_COUNT_FILES, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        int64_t state = postgres_int(rows, i, 0);
        if (state < 0 || state >= FILE_STATE_COUNT)
            return err_trace(-EBADMSG);
        counts->files[state] = (uint64_t)postgres_int(rows, i, 1);
        counts->entities += (uint64_t)postgres_int(rows, i, 2);
        counts->edges += (uint64_t)postgres_int(rows, i, 3);
        counts->hovers[HOVER_KNOWN] += (uint64_t)postgres_int(rows, i, 4);
        counts->hovers[HOVER_EMPTY] += (uint64_t)postgres_int(rows, i, 5);
        counts->stale += (uint64_t)postgres_int(rows, i, 6);
    }
    return r;
}

static int
count_unknown(struct postgres_tables *p, struct store_counts *counts)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_COUNT_UNKNOWN, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        int64_t reason = postgres_int(rows, i, 0);
        if (reason < 0 || reason >= HOVER_REASON_COUNT)
            return err_trace(-EBADMSG);
        counts->reasons[reason] = (uint64_t)postgres_int(rows, i, 1);
        counts->hovers[HOVER_UNKNOWN] += counts->reasons[reason];
    }
    return r;
}

/* Of the database as a whole: it is not known which pages are whose. */
static int
count_bytes(struct postgres_tables *p, struct store_counts *counts)
{
    AUTO_ROWS(rows);
    int r = postgres_query(&p->c, PG_SIZE, NULL, rows);
    if (r == 0)
        counts->size_bytes = (uint64_t)postgres_int(rows, 0, 0);
    return r;
}

static int
count(struct store_reader *reader, struct store_counts *counts)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    int r = count_files(p, counts);
    if (r == 0)
        r = count_unknown(p, counts);
    return r < 0 ? r : count_bytes(p, counts);
}

/* ---- files ---- */

static int
show_files(const struct postgres_rows *rows, reader_file_fn fn, void *ctx)
{
    int r = 0;
    for (int i = 0; i < postgres_count(rows) && r == 0; i++) {
        struct file_stored f;
        r = postgres_file_read(rows, i, NULL, &f);
        if (r == 0)
            r = fn(ctx, &f);
    }
    return r;
}

/* By id, from one on that is none, a page at a time. */
static int
each_page(struct postgres_tables *p, bool is_waiting, reader_file_fn fn, void *ctx)
{
    int64_t id = p->ws << POSTGRES_WORKSPACE_SHIFT;
    int64_t last = ((p->ws + 1) << POSTGRES_WORKSPACE_SHIFT) - 1;
    int n = POSTGRES_PAGE, r = 0;
    while (n == POSTGRES_PAGE && r == 0) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        if (is_waiting)
            postgres_arg_int(&args, p->ws);
        postgres_arg_int(&args, id);
        if (!is_waiting)
            postgres_arg_int(&args, last);
        postgres_arg_int(&args, POSTGRES_PAGE);
        r = postgres_query(&p->c, is_waiting ? PG_FILE_TEXT_WAITING : PG_FILE_PAGE, &args,
                           rows);
        if (r < 0)
            break;
        n = postgres_count(rows);
        if (n > 0)
            id = postgres_int(rows, n - 1, 0);
        r = show_files(rows, fn, ctx);
    }
    return r;
}

static int
each_by_path(struct postgres_tables *p, reader_file_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(ids);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_FILE_IDS, &args, ids);
    for (int i = 0; r == 0 && i < postgres_count(ids); i++) {
        struct file_stored f;
        arena_reset(&a);
        r = p->base.reads->file_by_id(&p->base, postgres_int(ids, i, 0), &a, &f);
        if (r == 0)
            r = fn(ctx, &f);
    }
    return r;
}

static int
each_unasked(struct postgres_tables *p, reader_file_fn fn, void *ctx)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_FILE_UNASKED, &args, rows);
    return r < 0 ? r : show_files(rows, fn, ctx);
}

static int
each_file(struct store_reader *reader, enum reader_files which, reader_file_fn fn,
          void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    switch (which) {
    case FILES_ALL: return each_page(p, false, fn, ctx);
    case FILES_BY_PATH: return each_by_path(p, fn, ctx);
    case FILES_UNASKED: return each_unasked(p, fn, ctx);
    case FILES_WAITING: return each_page(p, true, fn, ctx);
    }
    return -EINVAL;
}

/* ---- the rest ---- */

static int
show_names(const struct postgres_rows *rows, reader_name_fn fn, void *ctx)
{
    int r = 0;
    for (int i = 0; i < postgres_count(rows) && r == 0; i++) {
        int64_t kind = postgres_int(rows, i, 1) & 255;
        struct entity_row row = {.id = postgres_int(rows, i, 0)};
        if (kind >= ENTITY_KIND_COUNT)
            return err_trace(-EBADMSG);
        row.e.kind = (enum entity_kind)kind;
        row.e.parent = ENTITY_NONE;
        row.e.name = postgres_str(rows, i, 2);
        row.e.qualified_name = postgres_str(rows, i, 3);
        row.path = postgres_str(rows, i, 4);
        row.lang = postgres_str(rows, i, 5);
        r = fn(ctx, &row);
    }
    return r;
}

static int
each_name(struct store_reader *reader, reader_name_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    int64_t id = ENTITY_ID(p->ws << POSTGRES_WORKSPACE_SHIFT, 0);
    int64_t last = ENTITY_ID(((p->ws + 1) << POSTGRES_WORKSPACE_SHIFT) - 1, SLOT_MASK);
    int n = POSTGRES_PAGE, r = 0;
    while (n == POSTGRES_PAGE && r == 0) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        postgres_arg_int(&args, id);
        postgres_arg_int(&args, last);
        postgres_arg_int(&args, POSTGRES_PAGE);
        r = postgres_query(&p->c, PG_ENTITY_NAMES, &args, rows);
        if (r < 0)
            break;
        n = postgres_count(rows);
        if (n > 0)
            id = postgres_int(rows, n - 1, 0);
        r = show_names(rows, fn, ctx);
    }
    return r;
}

static int
show_event(const struct postgres_rows *rows, int i, reader_event_fn fn, void *ctx)
{
    struct table_event event = {.seq = postgres_int(rows, i, 0),
                                .ts_ms = postgres_int(rows, i, 2),
                                .subject = postgres_str(rows, i, 3),
                                .data = postgres_str(rows, i, 4)};
    int r = reader_event_type(postgres_int(rows, i, 1), &event.type);
    return r < 0 ? r : fn(ctx, &event);
}

static int
each_event(struct store_reader *reader, int64_t since, size_t limit, reader_event_fn fn,
           void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    size_t n_wanted = MIN(limit, (size_t)POSTGRES_EVENTS), n = n_wanted;
    int r = 0;
    while (r == 0 && n == n_wanted && limit > 0) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        n_wanted = MIN(limit, (size_t)POSTGRES_EVENTS);
        postgres_arg_int(&args, p->ws);
        postgres_arg_int(&args, since);
        postgres_arg_int(&args, (int64_t)n_wanted);
        r = postgres_query(&p->c, PG_EVENT_SINCE, &args, rows);
        if (r < 0)
            break;
        n = (size_t)postgres_count(rows);
        for (int i = 0; i < (int)n && r == 0; i++) {
            since = postgres_int(rows, i, 0);
            r = show_event(rows, i, fn, ctx);
        }
        limit -= n;
    }
    return r;
}

static int
each_past(struct store_reader *reader, store_past_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_PAST_EACH, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        struct hash128 content;
        struct str bytes = postgres_str(rows, i, 0);
        if (bytes.n != sizeof(content))
            return err_trace(-EBADMSG);
        memcpy(&content, bytes.p, sizeof(content));
        r = fn(ctx, content, postgres_str(rows, i, 1));
    }
    return r;
}

/* ---- the table ---- */

static void
close_reader(struct store_reader *reader)
{
    struct postgres_reader *r = postgres_reader_of(reader);
    postgres_tables_finish(&r->p);
    free(r);
}

/* Over a connection of its own, which the server closes when it was heard. */
static void
interrupt(struct store_reader *reader)
{
    reader->is_interrupted = 1;
    postgres_cancel(&postgres_reader_of(reader)->p.c);
}

static int
listen_to(struct store_reader *reader, int *ret_fd)
{
    return postgres_listen(&postgres_reader_of(reader)->p.c, ret_fd);
}

static int
take_news(struct store_reader *reader)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    return postgres_notices(&p->c, p->ws);
}

const struct store_reader_ops postgres_reader_ops = {
    .close = close_reader,
    .interrupt = interrupt,
    .listen = listen_to,
    .news = take_news,
    .view_begin = view_begin,
    .view_end = view_end,
    .counts = count,
    .each_file = each_file,
    .each_name = each_name,
    .each_event = each_event,
    .each_past = each_past,
    .each_letter = postgres_read_letters,
    .each_job = postgres_read_jobs,
    .find_named = postgres_find_named,
    .find_callers = postgres_find_callers,
    .find_words = postgres_find_words,
};
