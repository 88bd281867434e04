/* The mark of a copy that is not finished, a fact of the target. Invariant: it is there from the first commit
 * of a copy to the one that makes it whole, and says of each commit between them what it has of the source. */
#include "store/copy_mark.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/backend.h"
#include "store/shared.h"

#define MARK "copying"
#define DELETES_AT_ONCE 200

static uint64_t *
number(struct copy_mark *m, size_t i)
{
    uint64_t *const v[] = {&m->n.files,     &m->n.hover_files,  &m->n.entities,
                           &m->n.edges,     &m->n.hovers,       &m->n.stale,
                           &m->n_past_seen, &m->n.past_contents};
    return i < ARRAY_LEN(v) ? v[i] : NULL;
}

/* EPOCH HEAD NUMBER… */
static int
parse(struct str text, struct copy_mark *ret_mark)
{
    struct copy_mark m = {.head = 0};
    struct str part;
    if (!str_split(&text, ' ', &part) || part.n != sizeof(m.epoch) - 1)
        return -EBADMSG;
    memcpy(m.epoch, part.p, part.n);
    if (!str_split(&text, ' ', &part) || str_to_i64(part, &m.head) < 0)
        return -EBADMSG;
    for (size_t i = 0; number(&m, i); i++)
        if (!str_split(&text, ' ', &part) || str_to_u64(part, number(&m, i)) < 0)
            return -EBADMSG;
    *ret_mark = m;
    return 0;
}

int
copy_mark_read(struct store_writer *w, struct copy_mark *ret_mark)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str text = STR_NONE;
    int r = table_fact(w, MARK, &a, &text);
    if (r == 0 && text.n == 0)
        r = -ENOENT;
    if (r == 0 && parse(text, ret_mark) < 0)
        *ret_mark = (struct copy_mark){.head = 0};
    return r;
}

int
copy_mark_write(struct store_writer *w, const struct copy_mark *mark)
{
    AUTO(buf_finish) struct buf b = {0};
    struct copy_mark m = *mark;
    buf_printf(&b, "%s %" PRId64, m.epoch, m.head);
    for (size_t i = 0; number(&m, i); i++)
        buf_printf(&b, " %" PRIu64, *number(&m, i));
    return err_trace(table_put_fact(w, MARK, buf_str(&b)));
}

int
copy_mark_remove(struct store_writer *w)
{
    return err_trace(table_put_fact(w, MARK, STR("")));
}

/* ---- anew ---- */

struct clearing {
    struct arena a;
    VEC(struct str) paths;
};

static int
on_file(void *ctx, const struct file *file)
{
    struct clearing *c = ctx;
    *vec_push(&c->paths) = arena_str(&c->a, file->path);
    return 0;
}

static int
list_files(const char *url, struct clearing *c)
{
    struct store_reader *r = NULL;
    int e = store_reader_open_any(url, &r, NULL);
    if (e == 0)
        e = store_each_file(r, on_file, c);
    store_reader_close(r);
    return err_trace(e);
}

static int
delete_some(struct store_writer *w, const struct clearing *c, size_t from)
{
    int r = store_begin(w);
    for (size_t i = from; i < c->paths.n && i < from + DELETES_AT_ONCE && r == 0; i++) {
        struct event *event = NULL;
        r = store_delete_file(w, c->paths.v[i], &event);
        event_unref(event);
    }
    if (r == 0)
        r = store_commit(w);
    if (r < 0)
        store_rollback(w);
    return err_trace(r);
}

/* What the files left. Letters come with the last commit of a copy. */
static int
forget_some(struct store_writer *w, bool *ret_more)
{
    int r = store_begin(w);
    if (r == 0)
        r = table_forget(w, ret_more);
    if (r == 0)
        r = store_commit(w);
    if (r < 0)
        store_rollback(w);
    return err_trace(r);
}

int
copy_clear(struct store_writer *w)
{
    struct clearing c = {.paths = {0}};
    bool more = true;
    int r = list_files(w->url, &c);
    for (size_t i = 0; i < c.paths.n && r == 0; i += DELETES_AT_ONCE)
        r = delete_some(w, &c, i);
    while (r == 0 && more)
        r = forget_some(w, &more);
    vec_finish(&c.paths);
    arena_finish(&c.a);
    return r;
}
