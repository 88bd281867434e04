/* The text index: a tsvector for each entity, of words cut and folded by ourselves (words.c), so
 * that what is in it and what waits are found alike, and for each file the names its edges point to.
 * Filled when the writer is idle. Invariant: a file with text_gen above 0 has all its rows here and they
 * are of what it is now; when it changes they are deleted with the change (postgres_writer.c). */
#include "base/err.h"
#include "base/map.h"
#include "base/utf.h"
#include "store/postgres.h"
#include "store/words.h"

#define FILES_AT_ONCE 64

/* Marks a name as a whole; no word has it. */
void
postgres_ident(struct buf *b, char mark, struct str name)
{
    char ident[IDENT_BYTES];
    words_ident(mark, name, ident);
    buf_printf(b, "'#%s' ", ident);
}

struct str
postgres_lexeme(struct str word)
{
    word.n = MIN(word.n, (size_t)POSTGRES_WORD_BYTES_MAX);
    while (word.n > 0 && !utf8_is_valid(word))
        word.n--;
    return word;
}

/* 'word':1A 'other':1A … */
static void
add_words(struct buf *b, struct str text, const char *place)
{
    struct str word;
    while (words_next(&text, &word)) {
        word = postgres_lexeme(word);
        if (word.n == 0)
            continue;
        buf_add_char(b, '\'');
        words_fold(b, word);
        buf_add_cstr(b, place);
    }
}

static int
add_row(struct postgres_tables *p, int64_t id, struct str words)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, id);
    postgres_arg_str(&args, words);
    return postgres_send(&p->c, PG_TEXT_ADD, &args);
}

static int
add_entities(struct postgres_writer *w, const struct file_stored *f)
{
    AUTO(buf_finish) struct buf words = {0}, name = {0};
    struct entity_list list = {0};
    int r = w->p.base.reads->entities(&w->p.base, f, &w->w.scratch, &list);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        const struct entity_stored *s = &list.v[i];
        buf_reset(&words);
        buf_reset(&name);
        postgres_ident(&words, 'n', s->e.name);
        words_of_name(&name, s->e.qualified_name);
        add_words(&words, buf_str(&name), "':1A ");
        add_words(&words, s->e.signature, "':2B ");
        add_words(&words, s->e.doc, "':3C ");
        add_words(&words, s->markdown, "':4D ");
        r = add_row(&w->p, s->id, buf_str(&words));
    }
    return r;
}

/* One row for all names that the file's edges point to. */
static int
add_targets(struct postgres_writer *w, const struct file_stored *f)
{
    AUTO(map_destroy) struct map *seen = map_create();
    AUTO(buf_finish) struct buf idents = {0};
    struct str text = STR_NONE;
    struct edges edges;
    struct edge_group group;
    int r = w->p.base.reads->edges_get(&w->p.base, f->id, &w->w.scratch, &text);
    if (r >= 0)
        r = edges_open(text, &edges);
    while (r == 0 && (r = edges_next(&edges, &w->w.scratch, &group)) > 0) {
        r = 0;
        if (!map_put(seen, group.target, w)) // once for each kind of edge
            postgres_ident(&idents, 'c', group.target);
    }
    if (r < 0 || idents.n == 0)
        return r;
    return add_row(&w->p, ENTITY_ID(f->id, SLOT_TARGETS), buf_str(&idents));
}

static int
index_file(struct postgres_writer *w, struct file_stored *f)
{
    int r = add_entities(w, f);
    if (r == 0)
        r = add_targets(w, f);
    if (r < 0)
        return err_trace(r);
    f->text_gen = ++w->w.now.text_gen;
    return w->w.writes->file_text_put(&w->p.base, f);
}

/* Some of the files that wait. *n: entities indexed so far. */
static int
index_some(struct postgres_writer *w, size_t n_entities, size_t *n, bool *ret_more,
           bool *ret_wanted)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(&w->p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, w->p.ws);
    postgres_arg_int(&args, 0);
    postgres_arg_int(&args, FILES_AT_ONCE);
    r = postgres_query(&w->p.c, PG_FILE_TEXT_WAITING, &args, rows);
    if (r < 0)
        return r;
    *ret_more = postgres_count(rows) > 0;
    for (int i = 0; i < postgres_count(rows) && *n < n_entities && r == 0 && !*ret_wanted;
         i++) {
        struct file_stored f;
        arena_reset(&w->w.scratch);
        r = postgres_file_read(rows, i, &w->w.scratch, &f);
        if (r == 0)
            r = index_file(w, &f);
        *n += f.n_entities + 1;
        *ret_wanted = store_is_wanted(&w->w.base);
    }
    return r;
}

int
postgres_index_text(struct store_writer *base, size_t n_entities, bool *ret_more)
{
    struct postgres_writer *w = container_of(base, struct postgres_writer, w.base);
    size_t n = 0;
    bool has_more = true, is_wanted = false;
    int r = 0;
    assert(w->w.is_open);
    while (n < n_entities && has_more && r == 0 && !is_wanted)
        r = index_some(w, n_entities, &n, &has_more, &is_wanted);
    if (r == 0)
        *ret_more = n >= n_entities || is_wanted;
    return err_trace(r);
}
