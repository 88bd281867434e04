/* Finding by name or by text: the text index for the files that are in it, a walk over the rows of
 * those that wait. Both are read in one view, and a file is in exactly one of the two sets, so an
 * answer is whole at any moment of a bulk load. */
#include "base/err.h"
#include "store/reader.h"

#define CANDIDATES_SCALE 1000.0 // puts those that are not looked at behind the others

static int
by_score(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

void
found_sort(struct found_list *list)
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), by_score);
}

/* ---- exact names ---- */

int
store_each_named(struct store_reader *r, struct str name, store_entity_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->find_named(r, name, &list);
    found_sort(&list);
    for (size_t i = 0; i < list.n && e == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        e = reader_row(r->t, list.v[i].id, &a, &row);
        if (e == 0 && str_eq(row.e.name, name)) // two names may share a hash
            e = reader_shown(r, fn(ctx, &row));
    }
    reader_end(r, e);
    vec_finish(&list);
    return e;
}

/* ---- words ---- */

struct search {
    struct tables *t;
    const struct words *words;
    struct found_list list;
    struct arena a;
    struct buf name;
};

/* The index only knows where the words are; the first candidates get their score from their rows, as
 * those that wait. What comes behind keeps its order behind them, if it surely has the words. */
static int
score_candidates(struct search *s, bool is_sure)
{
    struct found_list *list = &s->list;
    int r = 0;
    found_sort(list);
    for (size_t i = 0; i < list->n && r == 0; i++) {
        struct found *found = &list->v[i];
        struct entity_stored e;
        found->score = is_sure ? found->score / CANDIDATES_SCALE : 0;
        if (i >= CANDIDATES_MAX)
            continue;
        arena_reset(&s->a);
        r = s->t->reads->entity_by_id(s->t, found->id, &s->a, &e);
        if (r == 0)
            found->score = MAX(words_score(s->words, &e, &s->name), found->score);
        else if (r == -ENOENT)
            r = err_trace(-EBADMSG);
    }
    for (size_t i = list->n; i > 0; i--)
        if (list->v[i - 1].score == 0)
            list->v[i - 1] = list->v[--list->n];
    return r;
}

static int
search_file(void *ctx, const struct file_stored *f)
{
    struct search *s = ctx;
    struct entity_list entities = {0};
    arena_reset(&s->a);
    int r = s->t->reads->entities(s->t, f, &s->a, &entities);
    for (size_t i = 0; r == 0 && i < entities.n && s->list.n < FOUND_MAX; i++) {
        double score = words_score(s->words, &entities.v[i], &s->name);
        if (score > 0)
            *vec_push(&s->list) = (struct found){entities.v[i].id, score};
    }
    return r;
}

static int
search(struct store_reader *r, struct search *s, size_t limit)
{
    bool is_sure = true;
    int e = r->ops->find_words(r, s->words, limit, &s->list, &is_sure);
    if (e == 0)
        e = score_candidates(s, is_sure);
    if (e == 0)
        e = r->ops->each_file(r, FILES_WAITING, search_file, s);
    found_sort(&s->list);
    return e;
}

int
store_search_text(struct store_reader *r, struct str query, size_t limit,
                  store_entity_fn fn, void *ctx)
{
    struct words words;
    struct search s = {.t = r->t, .words = &words};
    words_cut(query, &words);
    if (words.n == 0)
        return 0;
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = search(r, &s, limit);
    for (size_t i = 0; i < s.list.n && i < limit && e == 0; i++) {
        struct entity_row row;
        arena_reset(&s.a);
        e = reader_row(r->t, s.list.v[i].id, &s.a, &row);
        if (e < 0)
            break;
        row.score = s.list.v[i].score;
        e = reader_shown(r, fn(ctx, &row));
    }
    reader_end(r, e);
    arena_finish(&s.a);
    buf_finish(&s.name);
    vec_finish(&s.list);
    return e;
}
