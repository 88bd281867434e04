/* Tests of what holds things in memory: macros, list, vec, mem, arena, map, hash. Part
 * of test_base.c. */
#include "check.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/histogram.h"
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"

/* base.h, list.h, vec.h */

struct item {
    int number;
    struct list link;
};

static void
test_macros(UNUSED void **state)
{
    char *p = xstrdup("x");
    AUTO(free) char *q = steal(p);
    assert_null(p);
    assert_string_equal(q, "x");

    struct item it = {.number = 7};
    assert_ptr_equal(container_of(&it.link, struct item, link), &it);
    assert_int_equal(ARRAY_LEN(((int[]){1, 2, 3})), 3);
    assert_int_equal(MIN(3, 2), 2);
    assert_int_equal(MAX(3, 2), 3);
}

static void
test_list(UNUSED void **state)
{
    struct list a, b;
    struct item items[5];
    list_init(&a);
    list_init(&b);
    for (int i = 0; i < 5; i++)
        items[i].number = i;
    list_splice(&a, &b);
    assert_true(list_is_empty(&a));

    list_add(&a, &items[1].link);
    list_add(&a, &items[2].link);
    list_add_first(&a, &items[0].link);
    list_add(&b, &items[3].link);
    list_add(&b, &items[4].link);
    list_splice(&a, &b);
    assert_true(list_is_empty(&b));
    assert_ptr_equal(list_first(&a, struct item, link), &items[0]);

    int n = 0;
    list_for_each (it, &a)
        assert_int_equal(list_entry(it, struct item, link)->number, n++);
    assert_int_equal(n, 5);
    for (struct list *it = a.prev; it != &a; it = it->prev)
        assert_int_equal(list_entry(it, struct item, link)->number, --n);

    list_for_each_safe (it, &a)
        if (list_entry(it, struct item, link)->number % 2)
            list_remove(it);
    n = 0;
    list_for_each (it, &a)
        assert_int_equal(list_entry(it, struct item, link)->number, 2 * n++);
    assert_int_equal(n, 3);
    assert_true(list_is_empty(&items[1].link));
}

static void
test_vec(UNUSED void **state)
{
    VEC(uint64_t) v = {0};
    for (uint64_t i = 0; i < 1000; i++)
        *vec_push(&v) = i * i;
    assert_int_equal(v.n, 1000);
    vec_reserve(&v, 5000);
    assert_true(v.cap >= 6000);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(v.v[i], i * i);
    vec_finish(&v);
    assert_null(v.v);
    assert_int_equal(v.n + v.cap, 0);
    vec_finish(&v);
}

/* mem.h */

static void
exhaust_array(void)
{
    free(xreallocarray(NULL, SIZE_MAX / 4, 8));
}

static void
exhaust_calloc(void)
{
    free(xcalloc(SIZE_MAX / 2, 3));
}

static void
exhaust_buf(void)
{
    struct buf b = {0};
    buf_add_cstr(&b, "x");
    buf_reserve(&b, SIZE_MAX - 1);
}

static void
exhaust_arena(void)
{
    struct arena a = {0};
    UNUSED void *p = arena_calloc(&a, SIZE_MAX / 2, 3);
}

static void
test_mem(UNUSED void **state)
{
    AUTO(free) char *none = xmalloc(0);
    AUTO(free) char *other = xmalloc(0);
    assert_non_null(none);
    assert_ptr_not_equal(none, other);

    AUTO(free) unsigned char *zeros = xcalloc(100, 10);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(zeros[i], 0);

    char *p = xmemdup("ab\0cd", 5);
    p = xrealloc(p, 10000);
    assert_memory_equal(p, "ab\0cd", 5);
    p = xrealloc(p, 0);
    assert_non_null(p);
    free(p);
    free(xmemdup(NULL, 0));

    assert_null(xstrdup(NULL));
    assert_null(xstrndup(NULL, 3));
    assert_heap(xstrdup(""), "");
    assert_heap(xstrndup("abc", 2), "ab");
    assert_heap(xstrndup((char[]){'a', 'b'}, 2), "ab"); // reads no terminator
    assert_heap(xstrndup("abc", 9), "abc");
    assert_heap(xasprintf("%s-%d", "a", 1), "a-1");
    struct item *it = xnew(struct item);
    assert_int_equal(it->number, 0);
    free(it);

    assert_aborts(exhaust_array);
    assert_aborts(exhaust_calloc);
    assert_aborts(exhaust_buf);
    assert_aborts(exhaust_arena);
}

/* arena.h */

static void
test_arena(UNUSED void **state)
{
    AUTO(arena_finish) struct arena a = {0};
    VEC(unsigned char *) all = {0};
    arena_reset(&a);

    for (size_t i = 0; i < 5000; i++) {
        size_t n = i % 97;
        unsigned char *p = arena_alloc(&a, n);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, (int)(i % 251), n);
        *vec_push(&all) = p;
    }
    for (size_t i = 0; i < 5000; i++) {
        for (size_t j = 0; j < i % 97; j++)
            assert_int_equal(all.v[i][j], i % 251);
        assert_true(i == 0 || all.v[i] != all.v[i - 1]);
    }
    vec_finish(&all);

    size_t before = a.total_bytes;
    assert_true(before > 200000 && before < 2000000);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_true(a.total_bytes > 0 && a.total_bytes < before);
    unsigned char *again = arena_calloc(&a, 16, 8); // over bytes that were used
    for (int i = 0; i < 128; i++)
        assert_int_equal(again[i], 0);

    arena_finish(&a);
    assert_int_equal(a.total_bytes, 0);
    arena_finish(&a);
    arena_finish(NULL);
}

static void
test_arena_large(UNUSED void **state)
{
    AUTO(arena_finish) struct arena a = {0};
    char *small = arena_alloc(&a, 16);
    memset(small, 's', 16);
    size_t used = a.used;

    char *large = arena_alloc(&a, 5000000);
    assert_int_equal((uintptr_t)large % _Alignof(max_align_t), 0);
    memset(large, 'l', 5000000);
    assert_int_equal(a.used, used); // the head keeps its room
    assert_true(a.total_bytes >= 5000000);
    char *next = arena_alloc(&a, 16);
    assert_ptr_equal(next, small + 16);
    memset(next, 'n', 16);
    assert_int_equal(small[15], 's');
    assert_int_equal(large[0], 'l');
    arena_reset(&a);
    assert_true(a.total_bytes < 100000);

    AUTO(arena_finish) struct arena first = {0};
    memset(arena_alloc(&first, 100000), 'x', 100000);
    assert_true(first.total_bytes >= 100000);
}

static void
test_arena_text(UNUSED void **state)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str s = arena_str(&a, str_slice("ab\0cdef", 5));
    assert_int_equal(s.n, 5);
    assert_memory_equal(s.p, "ab\0cd", 6);
    s = arena_str(&a, STR_NONE);
    assert_int_equal(s.n, 0);
    assert_string_equal(s.p, "");
    assert_string_equal(arena_cstr(&a, "x").p, "x");
    assert_string_equal(arena_cstr(&a, NULL).p, "");
    s = arena_printf(&a, "%0*d", 9000, 7);
    assert_int_equal(s.n, 9000);
    assert_int_equal(s.p[8999], '7');
    assert_int_equal(s.p[9000], '\0');
    for (int width = 250; width < 260; width++) { // around what takes one pass
        s = arena_printf(&a, "%0*d", width, 7);
        assert_int_equal(s.n, width);
        assert_int_equal(strlen(s.p), width);
        assert_int_equal(s.p[width - 1], '7');
    }
    struct item *it = arena_new(&a, struct item);
    assert_int_equal(it->number, 0);
}

/* map.h */

static void
test_map_small(UNUSED void **state)
{
    AUTO(map_destroy) struct map *m = map_create();
    int one = 1, two = 2;
    char key[] = "key";

    assert_null(map_get(m, STR("key")));
    assert_null(map_put(m, str_of(key), &one));
    key[0] = 'x'; // the map has its own
    assert_ptr_equal(map_get(m, STR("key")), &one);
    assert_ptr_equal(map_put(m, STR("key"), &two), &one);
    assert_int_equal(map_count(m), 1);

    assert_null(map_put(m, STR_NONE, &one));
    assert_ptr_equal(map_get(m, STR("")), &one);
    assert_null(map_put(m, str_slice("a\0b", 3), &one));
    assert_null(map_get(m, STR("a")));
    assert_null(map_get(m, str_slice("a\0c", 3)));
    assert_ptr_equal(map_remove(m, str_slice("a\0b", 3)), &one);
    assert_null(map_remove(m, str_slice("a\0b", 3)));
    assert_int_equal(map_count(m), 2);
    map_destroy(NULL);
}

static struct str
number_key(char text[32], size_t i)
{
    int n = snprintf(text, 32, "%zu", i);
    return str_slice(text, (size_t)n);
}

static void
test_map_large(UNUSED void **state)
{
    enum { N = 100000 };
    AUTO(map_destroy) struct map *m = map_create();
    AUTO(free) char *values = xcalloc(N, 1);
    char text[32];
    struct str key;
    void *value;

    for (size_t i = 0; i < N; i++)
        assert_null(map_put(m, number_key(text, i), &values[i]));
    assert_int_equal(map_count(m), N);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(map_get(m, number_key(text, i)), &values[i]);
    assert_null(map_get(m, number_key(text, N)));

    /* Walk in order, remove every other key on the way: none is missed or seen twice. */
    size_t iter = 0, seen = 0;
    while (map_next(m, &iter, &key, &value)) {
        assert_true(str_eq(key, number_key(text, seen)));
        assert_ptr_equal(value, &values[seen]);
        if (seen++ % 2)
            assert_ptr_equal(map_remove(m, key), value);
    }
    assert_int_equal(seen, N);
    assert_int_equal(map_count(m), N / 2);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(map_get(m, number_key(text, i)), i % 2 ? NULL : &values[i]);

    iter = 0;
    while (map_next(m, &iter, &key, &value))
        assert_ptr_equal(map_remove(m, key), value);
    assert_int_equal(map_count(m), 0);
    iter = 0;
    assert_false(map_next(m, &iter, &key, &value));
}

/* Keys that come and go for long: dead places must be won back, order must hold. */
static void
test_map_churn(UNUSED void **state)
{
    AUTO(map_destroy) struct map *m = map_create();
    static char values[50];
    char text[32];

    for (size_t i = 0; i < 200000; i++) {
        assert_null(map_put(m, number_key(text, i), &values[i % 50]));
        if (i >= 50)
            assert_ptr_equal(map_remove(m, number_key(text, i - 50)), &values[i % 50]);
    }
    assert_int_equal(map_count(m), 50);

    size_t iter = 0, at = 200000 - 50;
    struct str key;
    void *value;
    while (map_next(m, &iter, &key, &value))
        assert_true(str_eq(key, number_key(text, at++)));
    assert_int_equal(at, 200000);
}

/* hash.h */

static void
test_histogram(void **state UNUSED)
{
    struct histogram h = {0};
    AUTO(buf_finish) struct buf json = {0};
    assert_int_equal(histogram_percentile(&h, 0.99), 0);
    for (uint64_t us = 1; us <= 1000; us++)
        histogram_add(&h, us);
    uint64_t median = histogram_percentile(&h, 0.5), p99 = histogram_percentile(&h, 0.99);
    assert_in_range(median, 500, 500 * 9 / 8);
    assert_in_range(p99, 990, 1000);
    assert_int_equal(histogram_percentile(&h, 1), 1000);
    assert_int_equal(histogram_percentile(&h, 0), 0);
    assert_int_equal(h.sum, 500500);
    for (uint64_t value = 0; value < 8; value++) { // exact where it matters
        struct histogram one = {0};
        histogram_add(&one, value);
        histogram_add(&one, 100);
        assert_int_equal(histogram_percentile(&one, 0.5), value);
    }
    histogram_add(&h, UINT64_MAX);
    assert_true(histogram_percentile(&h, 1) == UINT64_MAX);
    h = (struct histogram){0};
    histogram_add(&h, 7);
    histogram_add_json(&json, &h);
    assert_string_equal(json.p, "{\"n\":1,\"sum\":7,\"p50\":7,\"p99\":7,\"max\":7}");
}

static void
test_hash(UNUSED void **state)
{
    /* Stored by the index, so these never change; the values are those of XXH3. */
    assert_true(hash64(STR_NONE) == UINT64_C(0x2d06800538d394c2));
    assert_true(hash64(STR("")) == hash64(STR_NONE));
    assert_true(hash64(STR("abc")) == hash64_seeded(STR("abc"), 0));
    assert_true(hash64(STR("abc")) != hash64_seeded(STR("abc"), 1));
    assert_false(hash128_eq(hash128(STR("abc")), hash128(STR("abd"))));

    char hex[HASH_HEX_BYTES];
    struct hash128 h = hash128(STR("")), back = {0};
    hash128_to_hex(h, hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
    assert_int_equal(hash128_from_hex(str_of(hex), &back), 0);
    assert_true(hash128_eq(h, back));
    assert_int_equal(hash128_from_hex(STR("99AA06D3014798D86001C324468D497F"), &back), 0);
    assert_true(hash128_eq(h, back));
    assert_int_equal(hash128_from_hex(str_slice(hex, 31), &back), -EINVAL);
    assert_int_equal(hash128_from_hex(STR_NONE, &back), -EINVAL);
    hex[31] = 'g';
    assert_int_equal(hash128_from_hex(str_of(hex), &back), -EINVAL);
    assert_true(hash128_eq(h, back));
}

static void
test_random_and_secret(UNUSED void **state)
{
    assert_heap(random_hex(0), "");
    AUTO(free) char *a = random_hex(32);
    AUTO(free) char *b = random_hex(32);
    assert_int_equal(strlen(a), 64);
    assert_int_equal(strspn(a, "0123456789abcdef"), 64);
    assert_string_not_equal(a, b);
    AUTO(free) char *many = random_hex(1000);
    for (const char *p = "0123456789abcdef"; *p; p++) // misses one in 10^55 runs
        assert_true(str_find_char(str_of(many), *p) >= 0);

    assert_true(secret_eq(str_of(a), str_of(a)));
    assert_false(secret_eq(str_of(a), str_of(b)));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    /* It takes as long wherever they differ; a comparison that stops there is thousands of times as fast. */
    enum { N = 1 << 20 };
    AUTO(free) char *long_a = xcalloc(1, N);
    AUTO(free) char *long_b = xcalloc(1, N);
    int64_t at_first_ns = INT64_MAX, at_last_ns = INT64_MAX;
    for (int i = 0; i < 40; i++) {
        size_t place = i % 2 ? 0 : N - 1;
        long_b[place] = 1;
        int64_t begin_ns = clock_mono_ns();
        assert_false(secret_eq(str_slice(long_a, N), str_slice(long_b, N)));
        int64_t took_ns = clock_mono_ns() - begin_ns;
        long_b[place] = 0;
        if (place == 0)
            at_first_ns = MIN(at_first_ns, took_ns);
        else
            at_last_ns = MIN(at_last_ns, took_ns);
    }
    assert_true(at_first_ns * 4 > at_last_ns && at_last_ns * 4 > at_first_ns);
    assert_false(secret_eq(STR("abc"), STR("xbc")));
    assert_false(secret_eq(STR("ab"), str_slice("ab\0", 3)));
    assert_false(secret_eq(STR_NONE, STR("a")));
    assert_true(secret_eq(STR_NONE, STR("")));
}
