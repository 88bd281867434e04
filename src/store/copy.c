/* An index into another one, through the contract alone, so that any backend is copied into any other.
 * Invariant: the copy shows what the source showed in one view, but for its epoch, seqs, revs and ids. Hovers
 * come after all files, and past contents after all hovers: the store gives a file whose content is
 * known what it knows of it, and the source may not have. */
#include "store/copy_mark.h"

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"

#define ROWS_AT_ONCE 4000 // of a transaction
#define TEXT_AT_ONCE 5000

struct copy {
    struct store_reader *from;
    struct store_writer *to;
    store_copy_fn fn;
    void *ctx;
    struct copy_mark mark; // how far it is
    size_t n_waiting;      // rows of the open transaction
    bool is_open;
    uint64_t n_past_walked;
    struct arena names;     // of the files
    struct arena texts;     // of one file's hovers
    VEC(struct file) files; // by path
    size_t at;              // of the file whose batch is being filled
    struct batch *batch;
    VEC(struct entity) entities;
    VEC(struct edge) edges;
    VEC(struct str) keys; // of the entities
    struct map *by_key;   // of keys; NULL until an edge asks
    VEC(struct hover_answer) answers;
};

/* ---- transactions ---- */

static int
begin(struct copy *c)
{
    if (c->is_open)
        return 0;
    int r = store_begin(c->to);
    c->is_open = r == 0;
    return err_trace(r);
}

static int
end(struct copy *c)
{
    int r = store_commit(c->to);
    if (r < 0)
        return err_trace(r);
    c->is_open = false;
    c->n_waiting = 0;
    r = store_checkpoint(c->to, false);
    return r < 0 ? err_trace(r) : c->fn ? c->fn(c->ctx, &c->mark.n) : 0;
}

static int
commit(struct copy *c)
{
    if (!c->is_open)
        return 0;
    int r = copy_mark_write(c->to, &c->mark);
    return r < 0 ? err_trace(r) : end(c);
}

static int
commit_some(struct copy *c, size_t n_rows)
{
    c->n_waiting += n_rows;
    return c->n_waiting >= ROWS_AT_ONCE ? commit(c) : 0;
}

/* ---- files, with their entities and edges ---- */

static int
on_file(void *ctx, const struct file *file)
{
    struct copy *c = ctx;
    struct file *own = vec_push(&c->files);
    *own = *file;
    own->path = arena_str(&c->names, file->path);
    own->lang = arena_str(&c->names, file->lang);
    return 0;
}

static int
by_path(const void *a, const void *b)
{
    return str_cmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static int
on_entity(void *ctx, const struct entity_row *row)
{
    struct copy *c = ctx;
    struct arena *a = &c->batch->arena;
    struct entity *e = vec_push(&c->entities);
    *e = row->e;
    e->name = arena_str(a, row->e.name);
    e->qualified_name = arena_str(a, row->e.qualified_name);
    e->signature = arena_str(a, row->e.signature);
    e->doc = arena_str(a, row->e.doc);
    *vec_push(&c->keys) = arena_str(a, row->key);
    return 0;
}

static void
swap_entities(struct copy *c, uint32_t i, uint32_t k)
{
    struct entity e = c->entities.v[i];
    struct str key = c->keys.v[i];
    c->entities.v[i] = c->entities.v[k];
    c->entities.v[k] = e;
    c->keys.v[i] = c->keys.v[k];
    c->keys.v[k] = key;
    for (size_t at = 0; at < c->entities.n; at++) {
        uint32_t *parent = &c->entities.v[at].parent;
        if (*parent == i || *parent == k)
            *parent = *parent == i ? k : i;
    }
}

/* Of two that begin and end together the source may show the inner one first. */
static int
put_parents_first(struct copy *c)
{
    size_t n_swaps = 0;
    for (uint32_t i = 0; i < c->entities.n;) {
        uint32_t parent = c->entities.v[i].parent;
        if (parent == ENTITY_NONE || parent < i) {
            i++;
            continue;
        }
        if (parent == i || parent >= c->entities.n || n_swaps++ == c->entities.n)
            return err_trace(-EBADMSG);
        swap_entities(c, i, parent);
    }
    return 0;
}

static int
start_file(struct copy *c)
{
    const struct file *file = &c->files.v[c->at];
    c->entities.n = c->edges.n = c->keys.n = 0;
    c->batch = batch_create(file->path);
    c->batch->file = *file;
    if (file->state != FILE_INDEXED)
        return 0;
    int r = store_each_entity(c->from, file->path, on_entity, c);
    return r == 0 ? put_parents_first(c) : err_trace(r);
}

static int
finish_file(struct copy *c)
{
    AUTO(event_unref) struct event *event = NULL;
    struct batch *b = c->batch;
    b->entities = c->entities.v;
    b->n_entities = c->entities.n;
    b->edges = c->edges.v;
    b->n_edges = c->edges.n;
    int r = begin(c);
    if (r == 0)
        r = store_put_file(c->to, b, &event);
    map_destroy(steal(c->by_key));
    batch_destroy(steal(c->batch));
    if (r < 0)
        return err_trace(r);
    c->mark.n.files++;
    c->mark.n.entities += c->entities.n;
    c->mark.n.edges += c->edges.n;
    c->at++;
    return commit_some(c, 1 + c->entities.n + c->edges.n);
}

/* Was it there before? Edges come in the order of the files. */
static bool
is_behind(const struct copy *c, struct str path)
{
    if (!c->mark.n.is_resumed || c->batch)
        return false;
    return c->at == c->files.n || str_cmp(path, c->files.v[c->at].path) < 0;
}

/* All files before this path; then its batch is open. NULL: all that are left. */
static int
advance(struct copy *c, const struct str *path)
{
    int r = 0;
    while (r == 0 && c->at < c->files.n) {
        if (!c->batch)
            r = start_file(c);
        if (r == 0 && path && str_eq(c->files.v[c->at].path, *path))
            return 0;
        if (r == 0)
            r = finish_file(c);
    }
    return r == 0 && path ? err_trace(-EBADMSG) : r; // an edge of no file
}

static int
find_from(struct copy *c, struct str key, uint32_t *ret_index)
{
    *ret_index = ENTITY_NONE;
    if (key.n == 0)
        return 0;
    if (!c->by_key) {
        c->by_key = map_create();
        for (size_t i = 0; i < c->keys.n; i++)
            map_put(c->by_key, c->keys.v[i], &c->keys.v[i]);
    }
    const struct str *found = map_get(c->by_key, key);
    if (!found)
        return err_trace(-EBADMSG);
    *ret_index = (uint32_t)(found - c->keys.v);
    return 0;
}

static int
on_edge(void *ctx, const struct edge_row *row)
{
    struct copy *c = ctx;
    uint32_t from = ENTITY_NONE;
    if (is_behind(c, row->path))
        return 0;
    int r = advance(c, &row->path);
    if (r == 0)
        r = find_from(c, row->from_key, &from);
    if (r != 0)
        return r;
    *vec_push(&c->edges) = (struct edge){
        .kind = row->kind,
        .from = from,
        .target = arena_str(&c->batch->arena, row->target),
        .at = row->at,
    };
    return 0;
}

static int
copy_files(struct copy *c)
{
    int r = store_each_file(c->from, on_file, c);
    if (c->files.n > 0)
        qsort(c->files.v, c->files.n, sizeof(*c->files.v), by_path);
    c->mark.n.n_files = c->files.n;
    c->at = c->mark.n.files;
    if (r == 0 && c->at > c->files.n)
        r = err_trace(-EBADMSG);
    if (r == 0 && c->at < c->files.n)
        r = store_each_edge(c->from, on_edge, c);
    if (r == 0)
        r = advance(c, NULL);
    return r == 0 ? commit(c) : r;
}

/* ---- hovers ---- */

static int
on_hover(void *ctx, const struct entity_row *row)
{
    struct copy *c = ctx;
    struct arena *a = &c->texts;
    if (row->hover.state == HOVER_UNKNOWN && row->hover.reason == HOVER_REASON_NOT_ASKED)
        return 0;
    struct hover_answer *answer = vec_push(&c->answers);
    *answer = (struct hover_answer){.key = arena_str(a, row->key), .hover = row->hover};
    answer->hover.markdown = arena_str(a, row->hover.markdown);
    answer->hover.server = arena_str(a, row->hover.server);
    c->mark.n.hovers += row->hover.state != HOVER_UNKNOWN;
    c->mark.n.stale += row->hover.stale;
    return 0;
}

static int
copy_hovers_of(struct copy *c, const struct file *file)
{
    AUTO(event_unref) struct event *event = NULL;
    struct hover_batch hovers = {.path = file->path,
                                 .content = file->content,
                                 .server_key = file->server_key,
                                 .is_copied = true};
    c->answers.n = 0;
    int r = store_each_entity(c->from, file->path, on_hover, c);
    c->mark.n.hover_files++;
    if (r != 0 || (c->answers.n == 0 && file->server_key == 0))
        return r;
    hovers.answers = c->answers.v;
    hovers.n_answers = c->answers.n;
    r = begin(c);
    if (r == 0)
        r = store_put_hovers(c->to, &hovers, &event);
    return r < 0 ? err_trace(r) : commit_some(c, 1 + hovers.n_answers);
}

static int
copy_hovers(struct copy *c)
{
    int r = 0;
    for (size_t i = c->mark.n.hover_files; i < c->files.n && r == 0; i++) {
        if (c->files.v[i].state == FILE_INDEXED)
            r = copy_hovers_of(c, &c->files.v[i]);
        else
            c->mark.n.hover_files++;
        arena_reset(&c->texts);
    }
    return r == 0 ? commit(c) : r;
}

static int
on_past(void *ctx, struct hash128 content, struct str lang)
{
    struct copy *c = ctx;
    AUTO(arena_finish) struct arena a = {0};
    struct store_told told;
    struct store_past past = {content, lang, &told};
    if (c->n_past_walked++ < c->mark.n_past_seen)
        return 0;
    c->mark.n_past_seen++;
    int r = store_read_told(c->from, content, lang, &a, &told);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = begin(c);
    if (r == 0)
        r = store_put_past(c->to, &past);
    if (r < 0)
        return err_trace(r);
    c->mark.n.past_contents++;
    return commit_some(c, told.n);
}

static int
copy_past(struct copy *c)
{
    int r = store_each_past(c->from, on_past, c);
    return r == 0 ? commit(c) : r;
}

/* ---- the rest ---- */

/* Its rows are made by the same maker, or the next engine would make them all anew. */
static int
copy_maker(struct copy *c)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str maker = STR_NONE;
    int r = store_read_fact(c->from, "maker", &a, &maker);
    if (r == -ENOENT)
        return 0;
    return r < 0 ? err_trace(r) : store_set_maker(c->to, maker);
}

static int
put_first_event(struct copy *c, bool is_cleared)
{
    AUTO(event_unref) struct event *event = NULL;
    int r = begin(c);
    if (r == 0)
        r = store_put_event(c->to, EVENT_INDEX_REBUILT, STR_NONE,
                            STR("{\"reason\":\"copied\"}"), &event);
    if (r == 0 && event->seq != 1 && !is_cleared)
        return -EEXIST;
    return r < 0 ? err_trace(r) : commit(c);
}

/* From the beginning, or from where another one was when it ended. */
static int
begin_copy(struct copy *c)
{
    struct copy_mark was;
    struct store_info info;
    int r = store_read_info(c->from, &info);
    if (r < 0)
        return err_trace(r);
    memcpy(c->mark.epoch, info.epoch, sizeof(info.epoch));
    c->mark.head = info.head;
    r = copy_mark_read(c->to, &was);
    if (r == -ENOENT)
        return put_first_event(c, false);
    if (r < 0)
        return err_trace(r);
    if (was.head == info.head && strcmp(was.epoch, info.epoch) == 0) {
        c->mark = was;
        c->mark.n.is_resumed = true;
        return 0;
    }
    r = copy_clear(c->to);
    return r < 0 ? err_trace(r) : put_first_event(c, true);
}

static int
on_letter(void *ctx, struct dead_letter *letter)
{
    struct copy *c = ctx;
    int r = store_put_letter(c->to, letter);
    dead_letter_destroy(letter);
    c->mark.n.letters++;
    return r;
}

static int
on_job(void *ctx, struct job *job)
{
    struct copy *c = ctx;
    int r = store_put_job(c->to, job);
    job_destroy(job);
    c->mark.n.jobs++;
    return r;
}

/* Nothing of it was told to anybody before this commit. */
static int
copy_letters_and_jobs(struct copy *c)
{
    int r = begin(c);
    if (r == 0)
        r = store_read_letters(c->from, on_letter, c);
    if (r == 0)
        r = store_read_jobs(c->from, on_job, c);
    if (r == 0)
        r = copy_mark_remove(c->to);
    return r == 0 ? end(c) : err_trace(r);
}

static int
index_text(struct copy *c)
{
    bool more = true;
    int r = 0;
    c->mark.n.is_indexing_text = true;
    while (more && r == 0) {
        r = begin(c);
        if (r == 0)
            r = store_index_text(c->to, TEXT_AT_ONCE, &more);
        if (r == 0)
            r = end(c);
    }
    return r == 0 ? err_trace(store_checkpoint(c->to, true)) : r;
}

static int
copy_all(struct copy *c)
{
    int r = begin_copy(c);
    if (r == 0)
        r = copy_maker(c);
    if (r == 0)
        r = copy_files(c);
    if (r == 0)
        r = copy_hovers(c);
    if (r == 0)
        r = copy_past(c);
    if (r == 0)
        r = copy_letters_and_jobs(c);
    return r == 0 ? index_text(c) : r;
}

int
store_copy(struct store_reader *from, struct store_writer *to, store_copy_fn fn,
           void *ctx, struct store_copied *ret_copied)
{
    struct copy c = {.from = from, .to = to, .fn = fn, .ctx = ctx};
    int r = store_reader_begin(from);
    if (r < 0)
        return err_trace(r);
    store_be_brief(to, true);
    r = copy_all(&c);
    store_be_brief(to, false);
    if (c.is_open)
        store_rollback(to);
    store_reader_end(from);
    map_destroy(c.by_key);
    batch_destroy(c.batch);
    vec_finish(&c.files);
    vec_finish(&c.entities);
    vec_finish(&c.edges);
    vec_finish(&c.keys);
    vec_finish(&c.answers);
    arena_finish(&c.names);
    arena_finish(&c.texts);
    *ret_copied = c.mark.n;
    return r;
}
