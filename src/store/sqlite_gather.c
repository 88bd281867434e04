/* Words of some files' entities, to be written as one sorted run. A word is kept once, its postings in the
 * order they come, which is theirs; so all there is to sort are the words, by numbers made of their
 * first letters. Cutting is most of the work: ASCII is cut and folded here, eight bytes at once (one by one it
 * was a sixth more instructions), everything else by words.h. Invariant: both cut and fold alike. */
#include "store/sqlite_gather.h"

#include "base/err.h"
#include "base/hash.h"
#include "store/rows.h"
#include "store/words.h"

#define TABLE_SLOTS_MIN 4096
#define BEGIN_BITS 40      // of a word's beginning that it is sorted by as a number
#define WORD_INDEX_BITS 24 // below them
#define CHUNK_BYTES 2000   // of postings that are written at once
#define ASCII 0x80

/* What is looked at each time the word comes: as little as can be, for there are more words than a cache holds. */
struct word {
    uint32_t entity; // that has it last, by number
    uint32_t last;   // of its postings; when written: the one behind them
    uint32_t n_postings;
    uint32_t n; // of its key
};

struct word_key {
    uint64_t begin; // sqlite_key_begin()
    uint32_t at;    // in keys
};

struct slot {
    uint64_t begin;
    uint32_t word; // index + 1; 0: none
    uint32_t hash;
};

/* at: slot << 4 | mask. */
struct gathered {
    uint32_t word, file, at;
};

struct text_gather {
    uint64_t seed;
    int64_t first_gen;
    uint32_t n_files, n_entities, slot;
    struct buf keys, folding;
    VEC(struct word) words;
    VEC(struct word_key) word_keys;
    VEC(struct gathered) postings;
    VEC(uint64_t) names, targets; // hash << 32 | file << SLOT_BITS | slot
    struct slot *table;           // of words
    size_t n_table;
};

struct text_gather *
sqlite_gather_create(uint64_t seed)
{
    struct text_gather *g = xnew(struct text_gather);
    g->seed = seed;
    g->n_table = TABLE_SLOTS_MIN;
    g->table = xcalloc(g->n_table, sizeof(*g->table));
    return g;
}

void
sqlite_gather_destroy(struct text_gather *g)
{
    if (!g)
        return;
    buf_finish(&g->keys);
    buf_finish(&g->folding);
    vec_finish(&g->words);
    vec_finish(&g->word_keys);
    vec_finish(&g->postings);
    vec_finish(&g->names);
    vec_finish(&g->targets);
    free(g->table);
    free(g);
}

void
sqlite_gather_begin(struct text_gather *g, int64_t first_gen)
{
    g->first_gen = first_gen;
    g->n_files = g->n_entities = 0;
    buf_reset(&g->keys);
    if (g->words.n < g->n_table / 16 &&
        g->n_table > TABLE_SLOTS_MIN) { // after a large load small steps
        g->n_table = TABLE_SLOTS_MIN;
        g->table = xreallocarray(g->table, g->n_table, sizeof(*g->table));
    }
    g->words.n = g->word_keys.n = g->postings.n = g->names.n = g->targets.n = 0;
    memset(g->table, 0, g->n_table * sizeof(*g->table));
}

void
sqlite_gather_file(struct text_gather *g)
{
    assert(g->n_files < GATHER_FILES_MAX);
    g->n_files++;
    g->slot = 0;
}

/* ---- words ---- */

static void
grow_table(struct text_gather *g)
{
    struct slot *was = g->table;
    size_t n_was = g->n_table;
    g->n_table *= 2;
    g->table = xcalloc(g->n_table, sizeof(*g->table));
    for (size_t i = 0; i < n_was; i++) {
        size_t at = was[i].hash & (g->n_table - 1);
        if (was[i].word == 0)
            continue;
        while (g->table[at].word != 0)
            at = (at + 1) & (g->n_table - 1);
        g->table[at] = was[i];
    }
    free(was);
}

/* A folded word; begin is sqlite_key_begin() of it. */
struct key {
    char p[TEXT_KEY_BYTES];
    size_t n;
    uint64_t begin;
};

/* Nearly all words are as short as that. Nobody knows the seed who could choose them. */
static inline uint32_t
hash_key(const struct text_gather *g, const struct key *key)
{
    if (key->n > TEXT_DIR_BYTES)
        return (uint32_t)hash64_seeded(str_slice(key->p, key->n), g->seed);
    return (uint32_t)((key->begin ^ key->begin >> 29) * (g->seed | 1) >> 32);
}

static uint32_t
add_new(struct text_gather *g, const struct key *key)
{
    *vec_push(&g->word_keys) =
        (struct word_key){.begin = key->begin, .at = (uint32_t)g->keys.n};
    *vec_push(&g->words) = (struct word){.n = (uint32_t)key->n};
    buf_add(&g->keys, key->p, key->n);
    return (uint32_t)g->words.n;
}

/* Its beginning is all of it, unless it is longer. */
static inline bool
is_word(const struct text_gather *g, uint32_t word, const struct key *key)
{
    return key->n < TEXT_DIR_BYTES ||
           (g->words.v[word].n == key->n &&
            memcmp(g->keys.p + g->word_keys.v[word].at, key->p, key->n) == 0);
}

static inline uint32_t
find_word(struct text_gather *g, const struct key *key)
{
    uint32_t hash = hash_key(g, key), word;
    size_t at = hash & (g->n_table - 1);
    for (; (word = g->table[at].word) != 0; at = (at + 1) & (g->n_table - 1))
        if (g->table[at].begin == key->begin && is_word(g, word - 1, key))
            return word - 1;
    word = add_new(g, key);
    g->table[at] = (struct slot){key->begin, word, hash};
    if (g->words.n > g->n_table / 2)
        grow_table(g);
    return word - 1;
}

/* Once for an entity, wherever it has the word. */
static inline void
add_key(struct text_gather *g, const struct key *key, unsigned mask)
{
    uint32_t word = find_word(g, key);
    struct word *w = &g->words.v[word];
    if (w->entity == g->n_entities) {
        g->postings.v[w->last].at |= mask;
        return;
    }
    w->entity = g->n_entities;
    w->last = (uint32_t)g->postings.n;
    w->n_postings++;
    *vec_push(&g->postings) =
        (struct gathered){word, g->n_files - 1, g->slot << 4 | mask};
}

static void
add_word(struct text_gather *g, struct str word, unsigned mask)
{
    struct key key;
    buf_reset(&g->folding);
    words_fold(&g->folding, word);
    key.n = MIN(g->folding.n, sizeof(key.p));
    memcpy(key.p, g->folding.p, key.n);
    key.begin = sqlite_key_begin(str_slice(key.p, key.n));
    add_key(g, &key, mask);
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

#define EACH(byte) ((byte)*UINT64_C(0x0101010101010101))
#define HIGH EACH(0x80)
#define SMALL EACH(0x20) // makes letters small ones, and digits what they are

/* The next eight bytes, the first one highest; behind the end: 0, which is between words. */
static inline uint64_t
load(const char *p, const char *end)
{
    uint64_t v = 0;
    if (end - p >= (ptrdiff_t)sizeof(v)) {
        memcpy(&v, p, sizeof(v));
        return be64toh(v);
    }
    for (int shift = 56; p < end; p++, shift -= 8)
        v |= (uint64_t)(unsigned char)*p << shift;
    return v;
}

/* The highest bit of each byte that is ASCII and in a word. Sums of seven bits do not reach the next byte. */
static inline uint64_t
word_bytes(uint64_t v)
{
    uint64_t seven = v & ~HIGH, small = seven | SMALL;
    uint64_t letters = (small + EACH(0x80 - 'a')) & ~(small + EACH(0x7F - 'z'));
    uint64_t digits = (seven + EACH(0x80 - '0')) & ~(seven + EACH(0x7F - '9'));
    return (letters | digits) & ~v & HIGH;
}

/* Of bytes marked by their highest bits, how many from the first on are not. */
static inline size_t
unmarked(uint64_t marks)
{
    return marks == 0 ? sizeof(marks) : (size_t)__builtin_clzll(marks) / 8;
}

/* A word that begins with the bytes of v that word_bytes() marked; to where its ASCII ends. */
static inline const char *
take_key(const char *p, const char *end, uint64_t v, uint64_t word, struct key *key)
{
    size_t n = unmarked(~word & HIGH);
    uint64_t folded = v | SMALL, bytes = htobe64(folded);
    static_assert(TEXT_DIR_BYTES == sizeof(bytes), "a key's beginning");
    memcpy(key->p, &bytes, sizeof(bytes));
    key->n = n;
    key->begin = n < sizeof(bytes) ? folded & ~(UINT64_MAX >> 8 * n) : folded;
    for (p += n; n == sizeof(bytes); p += n) {
        v = load(p, end);
        n = unmarked(~word_bytes(v) & HIGH);
        bytes = htobe64(v | SMALL);
        size_t n_kept = MIN(n, sizeof(key->p) - key->n);
        memcpy(key->p + key->n, &bytes, n_kept);
        key->n += n_kept;
    }
    return p;
}

/* To where the word ends that begins at p, or something that is not ASCII. */
static inline const char *
cut_ascii(const char *p, const char *end, struct key *key)
{
    uint64_t v = load(p, end);
    return take_key(p, end, v, word_bytes(v), key);
}

/* What words_of_name() has behind the whole, of one word. */
static void
add_parts(struct text_gather *g, struct str word)
{
    struct key key;
    size_t begin = 0;
    for (size_t i = 1; i < word.n; i++) {
        char before = word.p[i - 1], behind = i + 1 < word.n ? word.p[i + 1] : ' ';
        if (!is_upper(word.p[i]) ||
            !(is_lower(before) || (is_upper(before) && is_lower(behind))))
            continue;
        cut_ascii(word.p + begin, word.p + i, &key);
        add_key(g, &key, TEXT_IN_NAME);
        begin = i;
    }
    if (begin == 0)
        return;
    cut_ascii(word.p + begin, word.p + word.n, &key);
    add_key(g, &key, TEXT_IN_NAME);
}

/* Most words and what is before them are within eight bytes; else these are loaded again from the word on. */
static void
add_words(struct text_gather *g, struct str text, unsigned mask, bool with_parts)
{
    const char *p = text.p, *end = p + text.n;
    while (p < end) {
        struct key key;
        uint64_t v = load(p, end), word = word_bytes(v);
        size_t n_before = unmarked(word | (v & HIGH));
        if (n_before > 0) {
            if ((size_t)(end - p) <= n_before)
                return;
            p += n_before;
            if (n_before == sizeof(v))
                continue;
            v <<= 8 * n_before;
            word <<= 8 * n_before;
            if (n_before + unmarked(~word & HIGH) == sizeof(v))
                continue;
        }
        const char *begin = p;
        p = take_key(p, end, v, word, &key);
        if (p < end && (unsigned char)*p >= ASCII) {
            struct str rest = str_slice(begin, (size_t)(end - begin)), other;
            if (!words_next(&rest, &other))
                return;
            add_word(g, other, mask);
            p = rest.p;
            continue;
        }
        add_key(g, &key, mask);
        if (with_parts)
            add_parts(g, str_slice(begin, (size_t)(p - begin)));
    }
}

void
sqlite_gather_words(struct text_gather *g, struct str text, unsigned mask)
{
    add_words(g, text, mask, false);
}

void
sqlite_gather_name(struct text_gather *g, struct str name)
{
    AUTO(buf_finish) struct buf words = {0};
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < ASCII)
            continue;
        words_of_name(&words, name);
        add_words(g, buf_str(&words), TEXT_IN_NAME, false);
        return;
    }
    add_words(g, name, TEXT_IN_NAME, true);
}

void
sqlite_gather_entity(struct text_gather *g, uint32_t slot, struct str name)
{
    g->slot = slot;
    g->n_entities++;
    *vec_push(&g->names) =
        hash64(name) << 32 | (uint64_t)(g->n_files - 1) << SLOT_BITS | slot;
}

void
sqlite_gather_target(struct text_gather *g, struct str name)
{
    *vec_push(&g->targets) = hash64(name) << 32 | (uint64_t)(g->n_files - 1) << SLOT_BITS;
}

/* ---- writing ---- */

struct write {
    struct text_gather *g;
    struct sqlite_conn *c;
    struct text_out *out;
    struct buf chunk; // of a key
    int64_t gen;      // of the group before; 0: the next one is the first
};

static int
end_chunk(struct write *w, struct str key)
{
    int r = w->chunk.n > 0 ? sqlite_out_add(w->c, w->out, key, buf_str(&w->chunk)) : 0;
    buf_reset(&w->chunk);
    w->gen = 0;
    return r;
}

/* Slots of one file. */
static void
add_group(struct write *w, const struct gathered *v, size_t n)
{
    int64_t gen = w->g->first_gen + v->file;
    uint32_t slot = 0;
    buf_reserve(&w->chunk, (n + 2) * VARINT_BYTES);
    char *p = w->chunk.p + w->chunk.n;
    p = sqlite_put_varint(p, (uint64_t)(gen - w->gen) << 2 | (w->gen == 0 ? 2 : 0) |
                                 (n == 1 ? 1 : 0));
    if (n > 1)
        p = sqlite_put_varint(p, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t at = v[i].at >> 4;
        p = sqlite_put_varint(p, (at - slot) << 4 | (v[i].at & 15));
        slot = at;
    }
    *p = '\0';
    w->chunk.n = (size_t)(p - w->chunk.p);
    w->gen = gen;
}

static struct str
key_of(const struct text_gather *g, uint32_t word)
{
    return str_slice(g->keys.p + g->word_keys.v[word].at, g->words.v[word].n);
}

static int
by_key(const void *a, const void *b, void *ctx)
{
    const uint64_t *x = a, *y = b;
    uint32_t mask = (UINT32_C(1) << WORD_INDEX_BITS) - 1;
    return str_cmp(key_of(ctx, (uint32_t)*x & mask), key_of(ctx, (uint32_t)*y & mask));
}

/* Words in their order, as indexes in the low bits. */
static void
sort_words(struct text_gather *g, uint64_t *order)
{
    size_t n = g->words.n;
    for (size_t i = 0; i < n; i++)
        order[i] = g->word_keys.v[i].begin >> (64 - BEGIN_BITS) << WORD_INDEX_BITS | i;
    sqlite_sort_numbers(order, n, WORD_INDEX_BITS);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1;
             k < n && order[k] >> WORD_INDEX_BITS == order[i] >> WORD_INDEX_BITS;)
            k++;
        if (k - i > 1)
            qsort_r(order + i, k - i, sizeof(*order), by_key, g);
    }
}

/* Each word's postings side by side, in the order they came. */
static void
group_postings(struct text_gather *g, struct gathered *to)
{
    uint32_t at = 0;
    for (size_t i = 0; i < g->words.n; i++) {
        g->words.v[i].last = at;
        at += g->words.v[i].n_postings;
    }
    for (size_t i = 0; i < g->postings.n; i++)
        to[g->words.v[g->postings.v[i].word].last++] = g->postings.v[i];
}

/* A group is not cut: a file's slots may be more than CHUNK_BYTES. */
static int
write_word(struct write *w, struct str key, const struct gathered *v, size_t n)
{
    int r = 0;
    for (size_t i = 0, k; i < n && r == 0; i = k) {
        for (k = i + 1; k < n && v[k].file == v[i].file;)
            k++;
        if (w->chunk.n >= CHUNK_BYTES)
            r = end_chunk(w, key);
        add_group(w, v + i, k - i);
    }
    return r < 0 ? r : end_chunk(w, key);
}

static int
write_words(struct write *w)
{
    struct text_gather *g = w->g;
    size_t n = g->words.n;
    if (n == 0)
        return 0;
    if (n >> WORD_INDEX_BITS != 0)
        return err_trace(-E2BIG);
    AUTO(free) uint64_t *order = xreallocarray(NULL, n, sizeof(*order));
    AUTO(free)
    struct gathered *grouped = xreallocarray(NULL, g->postings.n, sizeof(*grouped));
    sort_words(g, order);
    group_postings(g, grouped);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        uint32_t at = (uint32_t)order[i] & ((UINT32_C(1) << WORD_INDEX_BITS) - 1);
        const struct word *word = &g->words.v[at];
        r = write_word(w, key_of(g, at), grouped + word->last - word->n_postings,
                       word->n_postings);
    }
    return r;
}

/* The hash of a name is the key; what is there twice is written once. */
static int
write_hashes(struct write *w, const char *mark, uint64_t *v, size_t n)
{
    struct gathered *same = xreallocarray(NULL, n + 1, sizeof(*same));
    size_t n_same = 0;
    int r = 0;
    sqlite_sort_numbers(v, n, 32);
    for (size_t i = 0; i < n && r == 0; i++) {
        uint32_t low = (uint32_t)v[i];
        if (i == 0 || v[i] != v[i - 1])
            same[n_same++] = (struct gathered){.file = low >> SLOT_BITS,
                                               .at = (low & (uint32_t)SLOT_MASK) << 4};
        if (i + 1 < n && v[i] >> 32 == v[i + 1] >> 32)
            continue;
        char key[TEXT_HASH_KEY_BYTES] = {mark[0]};
        for (int k = 0; k < 4; k++)
            key[1 + k] = (char)(v[i] >> (56 - 8 * k));
        r = write_word(w, str_slice(key, sizeof(key)), same, n_same);
        n_same = 0;
    }
    free(same);
    return r;
}

int
sqlite_gather_write(struct text_gather *g, struct sqlite_conn *c, struct text_out *out)
{
    struct write w = {.g = g, .c = c, .out = out};
    int r = write_hashes(&w, TEXT_NAME, g->names.v, g->names.n);
    if (r == 0)
        r = write_hashes(&w, TEXT_TARGET, g->targets.v, g->targets.n);
    if (r == 0)
        r = write_words(&w);
    buf_finish(&w.chunk);
    return err_trace(r);
}
