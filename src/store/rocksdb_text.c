/* The index over names, targets and words, filled when the writer is idle. A file's part of it has a
 * generation, and a key ends in it: one entry for a word and a file, with the slots of those that have it.
 * Invariant: a generation is looked for under 'g' in the family look, and is there as long as it
 * describes the file as it is; entries of others are dead, nobody finds them, and when there are too
 * many all go and are made anew. So a change of a file costs the index nothing. It is not filled with
 * the rows because a bulk load would take several times as long; until then a reader walks over the
 * files that wait. */
#include "store/rocksdb_text.h"
#include "base/err.h"
#include "base/map.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"
#include "store/words.h"

#define DEAD_ROWS_MIN 50000 // below this it is not worth starting over

/* ---- keys ---- */

bool
rocks_word_key(struct str word, struct rocks_key *ret_key)
{
    AUTO(buf_finish) struct buf b = {0};
    words_fold(&b, word);
    size_t n = MIN(b.n, (size_t)ROCKS_WORD_BYTES);
    *ret_key = (struct rocks_key){.n = n};
    memcpy(ret_key->p, b.p ? b.p : "", n);
    return n == b.n;
}

struct rocks_key
rocks_name_key(char mark, struct str name)
{
    return rocks_key_mark(mark, (int64_t)hash64(name));
}

/* ---- what a file has ---- */

/* A word of an entity, or its name by hash: the key without its generation. */
struct posting {
    struct str key;
    uint32_t slot;
    unsigned mask; // of the columns
};

struct postings {
    struct posting *v;
    size_t n, cap;
};

static int
by_key(const void *a, const void *b)
{
    const struct posting *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order != 0 ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

static void
add_posting(struct postings *all, struct arena *a, const struct rocks_key *key,
            uint32_t slot, unsigned mask)
{
    *vec_push(all) = (struct posting){arena_str(a, rocks_key_str(key)), slot, mask};
}

static void
add_words(struct postings *all, struct arena *a, struct str text, uint32_t slot,
          unsigned mask)
{
    struct str word;
    struct rocks_key key;
    while (words_next(&text, &word)) {
        rocks_word_key(word, &key);
        key.p[key.n++] = '\0';
        add_posting(all, a, &key, slot, mask);
    }
}

static void
add_entity(struct postings *words, struct postings *names, struct arena *a,
           const struct entity_stored *s)
{
    AUTO(buf_finish) struct buf parts = {0};
    uint32_t slot = (uint32_t)(s->id & SLOT_MASK);
    struct rocks_key key = rocks_name_key('n', s->e.name);
    add_posting(names, a, &key, slot, 0);
    words_of_name(&parts, s->e.qualified_name);
    add_words(words, a, buf_str(&parts), slot, ROCKS_IN_NAME);
    add_words(words, a, s->e.signature, slot, ROCKS_IN_SIGNATURE);
    add_words(words, a, s->e.doc, slot, ROCKS_IN_DOC);
    add_words(words, a, s->markdown, slot, ROCKS_IN_HOVER);
}

/* One row for each key, in their order; behind each slot where it has the word. */
static void
write_postings(struct rocks_conn *c, enum rocks_family family, struct postings *all,
               int64_t gen)
{
    AUTO(buf_finish) struct buf b = {0};
    if (all->n > 1)
        qsort(all->v, all->n, sizeof(*all->v), by_key);
    for (size_t i = 0; i < all->n; i++) {
        const struct posting *at = &all->v[i], *next = i + 1 < all->n ? at + 1 : NULL;
        bool is_last = !next || !str_eq(next->key, at->key);
        if (!is_last && next->slot == at->slot) {
            all->v[i + 1].mask |= at->mask;
            continue;
        }
        rocks_pack(&b, at->slot);
        rocks_pack(&b, at->mask);
        if (!is_last)
            continue;
        struct rocks_key key = {.n = at->key.n};
        memcpy(key.p, at->key.p, at->key.n);
        rocks_key_add(&key, gen);
        rocks_put(c, family, rocks_key_str(&key), buf_str(&b));
        buf_reset(&b);
    }
}

/* All names that the file's edges point to, once each. */
static int
add_targets(struct rocks_conn *c, const struct file_stored *f, struct arena *a,
            struct postings *names)
{
    AUTO(map_destroy) struct map *seen = map_create();
    struct edges edges;
    struct edge_group group;
    struct str text = STR_NONE;
    int r = rocks_edges_get(&c->t, f->id, a, &text);
    if (r > 0)
        r = edges_open(text, &edges);
    else
        return r;
    while (r == 0 && (r = edges_next(&edges, a, &group)) > 0) {
        r = 0;
        if (map_put(seen, group.target, c)) // once for each kind of edge
            continue;
        struct rocks_key key = rocks_name_key('c', group.target);
        add_posting(names, a, &key, SLOT_TARGETS, 0);
    }
    return r;
}

static int
index_file(struct rocks_writer *w, struct file_stored *f)
{
    struct arena *a = &w->w.scratch;
    struct entity_list list = {0};
    struct postings words = {0}, names = {0};
    int64_t gen = w->w.now.text_gen + 1;
    int r = rocks_entities(&w->c.t, f, a, &list);
    for (size_t i = 0; i < list.n && r == 0; i++)
        add_entity(&words, &names, a, &list.v[i]);
    if (r == 0)
        r = add_targets(&w->c, f, a, &names);
    if (r == 0) {
        write_postings(&w->c, ROCKS_WORD, &words, gen);
        write_postings(&w->c, ROCKS_NAME, &names, gen);
        f->text_gen = gen;
        r = rocks_writes.file_text_put(&w->c.t, f);
        w->w.now.text_gen = gen;
        w->w.now.text_rows += (int64_t)f->n_entities + 1;
    }
    vec_finish(&words);
    vec_finish(&names);
    return err_trace(r);
}

/* ---- starting over, and going on ---- */

static int
list_marked(struct rocks_conn *c, char mark, int64_t from_id, size_t max,
            struct rocks_ids_list *list)
{
    struct rocks_key prefix = {.p = {mark}, .n = 1};
    struct rocks_key from = rocks_key_mark(mark, from_id);
    struct rocks_walk walk;
    int r = 0;
    rocks_walk_open(&walk, c, ROCKS_LOOK, prefix, rocks_key_str(&from));
    while (list->n < max && (r = rocks_walk_next(&walk)) > 0)
        *vec_push(list) = rocks_key_read(walk.value, 0);
    rocks_walk_close(&walk);
    return MIN(r, 0);
}

/* 1: all files wait, and what there was goes behind the commit. */
static int
start_over(struct rocks_writer *w)
{
    struct table_counters *now = &w->w.now;
    struct rocks_ids_list list = {0};
    if (now->text_dead < DEAD_ROWS_MIN || now->text_dead < now->text_rows / 2)
        return 0;
    int r = list_marked(&w->c, 'g', 0, SIZE_MAX, &list);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        struct file_stored f;
        arena_reset(&w->w.scratch);
        r = rocks_file_by_id(&w->c.t, list.v[i], &w->w.scratch, &f);
        f.text_gen = 0;
        if (r == 0)
            r = rocks_writes.file_text_put(&w->c.t, &f);
    }
    vec_finish(&list);
    now->text_rows = now->text_dead = 0;
    w->drops_text = true;
    return r < 0 ? err_trace(r) : 1;
}

/* What is left of it if this fails is dead, and finds nothing. */
void
rocks_text_drop_all(struct rocks_writer *w)
{
    static const enum rocks_family families[] = {ROCKS_NAME, ROCKS_WORD};
    rocksdb_writeoptions_t *options = rocks.writeoptions_create();
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        char *error = NULL;
        rocks.delete_range_cf(w->c.db->db, options, w->c.db->families[families[i]], "", 0,
                              "\xff", 1, &error);
        rocks_errno(error);
    }
    rocks.writeoptions_destroy(options);
    w->drops_text = false;
}

int
rocks_index_text(struct store_writer *base, size_t n_entities, bool *ret_more)
{
    struct rocks_writer *w = container_of(table_writer_of(base), struct rocks_writer, w);
    struct rocks_ids_list list = {0};
    size_t n = 0, i = 0;
    bool is_wanted = false, is_whole = w->text_from == 0;
    assert(w->w.is_open);
    int r = start_over(w);
    *ret_more = r > 0;
    if (r != 0)
        return MIN(r, 0);
    r = list_marked(&w->c, 't', w->text_from, n_entities, &list);
    if (r == 0 && list.n == 0 && !is_whole) {
        is_whole = true;
        r = list_marked(&w->c, 't', 0, n_entities, &list);
    }
    for (; i < list.n && n < n_entities && r == 0 && !is_wanted; i++) {
        struct file_stored f;
        arena_reset(&w->w.scratch);
        r = rocks_file_by_id(&w->c.t, list.v[i], &w->w.scratch, &f);
        if (r == 0)
            r = index_file(w, &f);
        n += f.n_entities + 1;
        is_wanted = store_is_wanted(base);
    }
    w->text_from = i > 0 ? list.v[i - 1] : 0;
    *ret_more =
        n >= n_entities || is_wanted || !is_whole; // before there it may wait again
    vec_finish(&list);
    return err_trace(r);
}
