/* What the shared logic and the readers ask for by key: rows in, whatever view the connection has.
 * Invariant: nothing is written here, and strings lie in the arena. */
#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"

#define TWINS_MAX 8 // files of one content that are looked at

static const struct str ids_key = {"\0ids", 4};

static int
meta_get(struct tables *t, const char *key, struct arena *a, struct str *ret_value)
{
    int r = rocks_get(rocks_conn_of(t), ROCKS_META, str_of(key), a, ret_value);
    return r == 0 ? -ENOENT : MIN(r, 0);
}

static int
read_ids(struct rocks_conn *c, struct rocks_ids *ret_ids)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str text;
    *ret_ids = (struct rocks_ids){.first = 1};
    int r = rocks_get(c, ROCKS_META, ids_key, &a, &text);
    if (r <= 0)
        return r;
    struct rocks_unpack u = {.rest = text};
    ret_ids->head = rocks_take_signed(&u);
    ret_ids->first = rocks_take_signed(&u);
    ret_ids->file = rocks_take_signed(&u);
    ret_ids->past = rocks_take_signed(&u);
    bool is_sane = ret_ids->head >= 0 && ret_ids->first > 0 && ret_ids->file >= 0 &&
                   ret_ids->file < INT64_MAX >> SLOT_BITS && ret_ids->past >= 0;
    return u.is_bad || !is_sane ? err_trace(-EBADMSG) : 0;
}

int
rocks_ids_get(struct rocks_conn *c, struct rocks_ids *ret_ids)
{
    if (!c->batch)
        return read_ids(c, ret_ids);
    int r = c->has_ids ? 0 : read_ids(c, &c->ids);
    c->has_ids = r == 0;
    *ret_ids = c->ids;
    return r;
}

void
rocks_ids_write(struct rocks_conn *c)
{
    AUTO(buf_finish) struct buf b = {0};
    if (!c->are_ids_new)
        return;
    rocks_pack_signed(&b, c->ids.head);
    rocks_pack_signed(&b, c->ids.first);
    rocks_pack_signed(&b, c->ids.file);
    rocks_pack_signed(&b, c->ids.past);
    rocks_put(c, ROCKS_META, ids_key, buf_str(&b));
    c->are_ids_new = false;
}

static int
log_ends(struct tables *t, int64_t *ret_first, int64_t *ret_head)
{
    struct rocks_ids ids;
    int r = rocks_ids_get(rocks_conn_of(t), &ids);
    if (r < 0)
        return r;
    *ret_head = ids.head;
    *ret_first = MIN(ids.first, ids.head + 1);
    return 0;
}

/* ---- files ---- */

int
rocks_file_by_id(struct tables *t, int64_t id, struct arena *a,
                 struct file_stored *ret_file)
{
    struct rocks_key key = rocks_key_id(id);
    struct str text;
    int r = rocks_get(rocks_conn_of(t), ROCKS_FILE, rocks_key_str(&key), a, &text);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    return rocks_file_read(text, id, ret_file);
}

void
rocks_path_key(struct buf *b, struct str path)
{
    buf_reset(b);
    buf_add_char(b, 'p');
    buf_add(b, path.p ? path.p : "", path.n);
}

static int
file_find(struct tables *t, struct str path, struct arena *a,
          struct file_stored *ret_file)
{
    AUTO(buf_finish) struct buf key = {0};
    struct str text;
    rocks_path_key(&key, path);
    int r = rocks_get(rocks_conn_of(t), ROCKS_LOOK, buf_str(&key), a, &text);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    r = rocks_file_by_id(t, rocks_key_read(text, 0), a, ret_file);
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

int
rocks_counts_of(struct rocks_conn *c, int64_t file_id, struct file_counts *ret_counts)
{
    AUTO(arena_finish) struct arena a = {0};
    struct rocks_key key = rocks_key_id(file_id);
    struct str text;
    *ret_counts = (struct file_counts){.n_stale = 0};
    int r = rocks_get(c, ROCKS_COUNT, rocks_key_str(&key), &a, &text);
    return r <= 0 ? r : rocks_counts_read(text, ret_counts);
}

/* 1 it is one, and how many of its hovers are not stale. */
static int
look_at_twin(struct rocks_conn *c, int64_t id, struct str lang, struct arena *a,
             struct file_stored *ret_twin, int64_t *ret_n_fresh)
{
    struct file_counts counts;
    int r = rocks_file_by_id(&c->t, id, a, ret_twin);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    if (ret_twin->f.state != FILE_INDEXED || !str_eq(ret_twin->f.lang, lang))
        return 0;
    r = rocks_counts_of(c, id, &counts);
    if (r < 0)
        return r;
    int64_t n_told = counts.n_state[HOVER_KNOWN] + counts.n_state[HOVER_EMPTY];
    *ret_n_fresh = n_told - counts.n_stale;
    return n_told > 0;
}

/* A writer asks for each file that comes, and in a new index always in vain: 1 when there is anything to
 * find. Another one's word is of no use, since only this writer writes. */
static int
has_told(struct rocks_conn *c)
{
    static const struct rocks_key contents = {.p = {'c'}, .n = 1};
    struct rocks_walk walk;
    if (!c->batch || c->may_have_told)
        return 1;
    if (c->is_told_known)
        return 0;
    rocks_walk_open(&walk, c, ROCKS_LOOK, contents, STR_NONE);
    int r = rocks_walk_next(&walk);
    rocks_walk_close(&walk);
    c->may_have_told = r > 0;
    c->is_told_known = r >= 0;
    return r;
}

static int
file_twin(struct tables *t, const struct file *file, int64_t own_id, struct arena *a,
          struct file_stored *ret_twin, int64_t *ret_n_fresh)
{
    struct rocks_conn *c = rocks_conn_of(t);
    struct rocks_walk walk;
    int n_twins = 0, r = has_told(c);
    if (r <= 0)
        return r;
    rocks_walk_open(&walk, c, ROCKS_LOOK, rocks_key_content('c', file->content),
                    STR_NONE);
    while (n_twins < TWINS_MAX && (r = rocks_walk_next(&walk)) > 0) {
        int64_t id = rocks_key_read(walk.key, walk.prefix.n), n_fresh = 0;
        struct file_stored twin;
        r = id == own_id ? 0 : look_at_twin(c, id, file->lang, a, &twin, &n_fresh);
        if (r < 0)
            break;
        if (r > 0 && (n_twins++ == 0 || n_fresh > *ret_n_fresh)) {
            *ret_twin = twin;
            *ret_n_fresh = n_fresh;
        }
    }
    rocks_walk_close(&walk);
    return r < 0 ? err_trace(r) : n_twins > 0;
}

/* ---- entities ---- */

static int
hover_get(struct tables *t, int64_t id, struct arena *a, struct str *ret_markdown,
          struct str *ret_server)
{
    struct rocks_key key = rocks_key_id(id);
    struct str text;
    key.p[key.n++] = 0;
    int r = rocks_get(rocks_conn_of(t), ROCKS_HOVER, rocks_key_str(&key), a, &text);
    if (r <= 0)
        return r;
    struct rocks_unpack u = {.rest = text};
    *ret_server = rocks_take_str(&u);
    *ret_markdown = rocks_take_str(&u);
    return u.is_bad ? err_trace(-EBADMSG) : 1;
}

/* The row as text, into the arena, with what its hover says. */
static int
take_entity(struct rocks_conn *c, struct str text, int64_t id, struct arena *a,
            struct entity_stored *ret_entity)
{
    int r = rocks_entity_read(text, id, ret_entity);
    if (r == 0 && ret_entity->hover_id)
        r = hover_get(&c->t, ret_entity->hover_id, a, &ret_entity->markdown,
                      &ret_entity->server);
    return MIN(r, 0);
}

int64_t
rocks_entity_id(struct str key)
{
    int64_t file_id = rocks_key_read(key, 0);
    if (key.n != 11)
        return 0;
    const unsigned char *p = (const unsigned char *)key.p + 8;
    return ENTITY_ID(file_id, p[0] << 16 | p[1] << 8 | p[2]);
}

static int
entity_by_id(struct tables *t, int64_t id, struct arena *a,
             struct entity_stored *ret_entity)
{
    struct rocks_conn *c = rocks_conn_of(t);
    struct rocks_key key = rocks_key_entity(id);
    struct str text;
    int r = rocks_get(c, ROCKS_ENTITY, rocks_key_str(&key), a, &text);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    return take_entity(c, text, id, a, ret_entity);
}

static int
entity_find(struct tables *t, const struct file_stored *f,
            const struct entity_key_parts *parts, struct arena *a,
            struct entity_stored *ret_entity)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, rocks_conn_of(t), ROCKS_ENTITY, rocks_key_id(f->id), STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct entity_stored s;
        int64_t id = rocks_entity_id(walk.key);
        r = rocks_entity_read(walk.value, id, &s);
        if (r < 0)
            break;
        if (s.e.kind != parts->kind || s.e.ordinal != parts->ordinal ||
            !str_eq(s.e.qualified_name, parts->qualified_name))
            continue;
        r = take_entity(rocks_conn_of(t), arena_str(a, walk.value), id, a, ret_entity);
        rocks_walk_close(&walk);
        return r;
    }
    rocks_walk_close(&walk);
    return r < 0 ? r : -ENOENT;
}

int
rocks_entities(struct tables *t, const struct file_stored *f, struct arena *a,
               struct entity_list *ret_list)
{
    struct rocks_conn *c = rocks_conn_of(t);
    VEC(struct entity_stored) all = {0};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_ENTITY, rocks_key_id(f->id), STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct entity_stored s;
        r = take_entity(c, arena_str(a, walk.value), rocks_entity_id(walk.key), a, &s);
        if (r < 0)
            break;
        *vec_push(&all) = s;
    }
    rocks_walk_close(&walk);
    ret_list->v = arena_alloc(a, (all.n + 1) * sizeof(*all.v));
    ret_list->n = r == 0 ? all.n : 0;
    if (ret_list->n > 0)
        memcpy(ret_list->v, all.v, all.n * sizeof(*all.v));
    vec_finish(&all);
    if (ret_list->n > 1)
        rows_sort(ret_list);
    return err_trace(r);
}

/* ---- past contents, edges ---- */

int
rocks_past_by_id(struct rocks_conn *c, int64_t id, struct arena *a,
                 struct past_row *ret_row)
{
    struct rocks_key key = rocks_key_mark('r', id);
    struct str text;
    int r = rocks_get(c, ROCKS_PAST, rocks_key_str(&key), a, &text);
    if (r <= 0)
        return r;
    r = rocks_past_read(text, id, ret_row);
    return r < 0 ? r : 1;
}

void
rocks_past_key(struct buf *b, struct hash128 content, struct str lang)
{
    struct rocks_key key = rocks_key_content('c', content);
    buf_reset(b);
    buf_add_str(b, rocks_key_str(&key));
    buf_add(b, lang.p ? lang.p : "", lang.n);
}

static int
past_get(struct tables *t, struct hash128 content, struct str lang, struct arena *a,
         struct past_row *ret_row)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(buf_finish) struct buf key = {0};
    struct str text;
    rocks_past_key(&key, content, lang);
    int r = rocks_get(c, ROCKS_PAST, buf_str(&key), a, &text);
    return r <= 0 ? r : rocks_past_by_id(c, rocks_key_read(text, 0), a, ret_row);
}

void
rocks_once_key(struct buf *b, struct str key)
{
    buf_reset(b);
    buf_add_char(b, 'k');
    buf_add_str(b, key);
}

int
rocks_edges_get(struct tables *t, int64_t file_id, struct arena *a, struct str *ret_text)
{
    struct rocks_key key = rocks_key_id(file_id);
    return rocks_get(rocks_conn_of(t), ROCKS_EDGE, rocks_key_str(&key), a, ret_text);
}

static int
once_get(struct tables *t, struct str key, int64_t *ret_seq)
{
    struct rocks_conn *c = rocks_conn_of(t);
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf at = {0};
    struct str value;
    rocks_once_key(&at, key);
    int r = rocks_get(c, ROCKS_LOOK, buf_str(&at), &a, &value);
    if (r > 0)
        *ret_seq = rocks_key_read(value, 0);
    return r;
}

const struct table_reads rocks_reads = {
    .meta_get = meta_get,
    .log_ends = log_ends,
    .file_find = file_find,
    .file_by_id = rocks_file_by_id,
    .file_twin = file_twin,
    .entities = rocks_entities,
    .entity_by_id = entity_by_id,
    .entity_find = entity_find,
    .hover_get = hover_get,
    .past_get = past_get,
    .edges_get = rocks_edges_get,
    .once_get = once_get,
};
