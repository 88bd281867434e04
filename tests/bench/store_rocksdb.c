/* The bare loop for RocksDB: the keys and values of an index, put into one write batch for each commit and written
 * with a sync, as gloss does. Rows do not say of which file they are, so each commit gets its share of each family
 * in the order of keys: for families by file or seq that is the order of the load, for those by name it is kinder
 * than what gloss has to write. Settings are those that gloss left in the database. */
#include <dirent.h>
#include <rocksdb/c.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/path.h"
#include "tests/bench/store.h"

#define SCHEME "rocksdb:"
#define FAMILIES_MAX 32

struct pair {
    struct str key, value;
};

struct pairs {
    VEC(struct pair) v;
};

struct bare_rows {
    struct arena arena;
    struct pairs families[FAMILIES_MAX]; // by their number in the database
};

struct open_db {
    rocksdb_t *db;
    size_t n;
    char **names;
    rocksdb_options_t *options, **each;
    rocksdb_column_family_handle_t *families[FAMILIES_MAX];
};

static void
check(char *error)
{
    if (error)
        must(-EIO, error);
}

static void
open_db(const char *url, struct open_db *db)
{
    const char *path = url + strlen(SCHEME);
    char *error = NULL;
    rocksdb_env_t *env = rocksdb_create_default_env();
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(32u << 20);
    rocksdb_load_latest_options(path, env, false, cache, &db->options, &db->n, &db->names,
                                &db->each, &error);
    check(error);
    if (db->n > FAMILIES_MAX)
        must(-E2BIG, "families");
    db->db = rocksdb_open_column_families(
        db->options, path, (int)db->n, (const char *const *)db->names,
        (const rocksdb_options_t *const *)db->each, db->families, &error);
    check(error);
    rocksdb_cache_destroy(cache);
    rocksdb_env_destroy(env);
}

static void
close_db(struct open_db *db)
{
    for (size_t i = 0; i < db->n; i++)
        rocksdb_column_family_handle_destroy(db->families[i]);
    rocksdb_close(db->db);
    rocksdb_load_latest_options_destroy(db->options, db->names, db->each, db->n);
}

/* ---- reading ---- */

static void
read_family(const struct open_db *db, size_t i, struct bare_rows *rows)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *it = rocksdb_create_iterator_cf(db->db, options, db->families[i]);
    for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        size_t key_n, value_n;
        const char *key = rocksdb_iter_key(it, &key_n);
        const char *value = rocksdb_iter_value(it, &value_n);
        *vec_push(&rows->families[i].v) =
            (struct pair){.key = arena_str(&rows->arena, str_slice(key, key_n)),
                          .value = arena_str(&rows->arena, str_slice(value, value_n))};
    }
    rocksdb_iter_destroy(it);
    rocksdb_readoptions_destroy(options);
}

/* The default family is about the index as a whole: the new one has its own. */
static bool
is_of_files(const struct open_db *db, size_t i, bool only_entities)
{
    return strcmp(db->names[i], only_entities ? "entity" : "default") == 0
               ? only_entities
               : !only_entities;
}

static struct bare_rows *
read_rows(const char *url)
{
    struct bare_rows *rows = xnew(struct bare_rows);
    struct open_db db;
    open_db(url, &db);
    for (size_t i = 0; i < db.n; i++)
        read_family(&db, i, rows);
    close_db(&db);
    return rows;
}

static void
destroy_rows(struct bare_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < FAMILIES_MAX; i++)
        vec_finish(&rows->families[i].v);
    arena_finish(&rows->arena);
    free(rows);
}

/* ---- writing ---- */

/* The part of the n in all: from part/n_parts on to the next. */
static void
put_share(const struct open_db *db, const struct bare_rows *rows, size_t i, size_t part,
          size_t n_parts, rocksdb_writebatch_t *batch)
{
    const struct pairs *pairs = &rows->families[i];
    for (size_t k = pairs->v.n * part / n_parts; k < pairs->v.n * (part + 1) / n_parts;
         k++) {
        const struct pair *p = &pairs->v.v[k];
        rocksdb_writebatch_put_cf(batch, db->families[i], p->key.p, p->key.n, p->value.p,
                                  p->value.n);
    }
}

/* As the writer does at its end. */
static void
flush(const struct open_db *db)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *error = NULL;
    rocksdb_flushoptions_set_wait(options, 1);
    for (size_t i = 0; i < db->n && !error; i++)
        rocksdb_flush_cf(db->db, options, db->families[i], &error);
    rocksdb_flushoptions_destroy(options);
    check(error);
}

static int64_t
write_rows(const struct bare_rows *rows, const struct corpus *c, const char *url,
           bool only_entities)
{
    rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    struct open_db db;
    char *error = NULL;
    size_t n_parts = 0;
    for (size_t i = 0; i < c->files.n; i++)
        n_parts += c->ends_commit[i];
    open_db(url, &db);
    rocksdb_writeoptions_set_sync(options, 1);
    int64_t began_ns = clock_mono_ns();
    for (size_t part = 0; part < n_parts; part++) {
        rocksdb_writebatch_clear(batch);
        for (size_t i = 0; i < db.n; i++) {
            if (is_of_files(&db, i, only_entities))
                put_share(&db, rows, i, part, n_parts, batch);
        }
        rocksdb_write(db.db, options, batch, &error);
        check(error);
    }
    flush(&db);
    close_db(&db);
    int64_t ns = clock_mono_ns() - began_ns;
    rocksdb_writebatch_destroy(batch);
    rocksdb_writeoptions_destroy(options);
    return ns;
}

static void
remove_folder(const char *url)
{
    const char *path = url + strlen(SCHEME);
    DIR *dir = opendir(path);
    if (!dir)
        must(-errno, path);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        AUTO(free) char *file = path_join(path, e->d_name);
        if (e->d_name[0] != '.')
            must(unlink(file) < 0 ? -errno : 0, file);
    }
    closedir(dir);
    must(rmdir(path) < 0 ? -errno : 0, path);
    AUTO(free) char *lock = xasprintf("%s.lock", path);
    must(unlink(lock) < 0 ? -errno : 0, lock);
}

const struct bare bare_rocksdb = {
    .scheme = SCHEME,
    .read = read_rows,
    .destroy = destroy_rows,
    .write = write_rows,
    .remove = remove_folder,
};
