/* What the index over names, targets and words finds. Invariant: what it says of a file is of a generation;
 * of those that are of no file nothing is told. */
#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_text.h"

static int
by_id(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
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
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), by_id);
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

int
rocks_find_named(struct store_reader *reader, struct str name, struct found_list *list)
{
    static const struct rocks_key waiting = {.p = {'t'}, .n = 1};
    struct rocks_conn *c = &rocks_reader_of(reader)->c;
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
rocks_find_callers(struct store_reader *reader, struct str name, struct found_list *list)
{
    struct rocks_conn *c = &rocks_reader_of(reader)->c;
    int r = find_prefix(c, ROCKS_NAME, rocks_name_key('c', name), list);
    return r < 0 ? r : resolve(c, list);
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
find_word(struct rocks_conn *c, struct str word, struct found_list *list, bool *is_sure)
{
    struct rocks_key key;
    *is_sure &= rocks_word_key(word, &key);
    if (word.n == 1)
        key.p[key.n++] = '\0'; // one letter stands for itself
    return find_prefix(c, ROCKS_WORD, key, list);
}

int
rocks_find_words(struct store_reader *reader, const struct words *words,
                 size_t limit UNUSED, struct found_list *list, bool *ret_is_sure)
{
    struct rocks_conn *c = &rocks_reader_of(reader)->c;
    *ret_is_sure = true;
    int r = find_word(c, words->v[0], list, ret_is_sure);
    for (size_t i = 1; i < words->n && r == 0 && list->n > 0; i++) {
        struct found_list other = {0};
        r = find_word(c, words->v[i], &other, ret_is_sure);
        intersect(list, &other);
        vec_finish(&other);
    }
    return r < 0 ? r : resolve(c, list);
}
