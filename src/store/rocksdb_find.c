/* Finding by name or by text: the text index for the files that are in it, a walk over the rows of
 * those that wait. Both are read in one view, and a file is in exactly one of the two sets, so an
 * answer is whole at any moment of a bulk load. */
#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"
#include "store/rocksdb_text.h"
#include "store/words.h"

#define CANDIDATES_MAX 500      // of the text index whose rows are looked at
#define CANDIDATES_SCALE 1000.0 // puts the other ones behind them
#define FOUND_MAX 2000000       // matches kept for sorting

static const struct rocks_key waiting = {.p = {'t'}, .n = 1};

struct found {
    int64_t id; // generation or file id << SLOT_BITS | slot
    double score;
};

struct found_list {
    struct found *v;
    size_t n, cap;
};

static int
by_id(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int
by_score(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return by_id(a, b);
}

static void
sort(struct found_list *list, int (*order)(const void *a, const void *b))
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), order);
}

/* ---- entries of the index ---- */

static double
weight_of(unsigned mask)
{
    return mask & ROCKS_IN_NAME        ? WEIGHT_NAME
           : mask & ROCKS_IN_SIGNATURE ? WEIGHT_SIGNATURE
           : mask & ROCKS_IN_DOC       ? WEIGHT_DOC
                                       : WEIGHT_HOVER;
}

static int
take_slots(struct str value, int64_t gen, struct found_list *list)
{
    struct rocks_unpack u = {.rest = value};
    while (u.rest.n > 0 && list->n < FOUND_MAX) {
        uint32_t slot = rocks_take_below(&u, SLOT_MASK + 1);
        uint32_t mask = rocks_take_below(&u, ROCKS_IN_MASKS);
        if (u.is_bad)
            return err_trace(-EBADMSG);
        *vec_push(list) = (struct found){gen << SLOT_BITS | slot, weight_of(mask)};
    }
    return 0;
}

/* All whose key begins so; by generation and slot, each once with its best weight. */
static int
find_prefix(struct rocks_conn *c, enum rocks_family family, struct rocks_key prefix,
            struct found_list *list)
{
    struct rocks_walk walk;
    size_t n = 0;
    int r = 0;
    rocks_walk_open(&walk, c, family, prefix, STR_NONE);
    while (list->n < FOUND_MAX && (r = rocks_walk_next(&walk)) > 0) {
        if (walk.key.n < 8)
            r = err_trace(-EBADMSG);
        else
            r = take_slots(walk.value, rocks_key_read(walk.key, walk.key.n - 8), list);
        if (r < 0)
            break;
    }
    rocks_walk_close(&walk);
    sort(list, by_id);
    for (size_t i = 0; i < list->n; i++) {
        if (n > 0 && list->v[n - 1].id == list->v[i].id)
            list->v[n - 1].score = MAX(list->v[n - 1].score, list->v[i].score);
        else
            list->v[n++] = list->v[i];
    }
    list->n = n;
    return MIN(r, 0);
}

/* From generations to files; what is of none is dead. */
static int
resolve(struct rocks_conn *c, struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    int64_t gen = 0, file_id = 0;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct found found = list->v[i];
        if (found.id >> SLOT_BITS != gen) {
            struct str text;
            gen = found.id >> SLOT_BITS;
            struct rocks_key key = rocks_key_mark('g', gen);
            arena_reset(&a);
            int r = rocks_get(c, ROCKS_LOOK, rocks_key_str(&key), &a, &text);
            if (r < 0)
                return r;
            file_id = r > 0 ? rocks_key_read(text, 0) : 0;
        }
        if (file_id > 0)
            list->v[n++] =
                (struct found){ENTITY_ID(file_id, found.id & SLOT_MASK), found.score};
    }
    list->n = n;
    return 0;
}

/* ---- exact names ---- */

static int
waiting_named(struct rocks_conn *c, int64_t file_id, struct str name,
              struct found_list *list)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_ENTITY, rocks_key_id(file_id), STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct entity_stored s;
        r = rocks_entity_read(walk.value, rocks_entity_id(walk.key), &s);
        if (r < 0)
            break;
        if (str_eq(s.e.name, name))
            *vec_push(list) = (struct found){.id = s.id};
    }
    rocks_walk_close(&walk);
    return r;
}

static int
find_named(struct rocks_conn *c, struct str name, struct found_list *list)
{
    struct rocks_walk walk;
    int r = find_prefix(c, ROCKS_NAME, rocks_name_key('n', name), list);
    if (r == 0)
        r = resolve(c, list);
    if (r < 0)
        return r;
    rocks_walk_open(&walk, c, ROCKS_LOOK, waiting, STR_NONE);
    while (list->n < FOUND_MAX && (r = rocks_walk_next(&walk)) > 0) {
        r = waiting_named(c, rocks_key_read(walk.value, 0), name, list);
        if (r < 0)
            break;
    }
    rocks_walk_close(&walk);
    return MIN(r, 0);
}

int
rocks_each_named(struct store_reader *reader, struct str name, store_entity_fn fn,
                 void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = find_named(&r->c, name, &list);
    sort(&list, by_id);
    for (size_t i = 0; i < list.n && e == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        e = rocks_row_by_id(&r->c, list.v[i].id, &a, &row);
        if (e == 0 && str_eq(row.e.name, name)) // two names may share a hash
            e = fn(ctx, &row);
    }
    rocks_view_end(r);
    vec_finish(&list);
    return e;
}

/* ---- words ---- */

/* Those in both, with both their weights; both by id. */
static void
intersect(struct found_list *list, const struct found_list *other)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < list->n; i++) {
        while (k < other->n && other->v[k].id < list->v[i].id)
            k++;
        if (k == other->n || other->v[k].id != list->v[i].id)
            continue;
        list->v[n] = list->v[i];
        list->v[n++].score += other->v[k].score;
    }
    list->n = n;
}

static int
find_word(struct rocks_conn *c, struct str word, struct found_list *list)
{
    struct rocks_key key;
    rocks_word_key(word, &key);
    if (word.n == 1)
        key.p[key.n++] = '\0'; // one letter stands for itself
    return find_prefix(c, ROCKS_WORD, key, list);
}

/* The index only knows where the words are; the first candidates get their score from their rows, as
 * those that wait. What comes behind keeps its order behind them. */
static int
score_candidates(struct rocks_conn *c, const struct words *words, struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf name = {0};
    int r = 0;
    sort(list, by_score);
    for (size_t i = 0; i < list->n && r == 0; i++) {
        struct found *found = &list->v[i];
        struct entity_stored s;
        found->score /= CANDIDATES_SCALE;
        if (i >= CANDIDATES_MAX)
            continue;
        arena_reset(&a);
        r = rocks_entity_by_id(c, found->id, &a, &s);
        if (r == 0)
            found->score = words_score(words, &s, &name);
    }
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

static int
find_indexed(struct rocks_conn *c, const struct words *words, struct found_list *list)
{
    size_t n = 0;
    int r = find_word(c, words->v[0], list);
    for (size_t i = 1; i < words->n && r == 0 && list->n > 0; i++) {
        struct found_list other = {0};
        r = find_word(c, words->v[i], &other);
        intersect(list, &other);
        vec_finish(&other);
    }
    if (r == 0)
        r = resolve(c, list);
    if (r == 0)
        r = score_candidates(c, words, list);
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].score > 0) // a long word was looked for by its beginning
            list->v[n++] = list->v[i];
    }
    list->n = n;
    return r;
}

static int
find_waiting(struct rocks_conn *c, const struct words *words, struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf name = {0};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_LOOK, waiting, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f = {.id = rocks_key_read(walk.value, 0)};
        struct entity_list entities = {0};
        arena_reset(&a);
        r = rocks_entities(&c->t, &f, &a, &entities);
        for (size_t i = 0; i < entities.n && list->n < FOUND_MAX; i++) {
            double score = words_score(words, &entities.v[i], &name);
            if (score > 0)
                *vec_push(list) = (struct found){entities.v[i].id, score};
        }
        if (r < 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

int
rocks_search_text(struct store_reader *reader, struct str query, size_t limit,
                  store_entity_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    struct words words;
    words_cut(query, &words);
    if (words.n == 0)
        return 0;
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = find_indexed(&r->c, &words, &list);
    if (e == 0)
        e = find_waiting(&r->c, &words, &list);
    sort(&list, by_score);
    for (size_t i = 0; i < list.n && i < limit && e == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        e = rocks_row_by_id(&r->c, list.v[i].id, &a, &row);
        row.score = list.v[i].score;
        if (e == 0)
            e = fn(ctx, &row);
    }
    rocks_view_end(r);
    vec_finish(&list);
    return e;
}

/* ---- which files have edges to a name ---- */

int
rocks_find_callers(struct rocks_conn *c, struct str name, struct rocks_ids_list *ids)
{
    struct found_list list = {0};
    struct rocks_walk walk;
    int r = find_prefix(c, ROCKS_NAME, rocks_name_key('c', name), &list);
    if (r == 0)
        r = resolve(c, &list);
    if (r == 0) {
        rocks_walk_open(&walk, c, ROCKS_LOOK, waiting, STR_NONE);
        while ((r = rocks_walk_next(&walk)) > 0)
            *vec_push(&list) =
                (struct found){.id = ENTITY_ID(rocks_key_read(walk.value, 0), 0)};
        rocks_walk_close(&walk);
    }
    sort(&list, by_id);
    for (size_t i = 0; i < list.n; i++)
        *vec_push(ids) = list.v[i].id >> SLOT_BITS;
    vec_finish(&list);
    return r;
}
