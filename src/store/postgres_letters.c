/* Dead letters as rows, and gauges. Invariant: a letter that cannot be read (a database that others can
 * write) is left out, not an error: the index is still good. */
#include "base/err.h"
#include "store/postgres.h"
#include "store/postgres_reader.h"

static struct postgres_tables *
tables_of(struct store_writer *base)
{
    return &container_of(base, struct postgres_writer, w.base)->p;
}

/* What the server does with its log is its own affair. */
void
postgres_gauges(const struct store_writer *base, struct store_gauges *ret_gauges)
{
    const struct table_writer *w = container_of(base, const struct table_writer, base);
    *ret_gauges = (struct store_gauges){
        .event_bytes = (uint64_t)w->committed.event_bytes,
        .past_rows = (uint64_t)w->committed.past_rows,
        .past_bytes = (uint64_t)w->committed.past_bytes,
    };
}

static int
each_letter(struct postgres_tables *p, store_letter_fn fn, void *ctx)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_LETTER_EACH, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        enum dead_what what;
        if (dead_what_parse(postgres_str(rows, i, 0), &what) < 0)
            continue;
        struct dead_letter *l =
            dead_letter_create(what, postgres_str(rows, i, 1), postgres_str(rows, i, 2),
                               postgres_str(rows, i, 3));
        l->id = postgres_int(rows, i, 4);
        l->time_ms = postgres_int(rows, i, 5);
        l->is_kept = true;
        r = fn(ctx, l);
    }
    return r;
}

int
postgres_each_letter(struct store_writer *base, store_letter_fn fn, void *ctx)
{
    return each_letter(tables_of(base), fn, ctx);
}

int
postgres_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx)
{
    return each_letter(&postgres_reader_of(r)->p, fn, ctx);
}

int
postgres_put_letter(struct store_writer *base, const struct dead_letter *l)
{
    struct postgres_tables *p = tables_of(base);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, l->id);
    postgres_arg_str(&args, str_of(dead_what_name(l->what)));
    postgres_arg_str(&args, l->path);
    postgres_arg_str(&args, l->error);
    postgres_arg_str(&args, l->payload);
    postgres_arg_int(&args, l->time_ms);
    return postgres_send(&p->c, PG_LETTER_PUT, &args);
}

int
postgres_drop_letter(struct store_writer *base, int64_t id)
{
    struct postgres_tables *p = tables_of(base);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, id);
    return postgres_send(&p->c, PG_LETTER_DELETE, &args);
}
