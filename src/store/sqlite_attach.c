/* Opening for reading: a connection that cannot write. It works beside a running engine, after one
 * that was killed, and on a closed index in a folder that cannot be written; only in this last case
 * is the file taken as immutable, since SQLite could not make its shared memory there. */
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/uri.h"
#include "store/sqlite.h"

/* The cache holds the inner pages of the text index of 100,000 entities, by which names are looked up: hovers at rest,
 * p99 inside the engine 0.7 ms, with 4 MiB 1.2. It fills as it is used, and goes with the connection. */
static const char reader_settings[] =
    "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0;"
    "PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY";

/* -ENOENT: nothing was ever committed to it. */
static int
check_reader(struct sqlite_conn *c)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db,
                                "SELECT (SELECT count(*) FROM sqlite_schema),"
                                "(SELECT application_id FROM pragma_application_id),"
                                "(SELECT user_version FROM pragma_user_version)",
                                -1, &stmt, NULL);
    int r = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW)
        r = sqlite_errno(c, rc);
    else if (sqlite3_column_int(stmt, 0) == 0)
        r = -ENOENT;
    else if (sqlite3_column_int(stmt, 1) != SQLITE_APPLICATION_ID ||
             sqlite3_column_int(stmt, 2) != STORE_SCHEMA_VERSION)
        r = -EPROTONOSUPPORT;
    sqlite3_finalize(stmt);
    return r;
}

static int
open_reader(struct sqlite_conn *c, const char *name, int flags)
{
    int rc = sqlite3_open_v2(name, &c->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags, NULL);
    if (!c->db)
        mem_exhausted(1);
    if (rc != SQLITE_OK)
        return sqlite_errno(c, rc);
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, SQLITE_WAIT_MS);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int r = sqlite_errno(c, sqlite3_exec(c->db, reader_settings, NULL, NULL, NULL));
    if (r == 0)
        r = check_reader(c);
    return r;
}

/* Nobody can have written behind the database's back: there is no log to read. */
static bool
is_at_rest(const char *path)
{
    struct fs_stat st;
    char *wal = xasprintf("%s-wal", path);
    bool is = fs_stat_file(wal, &st) < 0 || st.size_bytes == 0;
    free(wal);
    return is;
}

static int
open_immutable(struct sqlite_conn *c, const char *path)
{
    char *real = NULL;
    int r = fs_real_path(path, &real);
    if (r < 0)
        return r;
    char *uri = uri_from_path(real);
    char *name = xasprintf("%s?immutable=1", uri);
    r = open_reader(c, name, SQLITE_OPEN_URI);
    free(name);
    free(uri);
    free(real);
    return r;
}

int
sqlite_reader_open(const char *path, struct store_reader **ret_reader, char **ret_why)
{
    struct sqlite_reader *reader = xnew(struct sqlite_reader);
    reader->base.ops = &sqlite_reader_ops;
    reader->base.t = &reader->c.base;
    sqlite_conn_init(&reader->c);
    int r = fs_exists(path) ? open_reader(&reader->c, path, 0) : -ENOENT;
    if (r < 0 && r != -ENOENT && r != -EBADMSG && r != -EPROTONOSUPPORT &&
        r != -EBUSY && // somebody is about to write
        access(path, R_OK) == 0 && is_at_rest(path)) {
        sqlite_conn_finish(&reader->c);
        sqlite_conn_init(&reader->c);
        r = open_immutable(&reader->c, path);
    }
    if (r < 0) {
        if (ret_why)
            *ret_why =
                xasprintf("%s: %s", path,
                          r == -ENOENT    ? "there is no index"
                          : r == -EBADMSG ? "is no index of gloss, or a damaged one"
                                          : err_text(r));
        store_reader_close(&reader->base);
        return err_trace(r);
    }
    *ret_reader = &reader->base;
    return 0;
}

const struct store_ops store_sqlite_ops = {
    .scheme = "sqlite:",
    .writer_open = sqlite_writer_open,
    .reader_open = sqlite_reader_open,
};
