/* Hovers: answers for a file, and their texts, each kept once. A text's id is the hash of what it
 * says, so finding it needs no index; refs counts the entities that show it, and the last one to go
 * takes it along; hover_past counts as one (sqlite_past.c). An answer of "unknown" never replaces what is known. */
#include "store/sqlite.h"

#include "base/err.h"
#include "base/map.h"
#include "codec/codec.h"

#define HASH_TRIES 16

/* ---- texts ---- */

static int
add_refs(struct sqlite_writer *w, int64_t id, int change, int64_t *ret_refs)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_HOVER_REFS, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int(stmt, 2, change);
    r = sqlite_step(&w->c, stmt);
    if (r > 0)
        *ret_refs = sqlite3_column_int64(stmt, 0);
    if (r >= 0)
        r = sqlite_run(&w->c, SQL_HOVER_REFS, stmt);
    else
        sqlite_put(&w->c, SQL_HOVER_REFS, stmt);
    return r;
}

/* 1 it is this text, 0 nothing there, -EEXIST another text. */
static int
look_at(struct sqlite_writer *w, int64_t id, struct str markdown, struct str server)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_HOVER_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    r = sqlite_step(&w->c, stmt);
    if (r > 0 && (!str_eq(sqlite_column_str(stmt, 1), server) ||
                  !str_eq(sqlite_column_str(stmt, 2), markdown)))
        r = -EEXIST;
    sqlite_put(&w->c, SQL_HOVER_GET, stmt);
    return r;
}

static int
add_text(struct sqlite_writer *w, int64_t id, struct str markdown, struct str server)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_HOVER_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite_bind_str(stmt, 2, server);
    sqlite_bind_str(stmt, 3, markdown);
    return sqlite_run(&w->c, SQL_HOVER_ADD, stmt);
}

int
sqlite_hover_ref(struct sqlite_writer *w, struct str markdown, struct str server,
                 int64_t *ret_id)
{
    uint64_t hash = hash64_seeded(markdown, hash64(server));
    for (unsigned i = 0; i < HASH_TRIES; i++) {
        int64_t id = (int64_t)((hash + i) & INT64_MAX);
        int64_t refs = 0;
        if (id == 0)
            continue;
        int r = look_at(w, id, markdown, server);
        if (r == -EEXIST)
            continue;
        if (r > 0)
            r = add_refs(w, id, 1, &refs);
        else if (r == 0)
            r = add_text(w, id, markdown, server);
        if (r == 0)
            *ret_id = id;
        return r;
    }
    return err_trace(-EEXIST); // 16 texts of one 63-bit hash
}

int
sqlite_hover_unref(struct sqlite_writer *w, int64_t id)
{
    int64_t refs = 0;
    if (id == 0)
        return 0;
    int r = add_refs(w, id, -1, &refs);
    if (r < 0 || refs > 0)
        return err_trace(r);
    sqlite3_stmt *stmt = NULL;
    r = sqlite_get(&w->c, SQL_HOVER_DELETE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    return sqlite_run(&w->c, SQL_HOVER_DELETE, stmt);
}

int
sqlite_hover_share(struct sqlite_writer *w, int64_t id)
{
    int64_t refs = 0;
    return id == 0 ? 0 : add_refs(w, id, 1, &refs);
}

/* ---- answers ---- */

struct put {
    struct sqlite_writer *w;
    struct file_stored f;
    struct entity_list list;
    struct codec_delta delta;
    int64_t seq;
    bool is_written;
    int64_t n_told; // known or empty, and not so before
    bool is_handed;
};

static int
write_hover(struct put *p, const struct entity_stored *s)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&p->w->c, SQL_ENTITY_HOVER_PUT, &stmt);
    if (r < 0)
        return r;
    p->is_written = true;
    sqlite3_bind_int64(stmt, 1, s->id);
    sqlite3_bind_int64(stmt, 2, s->rev);
    sqlite_hover_bind(stmt, 3, s);
    return sqlite_run(&p->w->c, SQL_ENTITY_HOVER_PUT, stmt);
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

/* Fresh, and of another source: not an editor's to replace. */
static bool
stays(const struct put *p, const struct entity_stored *s, const struct hover *h)
{
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
        r = sqlite_hover_ref(p->w, h->markdown, h->server, &id);
    if (r == 0)
        r = sqlite_hover_unref(p->w, s->hover_id);
    if (r < 0)
        return err_trace(r);
    s->hover_state = h->state;
    s->hover_reason = h->state == HOVER_UNKNOWN ? h->reason : HOVER_REASON_NONE;
    s->hover_gen = p->f.content_gen;
    s->hover_id = id;
    s->markdown = h->state == HOVER_KNOWN ? h->markdown : STR_NONE;
    s->server = h->state == HOVER_KNOWN ? h->server : STR_NONE;
    s->rev = p->seq;
    p->n_told += s->hover_state != HOVER_UNKNOWN;
    row->hover = (struct hover){.state = s->hover_state,
                                .reason = s->hover_reason,
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
    sqlite3_stmt *stmt = NULL;
    for (size_t i = 0; i < hovers->n_answers; i++)
        is_told |= hovers->answers[i].hover.state != HOVER_UNKNOWN;
    if (!is_told || is == 0 || is == was)
        return 0;
    int r = sqlite_get(&p->w->c, SQL_FILE_SERVER_PUT, &stmt);
    if (r < 0)
        return r;
    p->f.f.server_key = is;
    p->f.content_gen += was != 0;
    p->is_written = true;
    sqlite3_bind_int64(stmt, 1, p->f.id);
    sqlite3_bind_int64(stmt, 2, p->f.content_gen);
    sqlite3_bind_int64(stmt, 3, (int64_t)is);
    return sqlite_run(&p->w->c, SQL_FILE_SERVER_PUT, stmt);
}

static int
finish_put(struct put *p, struct event **ret_event)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_counts_refresh(p->w, &p->f);
    if (r < 0 || p->delta.n_enriched == 0)
        return r;
    sqlite_text_drop(p->w, &p->f);
    r = sqlite_get(&p->w->c, SQL_FILE_TEXT_PUT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, p->f.id);
    sqlite3_bind_int64(stmt, 2, p->f.text_gen);
    r = sqlite_run(&p->w->c, SQL_FILE_TEXT_PUT, stmt);
    if (r < 0)
        return r;
    AUTO(buf_finish) struct buf data = {0};
    codec_delta_write(&data, &p->delta, &p->f.f);
    return sqlite_event_add(p->w, EVENT_ENTITY_ENRICHED, p->f.f.path, buf_str(&data),
                            false, ret_event);
}

int
sqlite_put_hovers(struct store_writer *base, const struct hover_batch *hovers,
                  struct event **ret_event)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    struct put p = {.w = w, .seq = w->now.head + 1, .is_handed = hovers->is_handed};
    assert(w->is_open);
    *ret_event = NULL;
    arena_reset(&w->scratch);
    int r = sqlite_file_find(&w->c, hovers->path, &w->scratch, &p.f);
    if (r == -ENOENT || (r == 0 && !hash128_eq(p.f.f.content, hovers->content)))
        return 0;
    if (r == 0)
        r = sqlite_rows_of_file(&w->c, &p.f, &w->scratch, &p.list);
    if (r == 0)
        r = put_server(&p, hovers);
    if (r == 0)
        r = put_answers(&p, hovers);
    if (r == 0 && p.is_written)
        r = finish_put(&p, ret_event);
    if (hovers->is_reused)
        w->now.reused += p.n_told;
    codec_delta_finish(&p.delta);
    return err_trace(r);
}

int
sqlite_expire_hovers(struct store_writer *base, struct str lang, uint64_t server_key,
                     uint64_t *ret_n_files)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    sqlite3_stmt *stmt = NULL;
    assert(w->is_open);
    int r = sqlite_get(&w->c, SQL_FILE_EXPIRE, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, lang);
    sqlite3_bind_int64(stmt, 2, (int64_t)server_key);
    r = sqlite_run(&w->c, SQL_FILE_EXPIRE, stmt);
    *ret_n_files = r == 0 ? (uint64_t)sqlite3_changes64(w->c.db) : 0;
    return err_trace(r);
}
