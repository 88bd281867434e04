/* Opening for writing: the lock against a second engine, the checks that decide whether the file is
 * ours, damaged or of a newer gloss, and the schema. Only a file with our lock file beside it is ever
 * set aside as damaged: --db may name anything. Invariant: whoever holds PATH.lock is the only
 * one to write or checkpoint (two that do so at once can corrupt a WAL database before 3.51.3). */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "store/sqlite.h"

static int
explain(char **ret_why, int r, const char *path, const char *what)
{
    if (ret_why)
        *ret_why = xasprintf("%s: %s", path, what);
    return r;
}

/* Before anything is made beside it. What is not there yet will be a file. */
static int
check_target(const char *path, char **ret_why)
{
    struct stat st;
    size_t n = strlen(path);
    if (n > 0 && path[n - 1] == '/')
        return explain(ret_why, -EISDIR, path, "is a folder");
    if (stat(path, &st) < 0) {
        int r = -errno;
        return r == -ENOENT ? 0 : explain(ret_why, r, path, strerror(-r));
    }
    if (S_ISDIR(st.st_mode))
        return explain(ret_why, -EISDIR, path, "is a folder");
    if (!S_ISREG(st.st_mode))
        return explain(ret_why, -EPROTONOSUPPORT, path, "is no file");
    return 0;
}

/* *ret_was_there: some gloss wrote here before. */
static int
take_lock(struct sqlite_writer *w, bool *ret_was_there, char **ret_why)
{
    char *lock = xasprintf("%s.lock", w->path);
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

static int
pragma_int(struct sqlite_conn *c, const char *text, int64_t *ret_value)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, text, -1, &stmt, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        *ret_value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return err_trace(sqlite_errno(c, rc));
}

/* Whose file is it? *ret_version is 0 for an empty one. */
static int
check_owner(struct sqlite_writer *w, int *ret_version, char **ret_why)
{
    int64_t id = 0, version = 0, n_tables = 0;
    int r = pragma_int(&w->c, "SELECT count(*) FROM sqlite_schema", &n_tables);
    if (r == 0)
        r = pragma_int(&w->c, "PRAGMA application_id", &id);
    if (r == 0)
        r = pragma_int(&w->c, "PRAGMA user_version", &version);
    if (r < 0)
        return r;
    if (n_tables > 0 && id != SQLITE_APPLICATION_ID)
        return explain(ret_why, -EPROTONOSUPPORT, w->path,
                       "is a database of another program");
    if (version > STORE_SCHEMA_VERSION)
        return explain(ret_why, -EPROTONOSUPPORT, w->path,
                       "was written by a newer gloss");
    if (version < 0)
        return err_trace(-EBADMSG);
    *ret_version = n_tables > 0 ? (int)version : 0;
    return 0;
}

/* Of which tree? One of another tree would lose all its files to the scan of this one. An index
 * that does not say it takes our root: prepare(). */
static int
check_root(struct sqlite_writer *w, char **ret_why)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str root = STR_NONE;
    if (!w->root)
        return 0;
    int r = sqlite_meta_get(&w->c, "root", &a, &root);
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
is_doubted(const struct sqlite_writer *w)
{
    AUTO(free) char *doubt = xasprintf("%s" SQLITE_DOUBT, w->path);
    return !w->place && fs_exists(doubt);
}

/* The whole file is read only after a stop that was not clean, or when somebody met damage. */
static int
check_damage(struct sqlite_writer *w)
{
    struct sqlite_conn *c = &w->c;
    int64_t clean = 0;
    int r = table_meta_int(&c->base, "clean_shutdown", &clean);
    if (r < 0 || (clean == 1 && !is_doubted(w)))
        return r;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
        !str_eq_c(sqlite_column_str(stmt, 0), "ok"))
        rc = SQLITE_CORRUPT;
    sqlite3_finalize(stmt);
    return err_trace(sqlite_errno(c, rc));
}

/* What SQLite takes for whole may have rows that make no sense. */
static int
check_rows(struct sqlite_writer *w)
{
    struct store_reader *reader = NULL;
    if (!is_doubted(w))
        return 0;
    int r = sqlite_reader_open(w->path, &reader, NULL);
    if (r == 0)
        r = reader_check(reader);
    store_reader_close(reader);
    return err_trace(r);
}

static void
dispel_doubt(const struct sqlite_writer *w)
{
    AUTO(free) char *doubt = xasprintf("%s" SQLITE_DOUBT, w->path);
    if (!w->place)
        unlink(doubt);
}

/* synchronous=FULL: a commit that was told to anybody is on the disk. */
static const char waits_for_disk[] = "PRAGMA synchronous=FULL";

/* While an index is made nobody was told anything: what is left of it after a power cut is of no use. */
static const char waits_for_nothing[] = "PRAGMA synchronous=OFF";

/* secure_delete is on in Debian's build and would write every freed page. */
static const char settings[] = "PRAGMA journal_size_limit=67108864;"
                               "PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF;"
                               "PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;"
                               "PRAGMA foreign_keys=OFF";

/* The index itself, on the disk before the first commit into its log: the log of an empty file is not
 * looked at. Their names come with the log's first sync. */
static int
sync_new(struct sqlite_conn *c)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    return err_trace(sqlite_errno(c, rc));
}

/* Each page of the log is two writes, and one more when it is copied into the index. */
static const char page_size[] = "PRAGMA page_size=8192";

static int
use_wal(struct sqlite_conn *c)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    int r = 0;
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
        !str_eq_c(sqlite_column_str(stmt, 0), "wal"))
        r = -ENOTSUP; // a file system without shared memory
    else
        r = sqlite_errno(c, rc);
    sqlite3_finalize(stmt);
    return err_trace(r);
}

/* As if nothing had been indexed yet: then it is made anew from the rows. */
static const char text_anew[] = "DELETE FROM text_run; DELETE FROM text_leaf;"
                                "DELETE FROM meta WHERE k IN ('text_rows','text_dead');"
                                "UPDATE file SET text_gen=0 WHERE text_gen>0";

/* The schema and a note that from here on a stop is not clean, in one transaction. */
static int
prepare(struct sqlite_writer *w, int version)
{
    int r = sqlite_run_with(&w->c, SQL_BEGIN, NULL, 0);
    if (r == 0)
        r = sqlite_migrate(&w->c, version);
    if (r == 0 && version == 0) {
        char *epoch = random_hex(16);
        r = sqlite_meta_put(&w->c, "epoch", str_of(epoch));
        free(epoch);
    }
    if (r == 0 && is_doubted(w))
        r = sqlite_exec(&w->c, text_anew);
    if (r == 0 && w->root)
        r = sqlite_meta_put(&w->c, "root", str_of(w->root));
    if (r == 0)
        r = table_meta_put_int(&w->base, "clean_shutdown", 0);
    if (r == 0)
        r = sqlite_run_with(&w->c, SQL_COMMIT, NULL, 0);
    return r;
}

static int
on_wal(void *ctx, sqlite3 *db UNUSED, const char *name UNUSED, int n_pages)
{
    struct sqlite_writer *w = ctx;
    if (n_pages < w->wal_pages)
        w->wal_pages_seen = 0; // the log began anew
    w->wal_pages = n_pages;
    return SQLITE_OK;
}

/* A new one is its user's alone wherever it lies; SQLite gives what it puts beside it the same rights. One that is
 * there is not opened: to close a descriptor of it would let go of all locks that this process has on it. */
static void
make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static int
open_database(struct sqlite_writer *w, struct store_info *ret_info, char **ret_why)
{
    int version = 0;
    make_private(w->path); // if it cannot be made SQLite says why
    int rc = sqlite3_open_v2(
        w->path, &w->c.db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!w->c.db)
        mem_exhausted(1);
    if (rc != SQLITE_OK)
        return explain(ret_why, sqlite_errno(&w->c, rc), w->path,
                       sqlite3_errmsg(w->c.db));
    sqlite3_extended_result_codes(w->c.db, 1);
    sqlite3_busy_timeout(w->c.db, SQLITE_WAIT_MS);
    int r = check_owner(w, &version, ret_why);
    if (r == 0 && version > 0)
        r = check_root(w, ret_why);
    if (r == 0)
        r = sqlite_exec(&w->c,
                        version == 0 || w->place ? waits_for_nothing : waits_for_disk);
    if (r == 0)
        r = sqlite_exec(&w->c, page_size); // of a new one; what is there keeps its own
    if (r == 0)
        r = use_wal(&w->c);
    if (r == 0 && version == 0 && !w->place)
        r = sync_new(&w->c);
    if (r == 0)
        r = pragma_int(&w->c, "PRAGMA page_size", &w->page_bytes);
    if (r == 0)
        r = sqlite_exec(&w->c, settings);
    if (r == 0 && version > 0)
        r = check_damage(w);
    if (r == 0 && version == STORE_SCHEMA_VERSION)
        r = check_rows(w); // before anything is written to what may be set aside
    if (r == 0)
        r = prepare(w, version);
    if (r == 0 && version < STORE_SCHEMA_VERSION)
        r = check_rows(w);
    if (r == 0 && !w->place)
        r = sqlite_exec(&w->c, waits_for_disk);
    if (r == 0)
        r = table_writer_load(&w->base, ret_info);
    /* Its header says what cannot be: another schema or format, not to be written. */
    if (r == -ENOTRECOVERABLE || (r == -EROFS && access(w->path, W_OK) == 0))
        r = -EBADMSG;
    if (r < 0) {
        if (ret_why && !*ret_why)
            *ret_why = xasprintf("%s: %s", w->path, err_text(r));
        return err_trace(r);
    }
    sqlite3_busy_timeout(w->c.db, SQLITE_WRITE_WAIT_MS);
    dispel_doubt(w);
    ret_info->is_new = version == 0;
    sqlite3_wal_hook(w->c.db, on_wal, w);
    return 0;
}

/* Of no file that is there, whatever the clock says. */
static char *
aside_path(const char *path)
{
    int64_t ms = clock_wall_ms();
    char *to = xasprintf("%s.damaged-%" PRId64, path, ms);
    while (fs_exists(to)) {
        free(to);
        to = xasprintf("%s.damaged-%" PRId64, path, ++ms);
    }
    return to;
}

/* Out of the way, not away: somebody may want to look at it. */
static int
set_aside(const char *path)
{
    int r = 0;
    struct fs_stat st;
    char *to = aside_path(path);
    char *wal = xasprintf("%s-wal", path);
    char *wal_to = xasprintf("%s-wal", to);
    char *shm = xasprintf("%s-shm", path);
    AUTO(free) char *doubt = xasprintf("%s" SQLITE_DOUBT, path);
    if (rename(path, to) < 0 && errno != ENOENT)
        r = -errno;
    bool is_empty = fs_stat_file(wal, &st) == 0 && st.size_bytes == 0;
    if (r == 0 && (is_empty ? unlink(wal) : rename(wal, wal_to)) < 0 && errno != ENOENT)
        r = -errno;
    if (r == 0 && unlink(shm) < 0 && errno != ENOENT)
        r = -errno;
    if (r == 0)
        unlink(doubt);
    free(to);
    free(wal);
    free(wal_to);
    free(shm);
    return err_trace(r);
}

static void
writer_free(struct sqlite_writer *w)
{
    sqlite_text_finish(w);
    sqlite_conn_finish(&w->c);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    table_writer_finish(&w->base);
    mem_place_remove(w->place);
    free(w->path);
    free(w->root);
    free(w);
}

static int
open_writer(const char *path, struct mem_place *place, const char *root,
            struct store_writer **ret_writer, struct store_info *ret_info, char **ret_why)
{
    char *why = NULL;
    struct sqlite_writer *w = xnew(struct sqlite_writer);
    sqlite_conn_init(&w->c);
    table_writer_init(&w->base, &sqlite_writer_ops, &sqlite_table_writes, &w->c.base);
    w->path = xstrdup(path);
    w->place = place;
    w->root = root ? xstrdup(root) : NULL;
    w->lock_fd = -1;
    struct store_info info = {0};
    bool was_ours = false;
    int r = take_lock(w, &was_ours, &why);
    if (r == 0)
        r = open_database(w, &info, &why);
    if ((r == -EBADMSG || r == -EPROTONOSUPPORT) && !was_ours) {
        char *lock = xasprintf("%s.lock", w->path);
        unlink(lock); // leave somebody else's file as it was found
        free(lock);
        if (r == -EBADMSG) {
            free(steal(why));
            r = explain(&why, -EPROTONOSUPPORT, w->path, "is no index of gloss");
        }
    } else if (r == -EBADMSG) {
        /* as it was found, its log beside it */
        sqlite3_db_config(w->c.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite_conn_finish(&w->c);
        sqlite_conn_init(&w->c);
        free(steal(why));
        r = set_aside(w->path);
        if (r == 0)
            r = open_database(w, &info, &why);
        info.was_damaged = r == 0;
    }
    if (r < 0) {
        if (ret_why)
            *ret_why = steal(why);
        free(why);
        writer_free(w);
        return err_trace(r);
    }
    free(why);
    *ret_writer = &w->base.base;
    *ret_info = info;
    return 0;
}

int
sqlite_writer_open(const char *path, const char *root, struct store_writer **ret_writer,
                   struct store_info *ret_info, char **ret_why)
{
    int r = check_target(path, ret_why);
    if (r < 0)
        return err_trace(r);
    struct str dir = path_dirname(str_of(path));
    char *dir_text = str_dup(dir);
    r = fs_mkdir_p(dir_text, 0700);
    free(dir_text);
    if (r < 0)
        return explain(ret_why, err_trace(r), path, err_text(r));
    return open_writer(path, NULL, root, ret_writer, ret_info, ret_why);
}

int
sqlite_writer_open_in(struct mem_place *place, const char *root,
                      struct store_writer **ret_writer, struct store_info *ret_info,
                      char **ret_why)
{
    return open_writer(place->path, place, root, ret_writer, ret_info, ret_why);
}

/* A damaged index is not marked clean: the next start looks at it. The mark is nothing that anybody was
 * told: the checkpoint syncs the log before it copies it. */
void
sqlite_writer_close(struct store_writer *base)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    if (w->base.is_open)
        store_rollback(base);
    bool is_damaged = w->c.is_damaged || w->base.is_doubtful;
    if (!w->place && is_damaged)
        sqlite_leave_doubt(&w->c);
    if (!w->place && !is_damaged &&
        sqlite_exec(&w->c, "PRAGMA synchronous=NORMAL") == 0 &&
        table_meta_put_int(&w->base, "clean_shutdown", 1) == 0) {
        sqlite3_busy_timeout(w->c.db, 0);
        sqlite3_wal_checkpoint_v2(w->c.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    writer_free(w);
}
