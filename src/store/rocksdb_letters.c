/* Dead letters as rows of the family meta, behind a name that no other key has; and gauges. Invariant: a
 * letter that cannot be read is left out, not an error: the index is still good. */
#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"

static const struct rocks_key letters = {.p = {'\0', 'l'}, .n = 2};

static struct rocks_key
letter_key(int64_t id)
{
    struct rocks_key key = letters;
    rocks_key_add(&key, id);
    return key;
}

/* 1 one, 0 none that we know. */
static int
read_letter(struct str text, int64_t id, struct dead_letter **ret_letter)
{
    struct rocks_unpack u = {.rest = text};
    enum dead_what what;
    struct str kind = rocks_take_str(&u), path = rocks_take_str(&u);
    struct str error = rocks_take_str(&u), payload = rocks_take_str(&u);
    int64_t time_ms = rocks_take_signed(&u);
    if (u.is_bad || dead_what_parse(kind, &what) < 0)
        return 0;
    *ret_letter = dead_letter_create(what, path, error, payload);
    (*ret_letter)->id = id;
    (*ret_letter)->time_ms = time_ms;
    (*ret_letter)->is_kept = true;
    return 1;
}

static int
each_letter(struct rocks_conn *c, store_letter_fn fn, void *ctx)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_META, letters, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct dead_letter *l = NULL;
        r = read_letter(walk.value, rocks_key_read(walk.key, letters.n), &l);
        if (r > 0)
            r = fn(ctx, l);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

int
rocks_each_letter(struct store_writer *base, store_letter_fn fn, void *ctx)
{
    struct rocks_writer *w = container_of(table_writer_of(base), struct rocks_writer, w);
    return each_letter(&w->c, fn, ctx);
}

int
rocks_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx)
{
    return each_letter(&rocks_reader_of(r)->c, fn, ctx);
}

int
rocks_put_letter(struct store_writer *base, const struct dead_letter *l)
{
    struct rocks_writer *w = container_of(table_writer_of(base), struct rocks_writer, w);
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key key = letter_key(l->id);
    assert(w->w.is_open);
    rocks_pack_str(&b, str_of(dead_what_name(l->what)));
    rocks_pack_str(&b, l->path);
    rocks_pack_str(&b, l->error);
    rocks_pack_str(&b, l->payload);
    rocks_pack_signed(&b, l->time_ms);
    rocks_put(&w->c, ROCKS_META, rocks_key_str(&key), buf_str(&b));
    return 0;
}

int
rocks_drop_letter(struct store_writer *base, int64_t id)
{
    struct rocks_writer *w = container_of(table_writer_of(base), struct rocks_writer, w);
    struct rocks_key key = letter_key(id);
    assert(w->w.is_open);
    rocks_delete(&w->c, ROCKS_META, rocks_key_str(&key));
    return 0;
}

void
rocks_gauges(const struct store_writer *base, struct store_gauges *ret_gauges)
{
    const struct table_writer *t = container_of(base, const struct table_writer, base);
    const struct rocks_writer *w = container_of(t, const struct rocks_writer, w);
    *ret_gauges = (struct store_gauges){
        .wal_bytes = w->log_bytes,
        .event_bytes = (uint64_t)t->committed.event_bytes,
        .past_rows = (uint64_t)t->committed.past_rows,
        .past_bytes = (uint64_t)t->committed.past_bytes,
    };
}
