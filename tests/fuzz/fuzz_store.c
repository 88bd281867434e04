/* What an index has in its own formats, in which a bit may flip: a leaf of the text index, and the edges of
 * a file. Whatever stands there is an answer or -EBADMSG. */
#include "fuzz.h"
#include "store/rows.h"
#include "store/sqlite_runs.h"

void
fuzz_init(void)
{
}

static void
read_postings(struct str postings, struct str input)
{
    struct text_postings p = {.rest = postings};
    struct text_posting posting;
    size_t n = 0;
    int r;
    fuzz_check_view(postings, input);
    while ((r = sqlite_postings_next(&p, &posting)) > 0) {
        fuzz_check(posting.slot <= SLOT_MASK && posting.mask < TEXT_MASKS);
        fuzz_check(++n <= postings.n); // a byte at least for each
    }
    fuzz_check(r == 0 || r == -EBADMSG);
}

#define KEYS_MAX 64

/* Where keys ascend, one is found where it stands first; elsewhere, what is found is not less. */
static void
find_key(struct str input, const struct text_cursor *at, bool is_ascending)
{
    struct text_cursor cur = {.rest = input};
    struct str key = str_slice(at->key, at->key_n);
    int r = sqlite_cursor_find(NULL, &cur, key);
    if (r > 0) {
        fuzz_check(str_cmp(str_slice(cur.key, cur.key_n), key) >= 0);
        fuzz_check_view(cur.postings, input);
    }
    if (is_ascending)
        fuzz_check(r == 1 && str_eq(str_slice(cur.key, cur.key_n), key) &&
                   cur.postings.p <= at->postings.p);
}

/* As the last leaf of its run, so that nothing is read behind it. */
static void
read_leaf(struct str input)
{
    struct text_cursor cur = {.rest = input}, last = {.key_n = 0};
    bool is_ascending = true;
    size_t n = 0;
    int r;
    while ((r = sqlite_cursor_next(NULL, &cur)) > 0) {
        fuzz_check(cur.key_n <= TEXT_KEY_BYTES);
        fuzz_check(cur.begin == sqlite_key_begin(str_slice(cur.key, cur.key_n)));
        fuzz_check(++n <= input.n);
        read_postings(cur.postings, input);
        is_ascending = is_ascending && str_cmp(str_slice(last.key, last.key_n),
                                               str_slice(cur.key, cur.key_n)) <= 0;
        if (n <= KEYS_MAX)
            find_key(input, &cur, is_ascending);
        last = cur;
    }
    fuzz_check(r == 0 || r == -EBADMSG);
}

static void
read_edges(struct str input)
{
    AUTO(arena_finish) struct arena a = {0};
    struct edges edges;
    struct edge_group group;
    struct position at;
    int64_t slot;
    int r = edges_open(input, &edges);
    while (r == 0 && (r = edges_next(&edges, &a, &group)) > 0) {
        fuzz_check(group.kind < EDGE_KIND_COUNT);
        while ((r = edges_next_place(&group.places, &slot, &at)) > 0)
            fuzz_check(slot >= -1 && slot <= SLOT_MASK);
    }
    fuzz_check(r == 0 || r == -EBADMSG);
}

static int
by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

#define NUMBERS_MAX 512

/* Any numbers come back as they were, and are sorted as qsort() does it. */
static void
read_numbers(struct str input)
{
    uint64_t v[NUMBERS_MAX], wanted[NUMBERS_MAX];
    size_t n = MIN(input.n / sizeof(*v), (size_t)NUMBERS_MAX);
    for (size_t i = 0; i < n; i++) {
        char text[VARINT_BYTES];
        uint64_t back = 0;
        memcpy(&v[i], input.p + i * sizeof(*v), sizeof(*v));
        struct str s = str_slice(text, (size_t)(sqlite_put_varint(text, v[i]) - text));
        fuzz_check(sqlite_take_varint(&s, &back) && back == v[i] && s.n == 0);
    }
    memcpy(wanted, v, n * sizeof(*v));
    if (n > 0)
        qsort(wanted, n, sizeof(*wanted), by_number);
    sqlite_sort_numbers(v, n, 0);
    fuzz_check(memcmp(v, wanted, n * sizeof(*v)) == 0);
}

void
fuzz_one(struct str input)
{
    read_leaf(input);
    read_postings(input, input);
    read_edges(input);
    read_numbers(input);
}
