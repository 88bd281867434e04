/* How a run of the text index lies in text_run and text_leaf. Invariant: of a run's leaves nobody knows
 * before its row in text_run is there; that has the beginning of each leaf's first key, so that a key
 * is found with the read of one leaf. What is read is checked, a damaged leaf is -EBADMSG. */
#include "store/sqlite_runs.h"

#include "base/err.h"
#include "base/hash.h"
#include "store/rows.h"

#define LEAF_BYTES 7900  // fits a page
#define ENTRY_BYTES 4000 // of postings, then the key is written again
#define BYTE_VALUES 256

/* ---- numbers ---- */

bool
sqlite_take_varint(struct str *s, uint64_t *ret_value)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s->n && i < VARINT_BYTES; i++) {
        unsigned char c = (unsigned char)s->p[i];
        v |= (uint64_t)(c & 0x7F) << (7 * i);
        if (c & 0x80)
            continue;
        *s = str_slice(s->p + i + 1, s->n - i - 1);
        *ret_value = v;
        return true;
    }
    return false;
}

static bool
are_sorted(const uint64_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (v[i - 1] > v[i])
            return false;
    return true;
}

/* By one byte after the other, the last first. */
void
sqlite_sort_numbers(uint64_t *v, size_t n, int first_bit)
{
    if (are_sorted(v, n))
        return;
    uint64_t *there = xreallocarray(NULL, n, sizeof(*there)), *from = v, *to = there;
    for (int shift = first_bit; shift < 64; shift += 8) {
        size_t at[BYTE_VALUES] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++)
            at[from[i] >> shift & 0xFF]++;
        if (at[from[0] >> shift & 0xFF] == n)
            continue;
        for (size_t i = 0; i < BYTE_VALUES; i++) {
            size_t n_here = at[i];
            at[i] = sum;
            sum += n_here;
        }
        for (size_t i = 0; i < n; i++)
            to[at[from[i] >> shift & 0xFF]++] = from[i];
        uint64_t *was = from;
        from = to;
        to = was;
    }
    if (from != v)
        memcpy(v, from, n * sizeof(*v));
    free(there);
}

static void
put_big_endian(unsigned char *p, uint64_t v, size_t n)
{
    for (size_t i = n; i > 0; i--, v >>= 8)
        p[i - 1] = (unsigned char)v;
}

void
sqlite_hash_key(const char *mark, struct str name, char ret_key[TEXT_HASH_KEY_BYTES])
{
    ret_key[0] = mark[0];
    put_big_endian((unsigned char *)ret_key + 1, (uint32_t)hash64(name), 4);
}

/* ---- writing ---- */

void
sqlite_out_init(struct text_out *out, int64_t run)
{
    *out = (struct text_out){.run = run};
}

void
sqlite_out_finish(struct text_out *out)
{
    if (!out)
        return;
    buf_finish(&out->leaf);
    buf_finish(&out->dir);
    buf_finish(&out->last);
    buf_finish(&out->key);
    buf_finish(&out->postings);
}

static int
write_leaf(struct sqlite_conn *c, struct text_out *out)
{
    sqlite3_stmt *stmt = NULL;
    if (out->leaf.n == 0)
        return 0;
    if (out->n_leaves >> TEXT_LEAF_BITS != 0)
        return err_trace(-EFBIG);
    int r = sqlite_get(c, SQL_LEAF_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, out->run << TEXT_LEAF_BITS | out->n_leaves);
    sqlite3_bind_blob64(stmt, 2, out->leaf.p, out->leaf.n, SQLITE_STATIC);
    r = sqlite_run(c, SQL_LEAF_ADD, stmt);
    out->n_leaves++;
    buf_reset(&out->leaf);
    buf_reset(&out->last);
    return r;
}

static int
write_entry(struct sqlite_conn *c, struct text_out *out)
{
    size_t shared = 0;
    if (out->postings.n == 0)
        return 0;
    if (out->leaf.n + out->key.n + out->postings.n > LEAF_BYTES) {
        int r = write_leaf(c, out);
        if (r < 0)
            return r;
    }
    if (out->leaf.n == 0) {
        unsigned char begin[TEXT_DIR_BYTES];
        put_big_endian(begin, sqlite_key_begin(buf_str(&out->key)), sizeof(begin));
        buf_add(&out->dir, begin, sizeof(begin));
    }
    while (shared < out->last.n && shared < out->key.n &&
           out->last.p[shared] == out->key.p[shared])
        shared++;
    buf_reserve(&out->leaf, 3 * VARINT_BYTES + out->key.n + out->postings.n);
    char *p = out->leaf.p + out->leaf.n;
    p = sqlite_put_varint(p, shared);
    p = sqlite_put_varint(p, out->key.n - shared);
    memcpy(p, out->key.p + shared, out->key.n - shared);
    p = sqlite_put_varint(p + out->key.n - shared, out->postings.n);
    memcpy(p, out->postings.p, out->postings.n);
    p[out->postings.n] = '\0';
    out->leaf.n = (size_t)(p - out->leaf.p) + out->postings.n;
    buf_reset(&out->postings);
    struct buf last = out->last; // the key to come is written over it
    out->last = out->key;
    out->key = last;
    return 0;
}

int
sqlite_out_add(struct sqlite_conn *c, struct text_out *out, struct str key,
               struct str postings)
{
    out->n_bytes += key.n + postings.n;
    bool is_same = out->key.n == key.n && memcmp(out->key.p, key.p, key.n) == 0;
    if (!is_same || out->postings.n + postings.n > ENTRY_BYTES) {
        int r = write_entry(c, out);
        if (r < 0)
            return r;
        buf_reset(&out->key);
        buf_add_str(&out->key, key);
    }
    buf_add_str(&out->postings, postings);
    return 0;
}

int
sqlite_out_publish(struct sqlite_conn *c, struct text_out *out, int64_t level)
{
    sqlite3_stmt *stmt = NULL;
    int r = write_entry(c, out);
    if (r == 0)
        r = write_leaf(c, out);
    if (r < 0 || out->n_leaves == 0)
        return r;
    r = sqlite_get(c, SQL_RUN_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, out->run);
    sqlite3_bind_int64(stmt, 2, level);
    sqlite3_bind_blob64(stmt, 3, out->dir.p, out->dir.n, SQLITE_STATIC);
    return sqlite_run(c, SQL_RUN_ADD, stmt);
}

/* ---- reading ---- */

void
sqlite_cursor_init(struct text_cursor *cur, int64_t run, int64_t n_leaves)
{
    *cur = (struct text_cursor){.run = run, .n_leaves = n_leaves};
}

void
sqlite_cursor_finish(struct text_cursor *cur)
{
    if (cur)
        buf_finish(&cur->data);
}

/* The last leaf that begins before the key: it may also be at that one's end. */
void
sqlite_cursor_seek(struct text_cursor *cur, struct str dir, struct str key)
{
    uint64_t begin = sqlite_key_begin(key);
    size_t low = 0, high = dir.n / TEXT_DIR_BYTES;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct str at = str_slice(dir.p + middle * TEXT_DIR_BYTES, TEXT_DIR_BYTES);
        if (sqlite_key_begin(at) < begin)
            low = middle + 1;
        else
            high = middle;
    }
    cur->leaf = low > 0 ? (int64_t)low - 1 : 0;
    cur->rest = STR_NONE;
}

static int
read_leaf(struct sqlite_conn *c, struct text_cursor *cur)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_LEAF_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, cur->run << TEXT_LEAF_BITS | cur->leaf);
    r = sqlite_step(c, stmt);
    buf_reset(&cur->data);
    if (r > 0) {
        const void *p = sqlite3_column_blob(stmt, 0);
        int n = sqlite3_column_bytes(stmt, 0);
        if (p && n > 0)
            buf_add(&cur->data, p, (size_t)n);
    }
    sqlite_put(c, SQL_LEAF_GET, stmt);
    if (r < 0)
        return r;
    cur->leaf++;
    cur->rest = buf_str(&cur->data);
    return cur->rest.n > 0 ? 0 : err_trace(-EBADMSG);
}

/* 1 there is an entry. */
static int
fill(struct sqlite_conn *c, struct text_cursor *cur)
{
    if (cur->rest.n > 0)
        return 1;
    if (cur->leaf >= cur->n_leaves)
        return 0;
    cur->key_n = 0;
    int r = read_leaf(c, cur);
    return r < 0 ? r : 1;
}

static inline bool
take_small(struct str *s, uint64_t *ret_value)
{
    if (s->n == 0 || (unsigned char)s->p[0] & 0x80)
        return sqlite_take_varint(s, ret_value);
    *ret_value = (unsigned char)s->p[0];
    *s = str_slice(s->p + 1, s->n - 1);
    return true;
}

/* What a key does not share with the one before: *ret_rest. Its first bytes are still to be written. */
static int
take_entry(struct text_cursor *cur, size_t *ret_shared, struct str *ret_rest)
{
    uint64_t shared, n, n_postings;
    struct str s = cur->rest;
    if (!take_small(&s, &shared) || !take_small(&s, &n) || shared > cur->key_n ||
        n > TEXT_KEY_BYTES - shared || n > s.n)
        return err_trace(-EBADMSG);
    *ret_shared = shared;
    *ret_rest = str_slice(s.p, n);
    s = str_slice(s.p + n, s.n - n);
    if (!take_small(&s, &n_postings) || n_postings > s.n)
        return err_trace(-EBADMSG);
    cur->key_n = shared + n;
    cur->postings = str_slice(s.p, n_postings);
    cur->rest = str_slice(s.p + n_postings, s.n - n_postings);
    return 0;
}

static void
write_key(struct text_cursor *cur, size_t shared, struct str rest)
{
    if (rest.n > 0)
        memcpy(cur->key + shared, rest.p, rest.n);
    cur->begin = sqlite_key_begin(str_slice(cur->key, cur->key_n));
}

int
sqlite_cursor_next(struct sqlite_conn *c, struct text_cursor *cur)
{
    size_t shared;
    struct str rest;
    int r = fill(c, cur);
    if (r > 0)
        r = take_entry(cur, &shared, &rest) < 0 ? -EBADMSG : 1;
    if (r > 0)
        write_key(cur, shared, rest);
    return r;
}

static size_t
shared_bytes(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* While keys are less than the one that is looked for, one that shares more with its neighbour than that has
 * with the wanted one is less as well: most are passed with a look at one number. */
int
sqlite_cursor_find(struct sqlite_conn *c, struct text_cursor *cur, struct str key)
{
    size_t match = 0, shared;
    struct str rest;
    for (;;) {
        int r = fill(c, cur);
        if (r <= 0)
            return r;
        r = take_entry(cur, &shared, &rest);
        if (r < 0)
            return r;
        if (shared > match)
            continue;
        struct str wanted = str_slice(key.p + shared, key.n - shared);
        match = shared + shared_bytes(rest, wanted);
        if (str_cmp(rest, wanted) < 0)
            continue;
        memcpy(cur->key, key.p, shared);
        write_key(cur, shared, rest);
        return 1;
    }
}

static bool
next_group(struct text_postings *p)
{
    uint64_t head;
    if (!sqlite_take_varint(&p->rest, &head))
        return false;
    p->gen = (int64_t)((head >> 2) + (head & 2 ? 0 : (uint64_t)p->gen));
    p->n_slots = 1;
    p->slot = 0;
    return head & 1 || sqlite_take_varint(&p->rest, &p->n_slots);
}

int
sqlite_postings_next(struct text_postings *p, struct text_posting *ret_posting)
{
    uint64_t v;
    if (p->n_slots == 0) {
        if (p->rest.n == 0)
            return 0;
        if (!next_group(p) || p->n_slots == 0)
            return err_trace(-EBADMSG);
    }
    if (!sqlite_take_varint(&p->rest, &v) || v >> 4 > (uint64_t)SLOT_MASK - p->slot)
        return err_trace(-EBADMSG);
    p->slot += (uint32_t)(v >> 4);
    p->n_slots--;
    *ret_posting = (struct text_posting){p->gen, p->slot, (unsigned)(v & 15)};
    return 1;
}
