/* Reading and writing by key. Invariant: what a writer reads is the database with the transaction's
 * batch over it, what a reader reads is one snapshot; nothing is written but by commit, at once. */
#include <endian.h>
#include <poll.h>

#include "base/err.h"
#include "store/rocksdb_conn.h"

#define STEPS_BETWEEN_LOOKS 128

/* ---- errors ---- */

static bool
says(const char *error, const char *what)
{
    return strstr(error, what) != NULL;
}

/* A table that cannot be looked at is damage to RocksDB; it is, if it is not there. */
static bool
is_damage(const char *error)
{
    return str_starts_with(str_of(error), STR("Corruption")) &&
           (!says(error, "IO error") || says(error, strerror(ENOENT)));
}

/* RocksDB tells in English what happened, the kind of it first, and what errno said last. */
int
rocks_errno(char *error)
{
    int r = -EIO;
    if (!error)
        return 0;
    if (is_damage(error))
        r = -EBADMSG;
    else if (says(error, "No space left on device") || says(error, "NoSpace"))
        r = -ENOSPC;
    else if (says(error, strerror(EFBIG)))
        r = -EFBIG;
    else if (says(error, strerror(EROFS)))
        r = -EROFS;
    else if (says(error, strerror(EACCES)))
        r = -EACCES;
    else if (says(error, "lock ") || says(error, "LOCK"))
        r = -EWOULDBLOCK;
    else if (says(error, strerror(ENOENT)))
        r = -ENOENT;
    free(error);
    return r;
}

/* The same of a read. */
static int
read_errno(struct rocks_conn *c, char *error)
{
    int r = rocks_errno(error);
    c->is_damaged |= r == -EBADMSG;
    return err_trace(r);
}

/* ---- keys ---- */

void
rocks_key_add(struct rocks_key *key, int64_t id)
{
    uint64_t big = htobe64((uint64_t)id);
    assert(key->n + sizeof(big) <= sizeof(key->p));
    memcpy(key->p + key->n, &big, sizeof(big));
    key->n += sizeof(big);
}

struct rocks_key
rocks_key_id(int64_t id)
{
    struct rocks_key key = {.n = 0};
    rocks_key_add(&key, id);
    return key;
}

struct rocks_key
rocks_key_entity(int64_t entity_id)
{
    struct rocks_key key = rocks_key_id(entity_id >> SLOT_BITS);
    int64_t slot = entity_id & SLOT_MASK;
    key.p[key.n++] = (char)(slot >> 16);
    key.p[key.n++] = (char)(slot >> 8);
    key.p[key.n++] = (char)slot;
    return key;
}

struct rocks_key
rocks_key_mark(char mark, int64_t id)
{
    struct rocks_key key = {.p = {mark}, .n = 1};
    rocks_key_add(&key, id);
    return key;
}

struct rocks_key
rocks_key_content(char mark, struct hash128 content)
{
    struct rocks_key key = rocks_key_mark(mark, (int64_t)content.hi);
    rocks_key_add(&key, (int64_t)content.lo);
    return key;
}

struct str
rocks_key_str(const struct rocks_key *key)
{
    return str_slice(key->p, key->n);
}

int64_t
rocks_key_read(struct str key, size_t at)
{
    uint64_t id = 0;
    if (key.n < at + 8)
        return 0;
    for (size_t i = 0; i < 8; i++)
        id = id << 8 | (unsigned char)key.p[at + i];
    return (int64_t)id;
}

/* ---- what was made just now ---- */

void
rocks_put_fresh(struct rocks_conn *c, enum rocks_family family, struct str key,
                struct str value)
{
    struct rocks_fresh_row row = {.key_n = key.n, .value_n = value.n};
    rocks.writebatch_put_cf(c->all, c->db->families[family], key.p, key.n, value.p,
                            value.n);
    rocks.writebatch_data(c->all, &row.end);
    *vec_push(&c->fresh[family].rows) = row;
}

/* A batch is kept as the log has it: of a put last the key, the value's length as a varint, the value. */
static void
find_fresh(const struct rocks_conn *c, const struct rocks_fresh_row *row,
           struct str *ret_key, struct str *ret_value)
{
    size_t n, before = 1;
    const char *p = rocks.writebatch_data(c->all, &n) + row->end - row->value_n;
    *ret_value = str_slice(p, row->value_n);
    for (size_t left = row->value_n; left >= 0x80; left >>= 7)
        before++;
    *ret_key = str_slice(p - before - row->key_n, row->key_n);
}

/* Before this key, or those that begin with it, are read or written. */
static void
settle(struct rocks_conn *c, enum rocks_family family, struct str key)
{
    struct rocks_fresh *fresh = &c->fresh[family];
    struct str fresh_key, value;
    if (fresh->rows.n == 0)
        return;
    find_fresh(c, &fresh->rows.v[0], &fresh_key, &value);
    if (memcmp(key.p, fresh_key.p, MIN(key.n, fresh_key.n)) < 0)
        return;
    for (size_t i = 0; i < fresh->rows.n; i++) {
        find_fresh(c, &fresh->rows.v[i], &fresh_key, &value);
        rocks.writebatch_wi_put_cf(c->batch, c->db->families[family], fresh_key.p,
                                   fresh_key.n, value.p, value.n);
    }
    fresh->rows.n = 0;
}

void
rocks_batch_clear(struct rocks_conn *c)
{
    rocks.writebatch_clear(c->all);
    rocks.writebatch_wi_clear(c->batch);
    for (int i = 0; i < ROCKS_FAMILIES; i++)
        c->fresh[i].rows.n = 0;
}

/* ---- one value ---- */

static int
get_written(struct rocks_conn *c, enum rocks_family family, struct str key,
            struct arena *a, struct str *ret_value)
{
    char *error = NULL;
    size_t n = 0;
    settle(c, family, key);
    char *value = rocks.writebatch_wi_get_from_batch_and_db_cf(
        c->batch, c->db->db, c->read, c->db->families[family], key.p, key.n, &n, &error);
    if (error)
        return read_errno(c, error);
    if (!value)
        return 0;
    *ret_value = arena_str(a, str_slice(value, n));
    free(value);
    return 1;
}

int
rocks_get(struct rocks_conn *c, enum rocks_family family, struct str key, struct arena *a,
          struct str *ret_value)
{
    char *error = NULL;
    size_t n = 0;
    if (!c->db)
        return err_trace(-EIO); // it is broken, and not mended yet
    if (c->batch)
        return get_written(c, family, key, a, ret_value);
    rocksdb_pinnableslice_t *slice = rocks.get_pinned_cf(
        c->db->db, c->read, c->db->families[family], key.p, key.n, &error);
    if (error)
        return read_errno(c, error);
    if (!slice)
        return 0;
    const char *value = rocks.pinnableslice_value(slice, &n);
    *ret_value = arena_str(a, str_slice(value, n));
    rocks.pinnableslice_destroy(slice);
    return 1;
}

void
rocks_put(struct rocks_conn *c, enum rocks_family family, struct str key,
          struct str value)
{
    settle(c, family, key);
    const char *p = value.n > 0 ? value.p : "";
    rocks.writebatch_put_cf(c->all, c->db->families[family], key.p, key.n, p, value.n);
    rocks.writebatch_wi_put_cf(c->batch, c->db->families[family], key.p, key.n, p,
                               value.n);
}

void
rocks_delete(struct rocks_conn *c, enum rocks_family family, struct str key)
{
    settle(c, family, key);
    rocks.writebatch_delete_cf(c->all, c->db->families[family], key.p, key.n);
    rocks.writebatch_wi_delete_cf(c->batch, c->db->families[family], key.p, key.n);
}

/* ---- many ---- */

void
rocks_walk_open(struct rocks_walk *walk, struct rocks_conn *c, enum rocks_family family,
                struct rocks_key prefix, struct str from)
{
    *walk = (struct rocks_walk){.c = c, .prefix = prefix};
    if (!c->db)
        return;
    settle(c, family, rocks_key_str(&walk->prefix));
    rocksdb_column_family_handle_t *handle = c->db->families[family];
    walk->it = rocks.create_iterator_cf(c->db->db, c->read, handle);
    if (c->batch)
        walk->it =
            rocks.writebatch_wi_create_iterator_with_base_cf(c->batch, walk->it, handle);
    if (from.n == 0)
        from = rocks_key_str(&walk->prefix);
    rocks.iter_seek(walk->it, from.n > 0 ? from.p : "", from.n);
}

/* A look costs as much as a step or two. */
static bool
is_stopped(struct rocks_conn *c, bool is_end)
{
    struct pollfd fd = {.fd = c->stop_fd, .events = POLLIN};
    if (c->batch || (c->n_steps++ % STEPS_BETWEEN_LOOKS != 0 && !is_end))
        return false;
    return poll(&fd, 1, 0) > 0;
}

int
rocks_walk_next(struct rocks_walk *walk)
{
    if (!walk->it)
        return err_trace(-EIO);
    if (walk->is_begun)
        rocks.iter_next(walk->it);
    walk->is_begun = true;
    bool is_valid = rocks.iter_valid(walk->it);
    if (is_stopped(walk->c, !is_valid))
        return -EINTR;
    if (!is_valid) {
        char *error = NULL;
        rocks.iter_get_error(walk->it, &error);
        return read_errno(walk->c, error);
    }
    walk->key.p = rocks.iter_key(walk->it, &walk->key.n);
    walk->value.p = rocks.iter_value(walk->it, &walk->value.n);
    return str_starts_with(walk->key, rocks_key_str(&walk->prefix));
}

void
rocks_walk_close(struct rocks_walk *walk)
{
    if (walk->it)
        rocks.iter_destroy(walk->it);
    walk->it = NULL;
}
