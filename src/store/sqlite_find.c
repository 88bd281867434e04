/* What the text index finds: names and targets by the keys of their hashes, words as they are. Each run is asked on its own, and what they say is put together: runs know
 * generations, the table file knows which of them describe a file as it is. A hit is a number that sorts by
 * generation and slot. */
#include "base/err.h"
#include "base/vec.h"
#include "store/sqlite.h"
#include "store/sqlite_runs.h"

#define HITS_MAX 16000000 // of one word
#define MASK_BITS 4
#define GEN_MAX (INT64_C(1) << (64 - SLOT_BITS - MASK_BITS))

/* generation << SLOT_BITS | slot, and below it the mask. */
struct hits {
    uint64_t *v;
    size_t n, cap;
};

/* ---- runs ---- */

static int
take_postings(struct str postings, struct hits *hits)
{
    struct text_postings p = {.rest = postings};
    struct text_posting posting;
    int r = 0;
    while (hits->n < HITS_MAX && (r = sqlite_postings_next(&p, &posting)) > 0) {
        if (posting.gen <= 0 || posting.gen >= GEN_MAX)
            return err_trace(-EBADMSG);
        *vec_push(hits) = ((uint64_t)posting.gen << SLOT_BITS | posting.slot)
                              << MASK_BITS |
                          posting.mask;
    }
    return MIN(r, 0);
}

static int
ask_run(struct sqlite_conn *c, struct text_cursor *cur, struct str key, bool is_prefix,
        struct hits *hits)
{
    int r = sqlite_cursor_find(c, cur, key);
    while (r > 0) {
        struct str at = str_slice(cur->key, cur->key_n);
        if (!(is_prefix ? str_starts_with(at, key) : str_eq(at, key)))
            return 0;
        r = take_postings(cur->postings, hits);
        if (r == 0)
            r = sqlite_cursor_next(c, cur);
    }
    return r;
}

/* Sorted; an entity that has several words with this prefix is there once. */
static void
unite(struct hits *hits)
{
    size_t n = 0;
    if (hits->n == 0)
        return;
    sqlite_sort_numbers(hits->v, hits->n, 0);
    for (size_t i = 0; i < hits->n; i++) {
        if (n > 0 && hits->v[n - 1] >> MASK_BITS == hits->v[i] >> MASK_BITS)
            hits->v[n - 1] |= hits->v[i];
        else
            hits->v[n++] = hits->v[i];
    }
    hits->n = n;
}

static int
ask(struct sqlite_conn *c, struct str key, bool is_prefix, struct hits *hits)
{
    sqlite3_stmt *stmt = NULL;
    struct text_cursor cur = {.run = 0};
    int r = sqlite_get(c, SQL_RUN_ALL, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct str dir = str_slice(sqlite3_column_blob(stmt, 1),
                                   (size_t)sqlite3_column_bytes(stmt, 1));
        struct buf data = cur.data; // its memory goes from run to run
        sqlite_cursor_init(&cur, sqlite3_column_int64(stmt, 0),
                           (int64_t)(dir.n / TEXT_DIR_BYTES));
        cur.data = data;
        sqlite_cursor_seek(&cur, dir, key);
        r = ask_run(c, &cur, key, is_prefix, hits);
        if (r < 0)
            break;
    }
    sqlite_put(c, SQL_RUN_ALL, stmt);
    sqlite_cursor_finish(&cur);
    if (r == 0)
        unite(hits);
    return r;
}

/* ---- files ---- */

/* Of one generation after the other: 1 the file it describes, 0 it is dead. */
struct owner {
    int64_t gen, file_id; // 0: none
};

static int
find_owner(struct sqlite_conn *c, int64_t gen, struct owner *owner)
{
    sqlite3_stmt *stmt = NULL;
    int64_t file_id = 0;
    if (owner->gen == gen)
        return owner->file_id > 0;
    int r = sqlite_get(c, SQL_FILE_OF_TEXT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, gen);
    r = sqlite_one(c, SQL_FILE_OF_TEXT, stmt, &file_id);
    if (r >= 0)
        *owner = (struct owner){gen, file_id};
    return r;
}

static int
entity_of(struct sqlite_conn *c, uint64_t hit, struct owner *owner, int64_t *ret_id)
{
    int r = find_owner(c, (int64_t)(hit >> (SLOT_BITS + MASK_BITS)), owner);
    *ret_id = ENTITY_ID(owner->file_id, (int64_t)(hit >> MASK_BITS) & SLOT_MASK);
    return r;
}

static int
find_hashed(struct sqlite_conn *c, const char *mark, struct str name,
            struct found_list *list)
{
    char key[TEXT_HASH_KEY_BYTES];
    struct hits hits = {0};
    struct owner owner = {0};
    int64_t id = 0;
    sqlite_hash_key(mark, name, key);
    int r = ask(c, str_slice(key, sizeof(key)), false, &hits);
    for (size_t i = 0; i < hits.n && r >= 0 && list->n < FOUND_MAX; i++) {
        r = entity_of(c, hits.v[i], &owner, &id);
        if (r > 0)
            *vec_push(list) = (struct found){.id = id};
    }
    vec_finish(&hits);
    return MIN(r, 0);
}

int
sqlite_find_named(struct store_reader *r, struct str name, struct found_list *list)
{
    struct sqlite_conn *c = &sqlite_reader_of(r)->c;
    sqlite3_stmt *stmt = NULL;
    int e = find_hashed(c, TEXT_NAME, name, list);
    if (e == 0)
        e = sqlite_get(c, SQL_ENTITY_WAITING, &stmt);
    if (e < 0)
        return e;
    sqlite_bind_str(stmt, 1, name);
    while (list->n < FOUND_MAX && (e = sqlite_step(c, stmt)) > 0)
        *vec_push(list) = (struct found){.id = sqlite3_column_int64(stmt, 0)};
    sqlite_put(c, SQL_ENTITY_WAITING, stmt);
    return MIN(e, 0);
}

int
sqlite_find_callers(struct store_reader *r, struct str name, struct found_list *list)
{
    return find_hashed(&sqlite_reader_of(r)->c, TEXT_TARGET, name, list);
}

/* ---- words ---- */

static bool
is_worse(const struct found *a, const struct found *b)
{
    return a->score != b->score ? a->score < b->score : a->id > b->id;
}

static void
sink(struct found_list *best, size_t at)
{
    for (;;) {
        size_t worst = at;
        for (size_t k = 2 * at + 1; k <= 2 * at + 2 && k < best->n; k++)
            if (is_worse(&best->v[k], &best->v[worst]))
                worst = k;
        if (worst == at)
            return;
        struct found was = best->v[at];
        best->v[at] = best->v[worst];
        best->v[worst] = was;
        at = worst;
    }
}

/* A heap with the worst on top once it is full. */
static void
keep_best(struct found_list *best, size_t limit, struct found found)
{
    if (best->n < limit) {
        *vec_push(best) = found;
        for (size_t i = best->n / 2; best->n == limit && i > 0; i--)
            sink(best, i - 1);
    } else if (is_worse(&best->v[0], &found)) {
        best->v[0] = found;
        sink(best, 0);
    }
}

static unsigned
weight_of(uint64_t mask)
{
    return mask & TEXT_IN_NAME        ? WEIGHT_NAME
           : mask & TEXT_IN_SIGNATURE ? WEIGHT_SIGNATURE
           : mask & TEXT_IN_DOC       ? WEIGHT_DOC
           : mask & TEXT_IN_HOVER     ? WEIGHT_HOVER
                                      : 0;
}

/* Those that have this word, too; sums are the weights so far. */
static void
keep_common(struct hits *all, uint16_t *sums, const struct hits *word)
{
    size_t n = 0;
    for (size_t i = 0, k = 0; i < all->n; i++) {
        uint64_t at = all->v[i] >> MASK_BITS;
        while (k < word->n && word->v[k] >> MASK_BITS < at)
            k++;
        if (k == word->n)
            break;
        if (word->v[k] >> MASK_BITS != at)
            continue;
        all->v[n] = all->v[i];
        sums[n++] = (uint16_t)(sums[i] + weight_of(word->v[k]));
    }
    all->n = n;
}

static int
ask_word(struct sqlite_conn *c, struct str word, struct hits *hits, bool *is_sure)
{
    AUTO(buf_finish) struct buf key = {0};
    words_fold(&key, word);
    *is_sure = *is_sure && key.n <= TEXT_KEY_BYTES;
    /* one letter stands for itself */
    return ask(c, str_slice(key.p, MIN(key.n, (size_t)TEXT_KEY_BYTES)), word.n > 1, hits);
}

/* *ret_sums: of each hit, the caller's; NULL when there are none. */
static int
ask_words(struct sqlite_conn *c, const struct words *words, struct hits *all,
          uint16_t **ret_sums, bool *is_sure)
{
    int r = ask_word(c, words->v[0], all, is_sure);
    if (r < 0 || all->n == 0)
        return r;
    uint16_t *sums = *ret_sums = xcalloc(all->n, sizeof(*sums));
    for (size_t i = 0; i < all->n; i++)
        sums[i] = (uint16_t)weight_of(all->v[i]);
    for (size_t i = 1; i < words->n && all->n > 0 && r == 0; i++) {
        struct hits word = {0};
        r = ask_word(c, words->v[i], &word, is_sure);
        if (r == 0)
            keep_common(all, sums, &word);
        vec_finish(&word);
    }
    return r;
}

int
sqlite_find_words(struct store_reader *reader, const struct words *words, size_t limit,
                  struct found_list *list, bool *ret_is_sure)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    AUTO(free) uint16_t *sums = NULL;
    struct hits all = {0};
    struct owner owner = {0};
    *ret_is_sure = true;
    limit = MIN(MAX(limit, (size_t)CANDIDATES_MAX), (size_t)FOUND_MAX);
    int r = ask_words(c, words, &all, &sums, ret_is_sure);
    for (size_t i = 0; i < all.n && r >= 0; i++) {
        struct found found = {.score = sums[i]};
        r = entity_of(c, all.v[i], &owner, &found.id);
        if (r > 0)
            keep_best(list, limit, found);
    }
    vec_finish(&all);
    return MIN(r, 0);
}
