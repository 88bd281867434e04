/* Opening for writing: the lock against a second engine, whose folder it is, damage, and what a new index
 * begins with. Only a folder with our lock file beside it is ever set aside as damaged. Invariant:
 * whoever holds PATH.lock is the only one to write; RocksDB's own lock would also refuse another one,
 * but not say so before it has looked at the log. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "store/rocksdb_store.h"

#define LOG_BYTES_IDLE (16 << 20) // then memtables are written when nothing else is to do
#define LOG_BYTES_CLOSE (1 << 20) // less is read again at the next start
#define SCHEMA_OF_WORDS 7 // before it text was cut into other words: it is made anew
#define LAND_TRIES 20     // views are short
#define LAND_WAIT_MS 10

static int
explain(char **ret_why, int r, const char *path, const char *what)
{
    if (ret_why && !*ret_why)
        *ret_why = xasprintf("%s: %s", path, what);
    return r;
}

static char *
lock_path(const struct rocks_writer *w)
{
    size_t n = strlen(w->path);
    while (n > 1 && w->path[n - 1] == '/')
        n--;
    return xasprintf("%.*s.lock", (int)n, w->path);
}

/* *ret_was_there: some gloss wrote here before. */
static int
take_lock(struct rocks_writer *w, bool *ret_was_there, char **ret_why)
{
    char *lock = lock_path(w);
    int r = 0;
    *ret_was_there = fs_exists(lock);
    w->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (w->lock_fd < 0)
        r = explain(ret_why, -errno, lock, strerror(errno));
    else if (flock(w->lock_fd, LOCK_EX | LOCK_NB) < 0)
        r = explain(ret_why, errno == EWOULDBLOCK ? -EWOULDBLOCK : -errno, w->path,
                    errno == EWOULDBLOCK ? "another engine holds this index"
                                         : strerror(errno));
    free(lock);
    return err_trace(r);
}

/* 1 nothing in it, or it is not there. */
static int
is_empty_folder(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 1 : -errno;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return n == 0;
}

/* Before anything is made beside it. */
static int
check_target(const char *path, char **ret_why)
{
    int r = is_empty_folder(path);
    if (r == -ENOTDIR)
        return explain(ret_why, r, path, "is no folder");
    return r < 0 ? explain(ret_why, r, path, strerror(-r)) : 0;
}

/* Whose folder is it? A stranger's database is not even opened. */
static int
check_owner(struct rocks_writer *w, bool was_ours, char **ret_why)
{
    enum rocks_whose whose = ROCKS_OURS;
    int r = is_empty_folder(w->path);
    if (r != 0)
        return MIN(r, 0);
    bool has_rows = rocks_db_has_rows(w->path);
    if (!rocks_db_is_there(w->path)) {
        if (!was_ours)
            return explain(ret_why, -EPROTONOSUPPORT, w->path,
                           "is a folder of something else");
        return has_rows ? err_trace(-EBADMSG) : 0; // or RocksDB would begin anew in it
    }
    r = rocks_db_look(w->path, &whose);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    if (whose == ROCKS_BEGUN && was_ours && has_rows)
        return err_trace(-EBADMSG);
    if (whose == ROCKS_SOMEBODYS)
        return explain(ret_why, -EPROTONOSUPPORT, w->path,
                       was_ours ? "was written by a newer gloss"
                                : "is a database of another program");
    return whose == ROCKS_BEGUN && !was_ours
               ? explain(ret_why, -EPROTONOSUPPORT, w->path, "is no index of gloss")
               : 0;
}

/* Of which tree, and of which schema? *ret_version is 0 for a new one. */
static int
check_meta(struct rocks_writer *w, int64_t *ret_version, char **ret_why)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str root = STR_NONE;
    int r = table_meta_int(&w->c.t, "schema", ret_version);
    if (r == 0 && *ret_version < 0)
        r = err_trace(-EBADMSG);
    if (r < 0)
        return r;
    if (*ret_version > STORE_SCHEMA_VERSION)
        return explain(ret_why, -EPROTONOSUPPORT, w->path,
                       "was written by a newer gloss");
    if (*ret_version == 0 || !w->root)
        return 0;
    r = rocks_reads.meta_get(&w->c.t, "root", &a, &root);
    if (r == -ENOENT || (r == 0 && str_eq_c(root, w->root)))
        return 0;
    if (r < 0)
        return r;
    char *what =
        xasprintf("is the index of %.*s; choose another --db", (int)root.n, root.p);
    r = explain(ret_why, -EPROTONOSUPPORT, w->path, what);
    free(what);
    return r;
}

static bool
is_doubted(const struct rocks_writer *w)
{
    AUTO(free) char *doubt = xasprintf("%s" ROCKS_DOUBT, w->real);
    return fs_exists(doubt);
}

/* All of it is read only after a stop that was not clean, or when somebody met damage. */
static int
check_damage(struct rocks_writer *w)
{
    static const struct rocks_key any;
    struct rocks_conn *c = &w->c;
    int64_t clean = 0;
    int r = table_meta_int(&c->t, "clean_shutdown", &clean);
    if (r < 0 || (clean == 1 && !is_doubted(w)))
        return r;
    rocks.readoptions_set_fill_cache(c->read, 0);
    for (int i = 0; i < ROCKS_FAMILIES && r == 0; i++) {
        struct rocks_walk walk;
        rocks_walk_open(&walk, c, (enum rocks_family)i, any, STR_NONE);
        while ((r = rocks_walk_next(&walk)) > 0) {
        }
        rocks_walk_close(&walk);
    }
    rocks.readoptions_set_fill_cache(c->read, 1);
    return err_trace(r);
}

/* What RocksDB takes for whole may have rows that make no sense. */
static int
check_rows(struct rocks_writer *w)
{
    struct store_reader *reader = NULL;
    if (!is_doubted(w))
        return 0;
    int r = rocks_reader_open(w->path, &reader, NULL);
    if (r == 0)
        r = reader_check(reader);
    store_reader_close(reader);
    return err_trace(r);
}

static void
dispel_doubt(const struct rocks_writer *w)
{
    AUTO(free) char *doubt = xasprintf("%s" ROCKS_DOUBT, w->real);
    unlink(doubt);
}

/* What it is, and a note that from here on a stop is not clean, in one transaction. */
static int
prepare(struct rocks_writer *w, int64_t version)
{
    struct tables *t = &w->c.t;
    char schema[16];
    int r = rocks_writes.begin(t);
    if (r < 0)
        return r;
    snprintf(schema, sizeof(schema), "%d", STORE_SCHEMA_VERSION);
    rocks_writes.meta_put(t, "schema", str_of(schema));
    if (version > 0 && (version < SCHEMA_OF_WORDS || is_doubted(w)))
        rocks_writes.meta_put(t, "text_dead", STR("1000000000"));
    if (version == 0) {
        char *epoch = random_hex(16);
        rocks_writes.meta_put(t, "epoch", str_of(epoch));
        free(epoch);
    }
    if (w->root)
        rocks_writes.meta_put(t, "root", str_of(w->root));
    rocks_writes.meta_put(t, "clean_shutdown", STR("0"));
    r = rocks_writes.commit(t);
    if (r < 0)
        rocks_writes.rollback(t);
    return err_trace(r);
}

static int
attach(struct rocks_writer *w)
{
    int r = rocks_db_take(w->real, &w->shared);
    if (r == 0)
        w->c.db = shared_thing(w->shared);
    return r;
}

static void
detach(struct rocks_writer *w)
{
    w->c.db = NULL;
    shared_drop(steal(w->shared));
}

static int
open_database(struct rocks_writer *w, bool was_ours, struct store_info *ret_info,
              char **ret_why)
{
    int64_t version = 0;
    int r = check_owner(w, was_ours, ret_why);
    if (r == 0)
        r = fs_mkdir_p(w->path, 0700);
    if (r == 0)
        r = fs_real_path(w->path, &w->real);
    if (r == 0)
        r = attach(w);
    if (r == -ENOENT)
        r = -EBADMSG; // a table or a log of it is gone
    if (r == 0)
        r = check_meta(w, &version, ret_why);
    if (r == 0 && version > 0)
        r = check_damage(w);
    if (r == 0 && version == STORE_SCHEMA_VERSION)
        r = check_rows(w); // before anything is written to what may be set aside
    if (r == 0)
        r = prepare(w, version);
    if (r == 0 && version < STORE_SCHEMA_VERSION)
        r = check_rows(w);
    if (r == 0)
        r = table_writer_load(&w->w, ret_info);
    if (r < 0)
        return explain(ret_why, err_trace(r), w->path,
                       r == -EWOULDBLOCK ? "another engine holds this index"
                                         : err_text(r));
    dispel_doubt(w);
    ret_info->is_new = version == 0;
    return 0;
}

/* Of no folder that is there, whatever the clock says. */
static char *
aside_path(const char *path)
{
    int64_t ms = clock_wall_ms();
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    char *to = xasprintf("%.*s.damaged-%" PRId64, (int)n, path, ms);
    while (fs_exists(to)) {
        free(to);
        to = xasprintf("%.*s.damaged-%" PRId64, (int)n, path, ++ms);
    }
    return to;
}

/* Out of the way, not away: somebody may want to look at it. */
static int
set_aside(struct rocks_writer *w)
{
    AUTO(free) char *to = aside_path(w->path);
    AUTO(free) char *doubt = xasprintf("%s" ROCKS_DOUBT, w->real ? w->real : w->path);
    int r = rename(w->path, to) < 0 && errno != ENOENT ? -errno : 0;
    if (r == 0)
        unlink(doubt);
    free(steal(w->real));
    return err_trace(r);
}

static void
writer_free(struct rocks_writer *w)
{
    detach(w);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    rocks.writebatch_destroy(w->c.all);
    rocks.writebatch_wi_destroy(w->c.batch);
    for (int i = 0; i < ROCKS_FAMILIES; i++)
        vec_finish(&w->c.fresh[i].rows);
    rocks.readoptions_destroy(w->c.read);
    table_writer_finish(&w->w);
    free(w->path);
    free(w->real);
    free(w->root);
    free(w);
}

static const struct store_writer_ops writer_ops = {
    .close = rocks_writer_close,
    .index_text = rocks_index_text,
    .checkpoint = rocks_checkpoint,
    .gauges = rocks_gauges,
    .each_letter = rocks_each_letter,
    .put_letter = rocks_put_letter,
    .drop_letter = rocks_drop_letter,
    .each_job = rocks_each_job,
    .put_job = rocks_put_job,
    .drop_job = rocks_drop_job,
};

static struct rocks_writer *
writer_new(const char *path, const char *root)
{
    struct rocks_writer *w = xnew(struct rocks_writer);
    w->c.t.reads = &rocks_reads;
    w->c.stop_fd = -1;
    w->c.read = rocks.readoptions_create();
    w->c.all = rocks.writebatch_create();
    w->c.batch = rocks.writebatch_wi_create(0, 1);
    table_writer_init(&w->w, &writer_ops, &rocks_writes, &w->c.t);
    w->path = xstrdup(path);
    w->root = root ? xstrdup(root) : NULL;
    w->lock_fd = -1;
    return w;
}

/* With the lock held. */
static int
open_or_replace(struct rocks_writer *w, bool was_ours, struct store_info *info,
                char **ret_why)
{
    int r = open_database(w, was_ours, info, ret_why);
    if ((r == -EBADMSG || r == -EPROTONOSUPPORT) && !was_ours) {
        char *lock = lock_path(w);
        unlink(lock); // leave somebody else's folder as it was found
        free(lock);
        if (r == -EBADMSG) {
            free(steal(*ret_why));
            r = explain(ret_why, -EPROTONOSUPPORT, w->path, "is no index of gloss");
        }
    } else if (r == -EBADMSG) {
        if (w->shared)
            shared_retire(w->shared);
        detach(w);
        free(steal(*ret_why));
        w->w.now = w->w.committed = (struct table_counters){0};
        rocks_writes.rollback(&w->c.t);
        r = set_aside(w);
        if (r == 0)
            r = open_database(w, true, info, ret_why);
        w->c.is_damaged = false;
        info->was_damaged = r == 0;
    }
    return r;
}

int
rocks_writer_open(const char *path, const char *root, struct store_writer **ret_writer,
                  struct store_info *ret_info, char **ret_why)
{
    struct store_info info = {0};
    char *why = NULL;
    bool was_ours = false;
    int r = rocks_lib_load(ret_why);
    if (r == 0)
        r = check_target(path, ret_why);
    if (r < 0)
        return err_trace(r);
    char *dir = str_dup(path_dirname(str_of(path)));
    r = fs_mkdir_p(dir, 0700);
    free(dir);
    if (r < 0)
        return explain(ret_why, err_trace(r), path, err_text(r));
    struct rocks_writer *w = writer_new(path, root);
    r = take_lock(w, &was_ours, &why);
    if (r == 0)
        r = open_or_replace(w, was_ours, &info, &why);
    if (r < 0) {
        if (ret_why)
            *ret_why = steal(why);
        free(why);
        writer_free(w);
        return err_trace(r);
    }
    free(why);
    *ret_writer = &w->w.base;
    *ret_info = info;
    return 0;
}

/* ---- later ---- */

/* The batch that failed may be on the disk all the same: then it counts, and its seqs are given. */
int
rocks_mend(struct rocks_writer *w)
{
    struct store_info info;
    if (!w->is_broken)
        return 0;
    if (w->shared)
        shared_retire(w->shared);
    detach(w);
    int r = attach(w);
    if (r < 0)
        return r == -EWOULDBLOCK ? -EBUSY : err_trace(r);
    w->is_broken = false;
    w->c.is_told_known = w->c.may_have_told = false;
    w->log_bytes = 0;
    return err_trace(table_writer_load(&w->w, &info));
}

bool
rocks_has_landed(struct rocks_writer *w, int64_t head)
{
    static const struct timespec wait = {.tv_nsec = LAND_WAIT_MS * 1000000L};
    int r = rocks_mend(w);
    for (int i = 0; i < LAND_TRIES && r == -EBUSY; i++) {
        nanosleep(&wait, NULL);
        r = rocks_mend(w);
    }
    return r == 0 && w->w.committed.head == head;
}

static int
flush(struct rocks_writer *w)
{
    rocksdb_flushoptions_t *options = rocks.flushoptions_create();
    int r = 0;
    rocks.flushoptions_set_wait(options, 1);
    for (int i = 0; i < ROCKS_FAMILIES && r == 0; i++) {
        char *error = NULL;
        rocks.flush_cf(w->c.db->db, options, w->c.db->families[i], &error);
        r = rocks_errno(error);
    }
    rocks.flushoptions_destroy(options);
    if (r == 0)
        w->log_bytes = 0;
    return err_trace(r);
}

/* RocksDB bounds its log by itself; when nobody waits it is made short, for the next start. */
int
rocks_checkpoint(struct store_writer *base, bool is_idle)
{
    struct rocks_writer *w = container_of(table_writer_of(base), struct rocks_writer, w);
    assert(!w->w.is_open);
    if (!is_idle || w->is_broken || w->log_bytes < LOG_BYTES_IDLE)
        return 0;
    return flush(w);
}

/* A damaged index is not marked clean: the next start looks at it. The mark is nothing that anybody was
 * told, so it does not wait for the disk. */
void
rocks_writer_close(struct store_writer *base)
{
    struct rocks_writer *w = container_of(table_writer_of(base), struct rocks_writer, w);
    if (w->w.is_open)
        store_rollback(base);
    w->is_closing = true;
    if (w->w.is_doubtful)
        rocks_leave_doubt(w->real);
    if (!w->c.is_damaged && !w->w.is_doubtful && !w->is_broken) {
        rocks_writes.meta_put(&w->c.t, "clean_shutdown", STR("1"));
        if (rocks_writes.commit(&w->c.t) == 0 && w->log_bytes > LOG_BYTES_CLOSE)
            flush(w);
    }
    writer_free(w);
}

const struct store_ops store_rocksdb_ops = {
    .scheme = "rocksdb:",
    .writer_open = rocks_writer_open,
    .reader_open = rocks_reader_open,
};
