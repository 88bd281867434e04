/* A file's batch against the file's rows. Invariant: what the log says and what the rows hold after
 * COMMIT is the same thing; a row whose text did not change gets no event, one that did not even move
 * is not written. Rows match by key, so a definition put before others of its name takes over the
 * first one's row and the last one's is new: positions of same-named entities are all they have. */
#include "base/err.h"
#include "base/map.h"
#include "codec/codec.h"
#include "store/logic.h"

#define ROWS_AT_ONCE 64

struct diff {
    struct table_writer *w;
    struct tables *t;
    const struct table_writes *rows;
    const struct batch *batch;
    size_t n;      // of the batch's entities that count: 0 unless indexed
    bool is_known; // the file has a row
    bool is_content_same;
    struct file_stored f; // as it was, then as it will be
    struct entity_list old;
    struct recall recall;      // what is known of the new content
    struct recall kept;        // what was known of the old one
    int64_t kept_bytes;        // of its texts that the file lets go
    uint32_t *old_of;          // by new index; ENTITY_NONE: none
    bool *is_kept;             // by old index
    uint32_t *slots;           // by new index
    struct str *keys;          // by new index; NULL while nobody needs them
    struct entity_stored *new; // rows that wait to be written
    size_t n_new;
    bool is_silent; // the event goes without data
    struct codec_delta delta;
    struct file_counts counts;
    int64_t seq; // that the event will have, if there is one
};

/* ---- which old row is which new entity ---- */

/* In most saves nothing or little is inserted: the next old row is the match, and no table is made. */
static void
match_rows(struct diff *d)
{
    AUTO(map_destroy) struct map *by_key = NULL;
    size_t next = 0;
    for (size_t i = 0; i < d->n; i++) {
        d->old_of[i] = ENTITY_NONE;
        if (d->old.n == 0)
            continue;
        if (next < d->old.n && str_eq(d->old.rows[next].key, d->keys[i])) {
            if (!d->is_kept[next]) {
                d->is_kept[next] = true;
                d->old_of[i] = (uint32_t)next++;
            }
            continue;
        }
        if (!by_key) {
            by_key = map_create();
            for (size_t k = 0; k < d->old.n; k++)
                map_put(by_key, d->old.rows[k].key, &d->old.rows[k]);
        }
        const struct entity_row *row = map_get(by_key, d->keys[i]);
        if (!row)
            continue;
        size_t at = (size_t)(row - d->old.rows);
        if (d->is_kept[at])
            continue;
        d->is_kept[at] = true;
        d->old_of[i] = (uint32_t)at;
        next = at + 1;
    }
}

/* Slots behind the last one in use; once they are used up, the gaps. */
static void
give_slots(struct diff *d)
{
    struct arena *a = &d->w->scratch;
    size_t n_new = 0;
    uint32_t next = 0;
    bool *is_used = NULL;
    for (size_t i = 0; i < d->n; i++)
        n_new += d->old_of[i] == ENTITY_NONE;
    for (size_t k = 0; k < d->old.n; k++)
        next = MAX(next, (uint32_t)(d->old.v[k].id & SLOT_MASK) + 1);
    if (next + n_new > SLOT_TARGETS) {
        is_used = arena_calloc(a, (size_t)SLOT_MASK + 1, sizeof(*is_used));
        for (size_t k = 0; k < d->old.n; k++)
            is_used[d->old.v[k].id & SLOT_MASK] = true;
        next = 0;
    }
    for (size_t i = 0; i < d->n; i++) {
        if (d->old_of[i] != ENTITY_NONE) {
            d->slots[i] = (uint32_t)(d->old.v[d->old_of[i]].id & SLOT_MASK);
            continue;
        }
        while (is_used && is_used[next])
            next++;
        d->slots[i] = next++;
    }
}

/* ---- rows ---- */

/* Of the text that a row shows no longer. */
static int
let_go(struct diff *d, const struct entity_stored *s)
{
    d->kept_bytes += (int64_t)s->markdown.n;
    return table_hover_unref(d->w, s->hover_id);
}

static int
write_new(struct diff *d)
{
    int r =
        d->n_new > 0 ? d->rows->entities_add(d->t, d->new, d->n_new, !d->is_known) : 0;
    d->n_new = 0;
    return err_trace(r);
}

static int
delete_gone(struct diff *d)
{
    for (size_t k = 0; k < d->old.n; k++) {
        if (d->is_kept[k])
            continue;
        codec_delta_delete(&d->delta, &d->old.rows[k]);
        int r = d->rows->entity_delete(d->t, &d->old.v[k]);
        if (r == 0)
            r = let_go(d, &d->old.v[k]);
        if (r < 0)
            return err_trace(r);
    }
    return 0;
}

static bool
is_changed(const struct entity *was, const struct entity *is)
{
    return was->hash != is->hash || !str_eq(was->signature, is->signature) ||
           !str_eq(was->doc, is->doc) || !str_eq(was->name, is->name);
}

static bool
same_place(const struct entity *a, const struct entity *b)
{
    return a->parent == b->parent && span_eq(&a->range, &b->range) &&
           span_eq(&a->name_range, &b->name_range);
}

/* The event's row of new entity i. */
static void
fill_row(struct diff *d, size_t i, const struct entity_stored *s,
         struct entity_row *ret_row)
{
    rows_show(s, &d->f, &d->w->scratch, ret_row);
    ret_row->e.parent = d->batch->entities[i].parent;
    if (ret_row->e.parent != ENTITY_NONE)
        ret_row->parent_key = d->keys[ret_row->e.parent];
}

/* The entity's hover becomes the one that is recalled; *ret_is_other: it says something else now. */
static int
take_text(struct diff *d, struct recall_entry *entry, struct entity_stored *s,
          bool *ret_is_other)
{
    struct str markdown = STR_NONE, server = STR_NONE;
    int r = 1;
    if (entry->state == s->hover_state && entry->hover_id == s->hover_id)
        return 0;
    if (entry->hover_id)
        r = d->t->reads->hover_get(d->t, entry->hover_id, &d->w->scratch, &markdown,
                                   &server);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    if (d->recall.past_id && !entry->is_taken)
        entry->is_taken = true;
    else
        r = table_hover_share(d->w, entry->hover_id);
    if (r >= 0)
        r = let_go(d, s);
    s->hover_id = entry->hover_id;
    s->hover_state = entry->state;
    s->markdown = markdown;
    s->server = server;
    *ret_is_other = true;
    return r;
}

/* The same text gives the same entities; one that is not known by its place is asked for. */
static int
take_hover(struct diff *d, struct entity_stored *s, bool *ret_is_other)
{
    struct recall_entry *entry = recall_find(&d->recall, entity_place(&s->e));
    *ret_is_other = false;
    if (!entry || (entry->is_stale && s->hover_state != HOVER_UNKNOWN))
        return 0;
    int r = take_text(d, entry, s, ret_is_other);
    if (r < 0)
        return r == -ENOENT ? 0 : err_trace(r);
    s->hover_reason = HOVER_REASON_NONE;
    s->hover_gen = entry->is_stale ? 0 : d->f.content_gen;
    d->w->now.reused += !entry->is_stale;
    return 0;
}

/* What came with the entity is told of this text. */
static int
give_hover(struct diff *d, size_t i, struct entity_stored *s, bool *ret_is_other)
{
    const struct hover *h = d->batch->hovers ? &d->batch->hovers[i] : NULL;
    int64_t id = 0;
    int r = 0;
    if (!h)
        return 0;
    if (h->state == HOVER_UNKNOWN) {
        if (s->hover_state == HOVER_UNKNOWN && h->reason != HOVER_REASON_NONE)
            s->hover_reason = h->reason;
        return 0;
    }
    s->hover_gen = d->f.content_gen;
    if (h->state == s->hover_state && str_eq(h->markdown, s->markdown) &&
        str_eq(h->server, s->server))
        return 0;
    if (h->state == HOVER_KNOWN)
        r = table_hover_ref(d->w, h->markdown, h->server, &id);
    if (r == 0)
        r = let_go(d, s);
    s->hover_state = h->state;
    s->hover_reason = HOVER_REASON_NONE;
    s->hover_id = id;
    s->markdown = h->markdown;
    s->server = h->server;
    *ret_is_other = true;
    return err_trace(r);
}

/* The one behind those that wait. */
static int
add_entity(struct diff *d, size_t i)
{
    struct entity_stored *s = &d->new[d->n_new];
    bool is_other = false;
    *s = (struct entity_stored){.id = ENTITY_ID(d->f.id, d->slots[i]),
                                .e = d->batch->entities[i],
                                .rev = d->seq,
                                .hover_reason = HOVER_REASON_NOT_ASKED};
    if (s->e.parent != ENTITY_NONE)
        s->e.parent = d->slots[s->e.parent];
    int r = d->recall.n > 0 ? take_hover(d, s, &is_other) : 0;
    if (r == 0)
        r = give_hover(d, i, s, &is_other);
    if (r < 0)
        return err_trace(r);
    if (d->is_silent) {
        d->delta.n_added++;
    } else {
        struct entity_row row;
        fill_row(d, i, s, &row);
        codec_delta_add(&d->delta, &row);
    }
    table_counts_add(&d->counts, &d->f, s);
    return ++d->n_new == ROWS_AT_ONCE ? write_new(d) : 0;
}

/* A hover speaks of the declaration: a change of the body alone leaves it, stale. */
static int
drop_hover(struct diff *d, struct entity_stored *s)
{
    int r = let_go(d, s);
    s->hover_state = HOVER_UNKNOWN;
    s->hover_reason = HOVER_REASON_NOT_ASKED;
    s->hover_id = 0;
    s->markdown = s->server = STR_NONE;
    return r;
}

/* s: as it was, with the new entity in it. */
static int
put_kept(struct diff *d, size_t i, struct entity_stored *s,
         const struct entity_stored *was)
{
    bool is_told = is_changed(&was->e, &s->e), is_other = false;
    int r = 0;
    if (!str_eq(s->e.signature, was->e.signature) || !str_eq(s->e.doc, was->e.doc))
        r = drop_hover(d, s);
    if (r == 0 && d->recall.n > 0)
        r = take_hover(d, s, &is_other);
    if (r == 0)
        r = give_hover(d, i, s, &is_other);
    if (r < 0)
        return err_trace(r);
    if (is_told || is_other) {
        struct entity_row row;
        s->rev = d->seq;
        fill_row(d, i, s, &row);
        codec_delta_update(&d->delta, &row);
    } else if (s->hover_gen == was->hover_gen && same_place(&was->e, &s->e)) {
        return 0;
    }
    return d->rows->entity_put(d->t, s, was);
}

static int
keep_entity(struct diff *d, size_t i)
{
    const struct entity_stored *was = &d->old.v[d->old_of[i]];
    struct entity_stored s = *was;
    s.e = d->batch->entities[i];
    if (s.e.parent != ENTITY_NONE)
        s.e.parent = d->slots[s.e.parent];
    int r = put_kept(d, i, &s, was);
    table_counts_add(&d->counts, &d->f, &s);
    return r;
}

static int
write_entities(struct diff *d)
{
    for (size_t i = 0; i < d->n; i++) {
        int r = d->old_of[i] == ENTITY_NONE ? add_entity(d, i) : keep_entity(d, i);
        if (r < 0)
            return err_trace(r);
    }
    return write_new(d);
}

/* ---- the file ---- */

static bool
has_content(const struct file *f)
{
    return f->content.hi != 0 || f->content.lo != 0;
}

/* The same content: nothing but what stat says. */
static int
touch_file(struct diff *d)
{
    const struct file *is = &d->batch->file;
    if (d->f.f.size_bytes == is->size_bytes && d->f.f.mtime_ns == is->mtime_ns &&
        d->f.f.inode == is->inode)
        return 0;
    d->f.f.size_bytes = is->size_bytes;
    d->f.f.mtime_ns = is->mtime_ns;
    d->f.f.inode = is->inode;
    return d->rows->file_touch(d->t, &d->f);
}

/* All there is of the file is new, hovers are not asked: its rows are what the log has to say. */
static bool
is_bare(const struct diff *d)
{
    return d->old.n == 0 && d->n > 0 && d->recall.n == 0 && !d->batch->hovers;
}

/* A new file's row goes first, since its id is part of the others'. */
static int
begin_file(struct diff *d)
{
    struct file_stored was = d->f;
    d->f = (struct file_stored){
        .f = d->batch->file,
        .id = was.id,
        .content_gen = was.content_gen + !d->is_content_same,
        .text_gen = was.text_gen,
        .n_entities = d->n,
        .n_edges = d->batch->file.state == FILE_INDEXED ? d->batch->n_edges : 0,
    };
    d->f.f.server_key = was.f.server_key;
    if (d->is_known) {
        d->f.n_entities = was.n_entities;
        table_text_drop(d->w, &d->f);
        d->f.n_entities = d->n;
    }
    d->f.text_gen = d->f.n_entities + d->f.n_edges > 0 ? 0 : -1;
    if (is_bare(d))
        d->f.log_seq = d->seq;
    return d->is_known ? d->rows->file_put(d->t, &d->f) : d->rows->file_add(d->t, &d->f);
}

/* ---- the event ---- */

static bool
is_told(const struct diff *d, const struct file *was)
{
    const struct file *is = &d->batch->file;
    if (d->delta.n_added + d->delta.n_updated + d->delta.n_deleted > 0)
        return true;
    switch (is->state) {
    case FILE_INDEXED:
        return !d->is_known || was->state != FILE_INDEXED || !str_eq(was->lang, is->lang);
    case FILE_FAILED:
        return !d->is_known || was->state != FILE_FAILED || was->reason != is->reason;
    case FILE_SKIPPED:
    case FILE_STATE_COUNT: break;
    }
    return false;
}

static int
write_event(struct diff *d, enum event_type type, struct event **ret_event)
{
    AUTO(buf_finish) struct buf data = {0};
    if (!d->is_silent)
        codec_delta_write(&data, &d->delta, &d->f.f);
    return table_event_add(d->w, type, d->f.f.path, buf_str(&data), is_bare(d),
                           ret_event);
}

static void
make_keys(struct diff *d)
{
    const struct file *f = &d->batch->file;
    struct arena *a = &d->w->scratch;
    d->keys = arena_alloc(a, (d->n + 1) * sizeof(*d->keys));
    for (size_t i = 0; i < d->n; i++) {
        const struct entity *e = &d->batch->entities[i];
        d->keys[i] =
            entity_key(a, f->lang, e->kind, f->path, e->qualified_name, e->ordinal);
    }
}

static void
prepare_diff(struct diff *d)
{
    struct arena *a = &d->w->scratch;
    const struct file *f = &d->batch->file;
    d->n = f->state == FILE_INDEXED ? d->batch->n_entities : 0;
    d->seq = d->w->now.head + 1;
    d->old_of = arena_alloc(a, (d->n + 1) * sizeof(*d->old_of));
    d->slots = arena_alloc(a, (d->n + 1) * sizeof(*d->slots));
    d->is_kept = arena_calloc(a, d->old.n + 1, sizeof(*d->is_kept));
    d->new = arena_alloc(a, ROWS_AT_ONCE * sizeof(*d->new));
    for (size_t i = 0; i < d->n; i++)
        assert(d->batch->entities[i].parent == ENTITY_NONE ||
               d->batch->entities[i].parent < i);
    if (d->old.n > 0)
        make_keys(d);
    match_rows(d);
    give_slots(d);
}

/* What is known of the content that goes and of the one that comes, before any row changes. */
static int
recall_hovers(struct diff *d)
{
    const struct file *is = &d->batch->file;
    bool is_same = d->is_content_same && d->n > 0 && str_eq(is->lang, d->f.f.lang);
    int r = 0;
    if (is_same && d->old.n > 0)
        return 0; // made anew of the same text
    if (d->old.n > 0 && has_content(&d->f.f))
        r = table_past_hold(d->w, &d->f, &d->old, &d->kept);
    if (r == 0 && d->n > 0 && has_content(is))
        r = recall_load(d->t, is, d->f.id, d->w->now.past_rows > 0, &d->w->scratch,
                        &d->recall);
    return err_trace(r);
}

/* Whose the hovers are that came back; the rest of the file's are stale. */
static int
write_server(struct diff *d)
{
    if (d->recall.n == 0 || d->recall.server_key == d->f.f.server_key)
        return 0;
    d->f.f.server_key = d->recall.server_key;
    return d->rows->file_server_put(d->t, &d->f);
}

static int
end_hovers(struct diff *d, const struct file *was)
{
    int r = table_past_end(d->w, &d->recall);
    if (r == 0)
        r = table_past_put(d->w, was, &d->kept, d->kept_bytes);
    if (r == 0)
        r = write_server(d);
    return err_trace(r);
}

static int
put_changed(struct diff *d, struct event **ret_event)
{
    struct file was = d->f.f;
    int r = 0;
    if (d->is_known)
        r = rows_of_file(d->t, &d->f, &d->w->scratch, &d->old);
    if (r == 0)
        r = table_event_fill(d->w, &d->f, &d->old);
    if (r < 0)
        return r;
    prepare_diff(d);
    uint64_t n_edges_was = d->f.n_edges;
    r = recall_hovers(d);
    if (r < 0)
        return r;
    d->is_silent = d->w->is_brief && is_bare(d);
    if (!d->is_silent && !d->keys)
        make_keys(d);
    r = begin_file(d);
    if (r == 0)
        r = delete_gone(d);
    if (r == 0)
        r = write_entities(d);
    if (r == 0)
        r = end_hovers(d, &was);
    if (r == 0)
        r = table_edges_put(d->w, &d->f, d->batch, d->slots, n_edges_was);
    if (r == 0)
        r = d->rows->counts_put(d->t, &d->f, &d->counts, !d->is_known);
    if (r < 0 || !is_told(d, &was))
        return r;
    enum event_type type =
        d->batch->file.state == FILE_FAILED ? EVENT_FILE_FAILED : EVENT_FILE_COMPLETED;
    return write_event(d, type, ret_event);
}

int
store_put_file(struct store_writer *base, const struct batch *batch,
               struct event **ret_event)
{
    struct table_writer *w = table_writer_of(base);
    struct diff d = {.w = w, .t = w->t, .rows = w->writes, .batch = batch};
    assert(w->is_open);
    *ret_event = NULL;
    if (batch->n_entities > ENTITY_PER_FILE_MAX || batch->n_edges > EDGE_PER_FILE_MAX)
        return err_trace(-E2BIG);
    arena_reset(&w->scratch);
    int r = w->t->reads->file_find(w->t, batch->file.path, &w->scratch, &d.f);
    if (r < 0 && r != -ENOENT)
        return err_trace(table_done(w, r));
    d.is_known = r == 0;
    d.is_content_same = d.is_known && hash128_eq(d.f.f.content, batch->file.content);
    bool is_made_so = d.f.f.mtime_ns != FILE_MTIME_OTHER_MAKER;
    if (d.is_content_same && is_made_so && has_content(&batch->file) &&
        d.f.f.state == FILE_INDEXED && batch->file.state == FILE_INDEXED &&
        str_eq(d.f.f.lang, batch->file.lang))
        return touch_file(&d);
    r = put_changed(&d, ret_event);
    codec_delta_finish(&d.delta);
    return err_trace(table_done(w, r));
}

static int
delete_all(struct diff *d)
{
    int r = rows_of_file(d->t, &d->f, &d->w->scratch, &d->old);
    if (r == 0)
        r = table_event_fill(d->w, &d->f, &d->old);
    if (r < 0)
        return r;
    d->is_kept = arena_calloc(&d->w->scratch, d->old.n + 1, sizeof(*d->is_kept));
    if (d->old.n > 0 && has_content(&d->f.f))
        r = table_past_hold(d->w, &d->f, &d->old, &d->kept);
    if (r == 0)
        r = delete_gone(d);
    if (r == 0)
        r = table_past_put(d->w, &d->f.f, &d->kept, d->kept_bytes);
    static const struct batch nothing;
    if (r == 0)
        r = table_edges_put(d->w, &d->f, &nothing, NULL, d->f.n_edges);
    if (r < 0)
        return r;
    table_text_drop(d->w, &d->f);
    return d->rows->file_delete(d->t, &d->f);
}

/* A file that was skipped all along was never told of, so its end is not told either. */
int
store_delete_file(struct store_writer *base, struct str path, struct event **ret_event)
{
    struct table_writer *w = table_writer_of(base);
    struct diff d = {.w = w, .t = w->t, .rows = w->writes};
    assert(w->is_open);
    *ret_event = NULL;
    arena_reset(&w->scratch);
    int r = w->t->reads->file_find(w->t, path, &w->scratch, &d.f);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = delete_all(&d);
    if (r == 0 && d.f.f.state != FILE_SKIPPED)
        r = write_event(&d, EVENT_FILE_DELETED, ret_event);
    codec_delta_finish(&d.delta);
    return err_trace(table_done(w, r));
}
