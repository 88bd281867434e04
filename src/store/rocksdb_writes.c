/* Rows out, into the transaction's batch, and what finds them again. Invariant: the family look says of
 * each file what its row says, since every row is written by put_row(); commit is one write of the
 * whole batch, on the disk before it returns. */
#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"

#define ONCE_TIME_BYTES 9 // of a key: 'o', time

static struct rocks_writer *
writer_of(struct tables *t)
{
    return container_of(rocks_conn_of(t), struct rocks_writer, c);
}

/* ---- the transaction ---- */

static void
forget(struct rocks_conn *c)
{
    rocks_batch_clear(c);
    c->has_ids = c->are_ids_new = false;
}

static int
begin(struct tables *t)
{
    return rocks_mend(writer_of(t));
}

/* One that only failed to be synced may be read back: then it must not be told as failed, or its seqs would
 * be nobody's. Without a seq of its own it does no harm to do it again. */
static bool
is_there_all_the_same(struct rocks_writer *w)
{
    int64_t head = w->w.now.head;
    forget(&w->c); // or it would be seen in what is read
    return head > w->w.committed.head && rocks_has_landed(w, head);
}

static int
commit(struct tables *t)
{
    struct rocks_writer *w = writer_of(t);
    char *error = NULL;
    size_t size_bytes = 0;
    int r = 0;
    if (w->is_broken)
        return err_trace(-EIO); // begin mends it
    rocks_ids_write(&w->c);
    if (rocks.writebatch_count(w->c.all) == 0)
        return 0;
    rocks.writebatch_data(w->c.all, &size_bytes);
    rocksdb_writeoptions_t *options = rocks.writeoptions_create();
    rocks.writeoptions_set_sync(options, !w->is_closing);
    rocks.write(w->c.db->db, options, w->c.all, &error);
    rocks.writeoptions_destroy(options);
    r = rocks_errno(error);
    if (r < 0) {
        w->is_broken = true;
        w->c.is_damaged |= r == -EBADMSG;
        if (!is_there_all_the_same(w))
            return err_trace(r);
    }
    w->log_bytes += size_bytes;
    if (w->drops_text)
        rocks_text_drop_all(w);
    rocks_batch_clear(&w->c); // the ids are what they are
    return 0;
}

static void
rollback(struct tables *t)
{
    forget(rocks_conn_of(t));
    writer_of(t)->drops_text = false;
}

static int
meta_put(struct tables *t, const char *key, struct str value)
{
    rocks_put(rocks_conn_of(t), ROCKS_META, str_of(key), value);
    return 0;
}

static int
next_id(struct rocks_conn *c, int64_t *counter, int64_t *ret_id)
{
    struct rocks_ids ids;
    int r = rocks_ids_get(c, &ids);
    if (r < 0)
        return r;
    *ret_id = ++*counter;
    c->are_ids_new = true;
    return 0;
}

/* ---- files ---- */

static void
put_id(struct rocks_conn *c, struct str key, int64_t id)
{
    struct rocks_key value = rocks_key_id(id);
    rocks_put(c, ROCKS_LOOK, key, rocks_key_str(&value));
}

static void
delete_key(struct rocks_conn *c, enum rocks_family family, struct rocks_key key)
{
    rocks_delete(c, family, rocks_key_str(&key));
}

static bool
has_content(const struct file_stored *f)
{
    return f->f.content.hi != 0 || f->f.content.lo != 0;
}

static void
delete_content(struct rocks_conn *c, const struct file_stored *f)
{
    struct rocks_key key = rocks_key_content('c', f->f.content);
    rocks_key_add(&key, f->id);
    delete_key(c, ROCKS_LOOK, key);
}

static void
delete_gen(struct rocks_conn *c, const struct file_stored *f)
{
    if (f->text_gen > 0)
        delete_key(c, ROCKS_LOOK, rocks_key_mark('g', f->text_gen));
    else if (f->text_gen == 0)
        delete_key(c, ROCKS_LOOK, rocks_key_mark('t', f->id));
}

static void
put_gen(struct rocks_conn *c, const struct file_stored *f)
{
    struct rocks_key key = rocks_key_mark(f->text_gen > 0 ? 'g' : 't',
                                          f->text_gen > 0 ? f->text_gen : f->id);
    if (f->text_gen >= 0)
        put_id(c, rocks_key_str(&key), f->id);
}

/* A row under the file's id: of the last file nothing is behind it. */
static void
put_of_file(struct rocks_conn *c, enum rocks_family family, const struct file_stored *f,
            struct str value)
{
    struct rocks_key key = rocks_key_id(f->id);
    if (c->has_ids && c->ids.file == f->id)
        rocks_put_fresh(c, family, rocks_key_str(&key), value);
    else
        rocks_put(c, family, rocks_key_str(&key), value);
}

static void
write_row(struct rocks_conn *c, const struct file_stored *f)
{
    AUTO(buf_finish) struct buf b = {0};
    rocks_file_write(&b, f);
    put_of_file(c, ROCKS_FILE, f, buf_str(&b));
}

static int
put_row(struct tables *t, const struct file_stored *f)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored was;
    int r = rocks_file_by_id(&c->t, f->id, &a, &was);
    if (r < 0)
        return err_trace(r == -ENOENT ? -EBADMSG : r);
    if (was.text_gen != f->text_gen) {
        delete_gen(c, &was);
        put_gen(c, f);
    }
    if (has_content(&was) && !hash128_eq(was.f.content, f->f.content))
        delete_content(c, &was); // counts_put() comes with the new one
    write_row(c, f);
    return 0;
}

/* put_gen() of a new file: nothing in the family is behind the mark. */
static void
wait_for_text(struct rocks_conn *c, const struct file_stored *f)
{
    struct rocks_key key = rocks_key_mark('t', f->id), value = rocks_key_id(f->id);
    if (f->text_gen == 0)
        rocks_put_fresh(c, ROCKS_LOOK, rocks_key_str(&key), rocks_key_str(&value));
    else
        put_gen(c, f);
}

static int
file_add(struct tables *t, struct file_stored *f)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf key = {0};
    int r = next_id(c, &c->ids.file, &f->id);
    if (r < 0)
        return err_trace(r);
    rocks_path_key(&key, f->f.path);
    put_id(c, buf_str(&key), f->id);
    wait_for_text(c, f);
    write_row(c, f);
    return 0;
}

static int
file_delete(struct tables *t, const struct file_stored *f)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf key = {0};
    struct file_stored was;
    int r = rocks_file_by_id(&c->t, f->id, &a, &was);
    if (r < 0)
        return err_trace(r == -ENOENT ? -EBADMSG : r);
    rocks_path_key(&key, was.f.path);
    rocks_delete(c, ROCKS_LOOK, buf_str(&key));
    delete_gen(c, &was);
    if (has_content(&was))
        delete_content(c, &was);
    delete_key(c, ROCKS_FILE, rocks_key_id(f->id));
    delete_key(c, ROCKS_COUNT, rocks_key_id(f->id));
    return 0;
}

static int64_t
count_told(const struct file_counts *counts)
{
    return counts->n_state[HOVER_KNOWN] + counts->n_state[HOVER_EMPTY];
}

static int
counts_put(struct tables *t, const struct file_stored *f,
           const struct file_counts *counts, bool is_added)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf b = {0};
    rocks_counts_write(&b, counts);
    put_of_file(c, ROCKS_COUNT, f, buf_str(&b));
    if (!has_content(f))
        return 0;
    if (count_told(counts) == 0) {
        if (!is_added)
            delete_content(c, f);
        return 0;
    }
    struct rocks_key key = rocks_key_content('c', f->f.content);
    rocks_key_add(&key, f->id);
    rocks_put(c, ROCKS_LOOK, rocks_key_str(&key), STR_NONE);
    c->may_have_told = true;
    return 0;
}

/* ---- of all files: their ids first, since a walk ends where its family is written to ---- */

static int
list_files(struct rocks_conn *c, struct rocks_ids_list *list)
{
    static const struct rocks_key any;
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_FILE, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0)
        *vec_push(list) = rocks_key_read(walk.key, 0);
    rocks_walk_close(&walk);
    return r;
}

static int
expire_file(struct tables *t, int64_t id, struct str lang, uint64_t server_key,
            uint64_t *n_files)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored f;
    struct file_counts counts;
    int r = rocks_file_by_id(&c->t, id, &a, &f);
    if (r < 0 || !str_eq(f.f.lang, lang) || f.f.server_key == server_key ||
        f.f.server_key == 0)
        return r;
    r = rocks_counts_of(c, id, &counts);
    if (r < 0 || count_told(&counts) <= counts.n_stale)
        return r;
    f.content_gen++;
    counts.n_stale = count_told(&counts);
    ++*n_files;
    r = put_row(t, &f);
    return r < 0 ? r : counts_put(t, &f, &counts, false);
}

static int
files_expire(struct tables *t, struct str lang, uint64_t server_key,
             uint64_t *ret_n_files)
{
    struct rocks_ids_list list = {0};
    *ret_n_files = 0;
    int r = list_files(rocks_conn_of(t), &list);
    for (size_t i = 0; i < list.n && r == 0; i++)
        r = expire_file(t, list.v[i], lang, server_key, ret_n_files);
    vec_finish(&list);
    return err_trace(r);
}

static int
files_all_old(struct tables *t)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    struct rocks_ids_list list = {0};
    int r = list_files(c, &list);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        struct file_stored f;
        arena_reset(&a);
        r = rocks_file_by_id(&c->t, list.v[i], &a, &f);
        f.f.mtime_ns = FILE_MTIME_OTHER_MAKER;
        if (r == 0)
            write_row(c, &f);
    }
    vec_finish(&list);
    return err_trace(r);
}

/* ---- entities ---- */

static int
entities_add(struct tables *t, const struct entity_stored *v, size_t n, bool is_added)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        struct rocks_key key = rocks_key_entity(v[i].id);
        buf_reset(&b);
        rocks_entity_write(&b, &v[i]);
        if (is_added)
            rocks_put_fresh(c, ROCKS_ENTITY, rocks_key_str(&key), buf_str(&b));
        else
            rocks_put(c, ROCKS_ENTITY, rocks_key_str(&key), buf_str(&b));
    }
    return 0;
}

static int
entity_put(struct tables *t, const struct entity_stored *s,
           const struct entity_stored *was UNUSED)
{
    return entities_add(t, s, 1, false);
}

static int
entity_hover_put(struct tables *t, const struct entity_stored *s)
{
    return entities_add(t, s, 1, false);
}

static int
entity_delete(struct tables *t, const struct entity_stored *was)
{
    delete_key(rocks_conn_of(t), ROCKS_ENTITY, rocks_key_entity(was->id));
    return 0;
}

/* ---- hovers, past contents, edges ---- */

static struct rocks_key
hover_key(int64_t id, char part)
{
    struct rocks_key key = rocks_key_id(id);
    key.p[key.n++] = part;
    return key;
}

static void
put_refs(struct rocks_conn *c, int64_t id, int64_t refs)
{
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key key = hover_key(id, 1);
    rocks_pack_signed(&b, refs);
    rocks_put(c, ROCKS_HOVER, rocks_key_str(&key), buf_str(&b));
}

static int
hover_add(struct tables *t, int64_t id, struct str markdown, struct str server)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key key = hover_key(id, 0);
    rocks_pack_str(&b, server);
    rocks_pack_str(&b, markdown);
    rocks_put(c, ROCKS_HOVER, rocks_key_str(&key), buf_str(&b));
    put_refs(c, id, 1);
    return 0;
}

static int
hover_refs(struct tables *t, int64_t id, int change)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    struct rocks_key key = hover_key(id, 1);
    struct str text;
    int r = rocks_get(c, ROCKS_HOVER, rocks_key_str(&key), &a, &text);
    if (r <= 0)
        return err_trace(r);
    struct rocks_unpack u = {.rest = text};
    int64_t refs = rocks_take_signed(&u) + change;
    if (u.is_bad)
        return err_trace(-EBADMSG);
    if (refs > 0) {
        put_refs(c, id, refs);
        return 0;
    }
    delete_key(c, ROCKS_HOVER, hover_key(id, 0));
    delete_key(c, ROCKS_HOVER, key);
    return 0;
}

static int
past_add(struct tables *t, const struct past_row *row)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf b = {0};
    AUTO(buf_finish) struct buf content = {0};
    int64_t id = 0;
    int r = next_id(c, &c->ids.past, &id);
    if (r < 0)
        return err_trace(r);
    struct rocks_key key = rocks_key_mark('r', id), value = rocks_key_id(id);
    rocks_past_write(&b, row);
    rocks_put(c, ROCKS_PAST, rocks_key_str(&key), buf_str(&b));
    rocks_past_key(&content, row->content, row->lang);
    rocks_put(c, ROCKS_PAST, buf_str(&content), rocks_key_str(&value));
    return 0;
}

static int
past_oldest(struct tables *t, struct arena *a, struct past_row *ret_row)
{
    struct rocks_key rows = {.p = {'r'}, .n = 1};
    struct rocks_walk walk;
    rocks_walk_open(&walk, rocks_conn_of(t), ROCKS_PAST, rows, STR_NONE);
    int r = rocks_walk_next(&walk);
    if (r > 0) {
        r = rocks_past_read(arena_str(a, walk.value), rocks_key_read(walk.key, 1),
                            ret_row);
        r = r < 0 ? r : 1;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
past_delete(struct tables *t, int64_t id)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf key = {0};
    struct past_row row;
    int r = rocks_past_by_id(c, id, &a, &row);
    if (r <= 0)
        return err_trace(r);
    rocks_past_key(&key, row.content, row.lang);
    rocks_delete(c, ROCKS_PAST, buf_str(&key));
    delete_key(c, ROCKS_PAST, rocks_key_mark('r', id));
    return 0;
}

static int
edges_put(struct tables *t, const struct file_stored *f, struct str text)
{
    put_of_file(rocks_conn_of(t), ROCKS_EDGE, f, text);
    return 0;
}

static int
edges_delete(struct tables *t, const struct file_stored *f)
{
    delete_key(rocks_conn_of(t), ROCKS_EDGE, rocks_key_id(f->id));
    return 0;
}

/* ---- what was sent once ---- */

static int
once_add(struct tables *t, struct str key, int64_t seq, int64_t ts_ms)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key value = rocks_key_id(seq), at = rocks_key_mark('o', ts_ms);
    rocks_once_key(&b, key);
    rocks_put(c, ROCKS_LOOK, buf_str(&b), rocks_key_str(&value));
    buf_reset(&b);
    buf_add_str(&b, rocks_key_str(&at));
    buf_add_str(&b, key);
    rocks_put(c, ROCKS_LOOK, buf_str(&b), STR_NONE);
    return 0;
}

/* What is to go first, since a walk ends where its family is written to. */
static int
once_prune(struct tables *t, int64_t ts_ms, size_t n_wanted, size_t *ret_n)
{
    struct rocks_key all = {.p = {'o'}, .n = 1};
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf key = {0};
    VEC(struct str) old = {0};
    struct rocks_walk walk;
    int64_t last_ms = 0;
    int r = 0;
    rocks_walk_open(&walk, c, ROCKS_LOOK, all, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0 && walk.key.n >= ONCE_TIME_BYTES) {
        int64_t at_ms = rocks_key_read(walk.key, 1);
        if (at_ms >= ts_ms || (old.n >= n_wanted && at_ms != last_ms))
            break;
        last_ms = at_ms;
        *vec_push(&old) = arena_str(&a, walk.key);
    }
    rocks_walk_close(&walk);
    for (size_t i = 0; i < old.n && r >= 0; i++) {
        struct str at = old.v[i];
        rocks_once_key(&key, str_slice(at.p + ONCE_TIME_BYTES, at.n - ONCE_TIME_BYTES));
        rocks_delete(c, ROCKS_LOOK, buf_str(&key));
        rocks_delete(c, ROCKS_LOOK, at);
    }
    *ret_n = r < 0 ? 0 : old.n;
    vec_finish(&old);
    return err_trace(MIN(r, 0));
}

/* ---- the log ---- */

static int
event_add(struct tables *t, const struct table_event *event)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key key = rocks_key_id(event->seq);
    struct rocks_ids ids;
    int r = rocks_ids_get(c, &ids);
    if (r < 0)
        return err_trace(r);
    rocks_event_write(&b, event);
    rocks_put_fresh(c, ROCKS_EVENT, rocks_key_str(&key), buf_str(&b));
    c->ids.head = event->seq;
    c->are_ids_new = true;
    return 0;
}

static int
event_fill(struct tables *t, int64_t seq, struct str data)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key key = rocks_key_id(seq);
    struct table_event event;
    struct str text;
    int r = rocks_get(c, ROCKS_EVENT, rocks_key_str(&key), &a, &text);
    if (r > 0)
        r = rocks_event_read(text, seq, &event) < 0 ? -EBADMSG : event.data.n == 0;
    if (r <= 0)
        return err_trace(r);
    event.data = data;
    rocks_event_write(&b, &event);
    rocks_put(c, ROCKS_EVENT, rocks_key_str(&key), buf_str(&b));
    return 1;
}

static int
events_oldest(struct tables *t, size_t limit, table_age_fn fn, void *ctx)
{
    static const struct rocks_key any;
    struct rocks_conn *c = rocks_conn_of(t);
    struct rocks_ids ids;
    struct rocks_walk walk;
    int r = rocks_ids_get(c, &ids);
    if (r < 0)
        return err_trace(r);
    struct rocks_key from = rocks_key_id(ids.first);
    rocks_walk_open(&walk, c, ROCKS_EVENT, any, rocks_key_str(&from));
    for (size_t i = 0; i < limit && (r = rocks_walk_next(&walk)) > 0; i++) {
        struct table_event event;
        r = rocks_event_read(walk.value, rocks_key_read(walk.key, 0), &event);
        if (r == 0)
            r = fn(ctx, event.seq, event.ts_ms,
                   (int64_t)(event.subject.n + event.data.n));
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

/* Seqs have no hole. */
static int
events_delete(struct tables *t, int64_t up_to_seq)
{
    struct rocks_conn *c = rocks_conn_of(t);
    struct rocks_ids ids;
    int r = rocks_ids_get(c, &ids);
    if (r < 0)
        return err_trace(r);
    for (int64_t seq = ids.first; seq <= up_to_seq; seq++)
        delete_key(c, ROCKS_EVENT, rocks_key_id(seq));
    c->ids.first = MAX(ids.first, up_to_seq + 1);
    c->are_ids_new = true;
    return 0;
}

const struct table_writes rocks_writes = {
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .meta_put = meta_put,
    .file_add = file_add,
    .file_put = put_row,
    .file_touch = put_row,
    .file_server_put = put_row,
    .file_text_put = put_row,
    .file_delete = file_delete,
    .counts_put = counts_put,
    .files_expire = files_expire,
    .files_all_old = files_all_old,
    .entities_add = entities_add,
    .entity_put = entity_put,
    .entity_hover_put = entity_hover_put,
    .entity_delete = entity_delete,
    .hover_add = hover_add,
    .hover_refs = hover_refs,
    .past_add = past_add,
    .past_oldest = past_oldest,
    .past_delete = past_delete,
    .edges_put = edges_put,
    .edges_delete = edges_delete,
    .once_add = once_add,
    .once_prune = once_prune,
    .event_add = event_add,
    .event_fill = event_fill,
    .events_oldest = events_oldest,
    .events_delete = events_delete,
};
