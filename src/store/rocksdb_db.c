/* The database as a whole: how it is set up, opened, and closed. A process has it once (rt/shared.h),
 * writer and readers together; a reader of another process' index opens one that cannot write. What it
 * opens must not lose a log between the list of tables and the list of logs: own_open() looks twice. */
#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "store/mem.h"
#include "store/rocksdb_store.h"

#define MEMTABLE_BYTES (16 << 20)  // of one family
#define MEMTABLES_BYTES (64 << 20) // of all
#define LOG_BYTES_MAX (64 << 20)   // then the oldest memtable is written
#define CACHE_BYTES (32 << 20)
#define BLOCK_BYTES (8 << 10)
#define BLOOM_BITS 10
#define FILES_OPEN_MAX 256
#define OWN_TRIES_MS 30000 // who reads may get no processor while another process writes
#define OWN_WAIT_MS 5
#define LEVEL_ERROR 3 // of RocksDB's own log
#define LEVEL_FATAL 4

static const char *const names[ROCKS_FAMILIES] = {
    [ROCKS_META] = "default", [ROCKS_FILE] = "file",     [ROCKS_COUNT] = "count",
    [ROCKS_LOOK] = "look",    [ROCKS_ENTITY] = "entity", [ROCKS_EDGE] = "edge",
    [ROCKS_HOVER] = "hover",  [ROCKS_PAST] = "past",     [ROCKS_EVENT] = "event",
    [ROCKS_NAME] = "name",    [ROCKS_WORD] = "word",
};

static rocksdb_options_t *
options_create(bool is_own)
{
    rocksdb_options_t *o = rocks.options_create();
    rocksdb_block_based_table_options_t *table = rocks.block_based_options_create();
    rocksdb_cache_t *cache = rocks.cache_create_lru(CACHE_BYTES);
    rocks.options_set_create_if_missing(o, !is_own);
    rocks.options_set_create_missing_column_families(o, !is_own);
    rocks.options_set_paranoid_checks(o, 1);
    rocks.options_set_info_log_level(o, is_own ? LEVEL_FATAL : LEVEL_ERROR);
    rocks.options_set_keep_log_file_num(o, 2);
    rocks.options_set_stats_dump_period_sec(o, 0);
    rocks.options_set_write_buffer_size(o, MEMTABLE_BYTES);
    rocks.options_set_db_write_buffer_size(o, MEMTABLES_BYTES);
    rocks.options_set_max_total_wal_size(o, LOG_BYTES_MAX);
    rocks.options_set_level_compaction_dynamic_level_bytes(o, 1);
    rocks.options_set_compression(o, rocksdb_lz4_compression);
    /* Its tables may be deleted by whom they belong to: all are opened at once. */
    rocks.options_set_max_open_files(o, is_own ? -1 : FILES_OPEN_MAX);
    rocks.block_based_options_set_block_cache(table, cache);
    rocks.block_based_options_set_block_size(table, BLOCK_BYTES);
    rocks.block_based_options_set_filter_policy(
        table, rocks.filterpolicy_create_bloom_full(BLOOM_BITS));
    rocks.options_set_block_based_table_factory(o, table);
    rocks.block_based_options_destroy(table);
    rocks.cache_destroy(cache);
    return o;
}

/* ---- RocksDB's own log ---- */

/* Nobody reads it, and it cannot be turned off. Where the library was built with its assertions (Debian's
 * is) it ends the program when a line cannot be written: not on the disk of the index, then, which may be full, but in
 * memory, and without a name once it is open. Who is killed before leaves it to the next one. NULL: there is no such
 * place, and it is in the folder. */
static struct mem_place *
log_place_make(rocksdb_options_t *o)
{
    AUTO(free) char *base = mem_base_of_user(), *name = random_hex(16);
    struct mem_place *place = NULL;
    if (!base)
        return NULL;
    mem_sweep(base);
    if (mem_place_make(base, name, &place) == 0)
        rocks.options_set_db_log_dir(o, place->dir);
    return place;
}

static int
db_open(const char *real, bool is_own, struct rocks_db **ret_db)
{
    rocksdb_options_t *o = options_create(is_own);
    struct mem_place *log_place = log_place_make(o);
    const rocksdb_options_t *each[ROCKS_FAMILIES];
    struct rocks_db *db = xnew(struct rocks_db);
    char *error = NULL;
    for (int i = 0; i < ROCKS_FAMILIES; i++)
        each[i] = o;
    if (is_own)
        db->db = rocks.open_for_read_only_column_families(o, real, ROCKS_FAMILIES, names,
                                                          each, db->families, 0, &error);
    else
        db->db = rocks.open_column_families(o, real, ROCKS_FAMILIES, names, each,
                                            db->families, &error);
    rocks.options_destroy(o);
    mem_place_remove(log_place); // what is open stays until it is closed
    int r = rocks_errno(error);
    if (r < 0)
        free(db);
    else
        *ret_db = db;
    return err_trace(r);
}

void
rocks_db_close(void *thing)
{
    struct rocks_db *db = thing;
    if (!db)
        return;
    for (int i = 0; i < ROCKS_FAMILIES; i++)
        rocks.column_family_handle_destroy(db->families[i]);
    rocks.close(db->db);
    free(db);
}

static int
open_shared(void *ctx UNUSED, const char *real, void **ret_thing)
{
    struct rocks_db *db = NULL;
    int r = db_open(real, false, &db);
    *ret_thing = db;
    return r;
}

int
rocks_db_take(const char *real, struct shared **ret_shared)
{
    return shared_take(real, open_shared, rocks_db_close, NULL, ret_shared);
}

/* ---- whose is it? ---- */

bool
rocks_db_is_there(const char *real)
{
    char *current = path_join(real, "CURRENT");
    bool is = fs_exists(current);
    free(current);
    return is;
}

bool
rocks_db_has_rows(const char *real)
{
    bool has = false;
    DIR *dir = opendir(real);
    if (!dir)
        return false;
    for (struct dirent *e = readdir(dir); e && !has; e = readdir(dir)) {
        struct str name = str_of(e->d_name);
        struct stat st;
        has = str_ends_with(name, STR(".sst")) ||
              (str_ends_with(name, STR(".log")) &&
               fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && st.st_size > 0);
    }
    closedir(dir);
    return has;
}

int
rocks_db_look(const char *real, enum rocks_whose *ret_whose)
{
    rocksdb_options_t *o = rocks.options_create();
    char *error = NULL;
    size_t n = 0, n_ours = 0;
    char **list = rocks.list_column_families(o, real, &n, &error);
    rocks.options_destroy(o);
    if (error) { // a list is there all the same
        rocks.list_column_families_destroy(list, n);
        return err_trace(rocks_errno(error));
    }
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < ROCKS_FAMILIES; k++)
            n_ours += strcmp(list[i], names[k]) == 0;
    }
    *ret_whose = n_ours == n && n == ROCKS_FAMILIES ? ROCKS_OURS
                 : n_ours == n                      ? ROCKS_BEGUN
                                                    : ROCKS_SOMEBODYS;
    rocks.list_column_families_destroy(list, n);
    return 0;
}

/* ---- a reader's own ---- */

struct listing {
    uint64_t sum; // of names and sizes of what a commit writes to
    int64_t first_log;
    uint64_t size_bytes; // of all
};

static int
list_folder(const char *real, struct listing *ret_listing)
{
    struct listing listing = {.first_log = INT64_MAX};
    DIR *dir = opendir(real);
    if (!dir)
        return err_trace(-errno);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        struct str name = str_of(e->d_name);
        struct stat st;
        int64_t number = 0;
        if (fstatat(dirfd(dir), e->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
            continue;
        listing.size_bytes += (uint64_t)st.st_size;
        bool is_log = str_ends_with(name, STR(".log")) &&
                      str_to_i64(str_slice(name.p, name.n - 4), &number) == 0;
        if (is_log)
            listing.first_log = MIN(listing.first_log, number);
        if (is_log || str_starts_with(name, STR("MANIFEST-")))
            listing.sum += hash64_seeded(name, (uint64_t)st.st_size);
    }
    closedir(dir);
    *ret_listing = listing;
    return 0;
}

int
rocks_db_size(const char *real, uint64_t *ret_size_bytes)
{
    struct listing listing;
    int r = list_folder(real, &listing);
    if (r == 0)
        *ret_size_bytes = listing.size_bytes;
    return r;
}

bool
rocks_db_has_changed(const char *real, uint64_t signature)
{
    struct listing listing;
    return list_folder(real, &listing) < 0 || listing.sum != signature;
}

int
rocks_db_open_own(const char *real, struct rocks_db **ret_db, uint64_t *ret_signature)
{
    static const struct timespec wait = {.tv_nsec = OWN_WAIT_MS * 1000000L};
    struct listing before, after;
    int64_t end_ms = clock_mono_ms() + OWN_TRIES_MS;
    int r = -EBUSY;
    for (int i = 0; r == -EBUSY && (i == 0 || clock_mono_ms() < end_ms); i++) {
        if (i > 0)
            nanosleep(&wait, NULL);
        if (!rocks_db_is_there(real))
            return -ENOENT;
        r = list_folder(real, &before);
        if (r < 0)
            return err_trace(r);
        r = db_open(real, true, ret_db);
        bool is_open = r == 0;
        int e = list_folder(real, &after);
        if (is_open && e == 0 && after.first_log == before.first_log) {
            *ret_signature = before.sum;
            return 0;
        }
        if (is_open)
            rocks_db_close(steal(*ret_db));
        if (e < 0)
            return err_trace(e);
        if (is_open || after.sum != before.sum)
            r = -EBUSY; // a file went meanwhile: nothing is damaged
    }
    return err_trace(r == -ENOENT ? -EBADMSG : r);
}
