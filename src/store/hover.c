/* Hovers: answers for a file, and their texts, each kept once. A text's id is the hash of what it
 * says, so finding it needs no index; refs counts the entities that show it, and the last one to go
 * takes it along; a past content counts as one (past.c). An answer of "unknown" never replaces what is known. */
#include "base/err.h"
#include "base/map.h"
#include "codec/codec.h"
#include "store/logic.h"

#define HASH_TRIES 16

/* ---- texts ---- */

/* 1 it is this text, 0 nothing there, -EEXIST another text. */
static int
look_at(struct table_writer *w, int64_t id, struct str markdown, struct str server)
{
    struct str markdown_there = STR_NONE, server_there = STR_NONE;
    int r = w->t->reads->hover_get(w->t, id, &w->scratch, &markdown_there, &server_there);
    if (r > 0 && (!str_eq(server_there, server) || !str_eq(markdown_there, markdown)))
        return -EEXIST;
    return r;
}

int
table_hover_ref(struct table_writer *w, struct str markdown, struct str server,
                int64_t *ret_id)
{
    uint64_t hash = hash64_seeded(markdown, hash64(server));
    for (unsigned i = 0; i < HASH_TRIES; i++) {
        int64_t id = (int64_t)((hash + i) & INT64_MAX);
        if (id == 0)
            continue;
        int r = look_at(w, id, markdown, server);
        if (r == -EEXIST)
            continue;
        if (r > 0)
            r = w->writes->hover_refs(w->t, id, 1);
        else if (r == 0)
            r = w->writes->hover_add(w->t, id, markdown, server);
        if (r == 0)
            *ret_id = id;
        return r;
    }
    return err_trace(-EEXIST); // 16 texts of one 63-bit hash
}

int
table_hover_unref(struct table_writer *w, int64_t id)
{
    return id == 0 ? 0 : err_trace(w->writes->hover_refs(w->t, id, -1));
}

int
table_hover_share(struct table_writer *w, int64_t id)
{
    return id == 0 ? 0 : err_trace(w->writes->hover_refs(w->t, id, 1));
}

/* ---- counts ---- */

void
table_counts_add(struct file_counts *counts, const struct file_stored *f,
                 const struct entity_stored *s)
{
    counts->n_state[s->hover_state]++;
    if (s->hover_state == HOVER_UNKNOWN)
        counts->n_reason[s->hover_reason]++;
    else if (s->hover_gen != f->content_gen)
        counts->n_stale++;
}

static int
put_counts(struct table_writer *w, const struct file_stored *f,
           const struct entity_list *list)
{
    struct file_counts counts = {.n_stale = 0};
    for (size_t i = 0; i < list->n; i++)
        table_counts_add(&counts, f, &list->v[i]);
    return w->writes->counts_put(w->t, f, &counts, false);
}

/* ---- answers ---- */

struct put {
    struct table_writer *w;
    struct file_stored f;
    struct entity_list list;
    struct codec_delta delta;
    int64_t seq;
    bool is_written;
    int64_t n_told; // known or empty, and not so before
    bool is_handed, is_copied, is_late;
};

static int
write_hover(struct put *p, const struct entity_stored *s)
{
    p->is_written = true;
    return p->w->writes->entity_hover_put(p->w->t, s);
}

static bool
says_the_same(const struct entity_stored *s, const struct hover *h)
{
    if (s->hover_state != h->state)
        return false;
    if (h->state == HOVER_UNKNOWN)
        return s->hover_reason == h->reason;
    return h->state == HOVER_EMPTY ||
           (str_eq(s->markdown, h->markdown) && str_eq(s->server, h->server));
}

/* Told again of a newer content: no longer stale, and nothing to tell. */
static int
confirm(struct put *p, struct entity_stored *s)
{
    if (s->hover_state == HOVER_UNKNOWN || s->hover_gen == p->f.content_gen)
        return 0;
    s->hover_gen = p->f.content_gen;
    p->n_told++;
    return write_hover(p, s);
}

/* Fresh, and of another source: not an editor's to replace; fresh: not a late answer's. */
static bool
stays(const struct put *p, const struct entity_stored *s, const struct hover *h)
{
    if (p->is_late && s->hover_state != HOVER_UNKNOWN)
        return s->hover_gen == p->f.content_gen;
    return p->is_handed && s->hover_state == HOVER_KNOWN &&
           s->hover_gen == p->f.content_gen && !str_eq(s->server, h->server);
}

static int
put_answer(struct put *p, struct entity_row *row, const struct hover *h)
{
    struct entity_stored *s = &p->list.v[row - p->list.rows];
    int64_t id = 0;
    int r = 0;
    if (says_the_same(s, h))
        return confirm(p, s);
    if ((h->state == HOVER_UNKNOWN && s->hover_state != HOVER_UNKNOWN) || stays(p, s, h))
        return 0;
    if (h->state == HOVER_KNOWN)
        r = table_hover_ref(p->w, h->markdown, h->server, &id);
    if (r == 0)
        r = table_hover_unref(p->w, s->hover_id);
    if (r < 0)
        return err_trace(r);
    s->hover_state = h->state;
    s->hover_reason = h->state == HOVER_UNKNOWN ? h->reason : HOVER_REASON_NONE;
    s->hover_gen = p->f.content_gen - (p->is_copied && h->stale);
    s->hover_id = id;
    s->markdown = h->state == HOVER_KNOWN ? h->markdown : STR_NONE;
    s->server = h->state == HOVER_KNOWN ? h->server : STR_NONE;
    s->rev = p->seq;
    p->n_told += s->hover_state != HOVER_UNKNOWN;
    row->hover = (struct hover){.state = s->hover_state,
                                .reason = s->hover_reason,
                                .stale = p->is_copied && h->stale,
                                .markdown = s->markdown,
                                .server = s->server};
    row->rev = s->rev;
    codec_delta_enrich(&p->delta, row);
    return write_hover(p, s);
}

static int
put_answers(struct put *p, const struct hover_batch *hovers)
{
    AUTO(map_destroy) struct map *by_key = map_create();
    for (size_t i = 0; i < p->list.n; i++)
        map_put(by_key, p->list.rows[i].key, &p->list.rows[i]);
    for (size_t i = 0; i < hovers->n_answers; i++) {
        struct entity_row *row = map_get(by_key, hovers->answers[i].key);
        int r = row ? put_answer(p, row, &hovers->answers[i].hover) : 0;
        if (r < 0)
            return err_trace(r);
    }
    return 0;
}

/* Who tells of the file from now on? What another one told, or another version of it, is stale. */
static int
put_server(struct put *p, const struct hover_batch *hovers)
{
    uint64_t was = p->f.f.server_key, is = hovers->server_key;
    bool is_told = false;
    for (size_t i = 0; i < hovers->n_answers; i++)
        is_told |= hovers->answers[i].hover.state != HOVER_UNKNOWN;
    if (p->is_copied ? is == was : !is_told || is == 0 || is == was)
        return 0;
    p->f.f.server_key = is;
    p->f.content_gen += was != 0 && !p->is_copied;
    p->is_written = true;
    return p->w->writes->file_server_put(p->w->t, &p->f);
}

static int
finish_put(struct put *p, struct event **ret_event)
{
    int r = put_counts(p->w, &p->f, &p->list);
    if (r < 0 || p->delta.n_enriched == 0)
        return r;
    table_text_drop(p->w, &p->f);
    r = p->w->writes->file_text_put(p->w->t, &p->f);
    if (r < 0)
        return r;
    AUTO(buf_finish) struct buf data = {0};
    codec_delta_write(&data, &p->delta, &p->f.f);
    return table_event_add(p->w, EVENT_ENTITY_ENRICHED, p->f.f.path, buf_str(&data),
                           false, ret_event);
}

int
store_put_hovers(struct store_writer *base, const struct hover_batch *hovers,
                 struct event **ret_event)
{
    struct table_writer *w = table_writer_of(base);
    struct put p = {.w = w,
                    .seq = w->now.head + 1,
                    .is_handed = hovers->is_handed,
                    .is_copied = hovers->is_copied,
                    .is_late = hovers->is_late};
    assert(w->is_open);
    *ret_event = NULL;
    arena_reset(&w->scratch);
    int r = w->t->reads->file_find(w->t, hovers->path, &w->scratch, &p.f);
    if (r == -ENOENT || (r == 0 && !hash128_eq(p.f.f.content, hovers->content)))
        return 0;
    if (r == 0)
        r = rows_of_file(w->t, &p.f, &w->scratch, &p.list);
    if (r == 0)
        r = put_server(&p, hovers);
    if (r == 0)
        r = put_answers(&p, hovers);
    if (r == 0 && p.is_written)
        r = finish_put(&p, ret_event);
    if (hovers->is_reused)
        w->now.reused += p.n_told;
    codec_delta_finish(&p.delta);
    return err_trace(table_done(w, r));
}

int
store_expire_hovers(struct store_writer *base, struct str lang, uint64_t server_key,
                    uint64_t *ret_n_files)
{
    struct table_writer *w = table_writer_of(base);
    assert(w->is_open);
    *ret_n_files = 0;
    return err_trace(w->writes->files_expire(w->t, lang, server_key, ret_n_files));
}
