/* One connection: codes to errno, statements made once, values in and out. A statement goes back to
 * the cache reset, so none holds a read of the database open. */
#include "store/sqlite.h"

#include "base/err.h"
#include "rt/shared.h"

int
sqlite_errno(struct sqlite_conn *c, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return 0;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_PROTOCOL: // the same of the log's own locks, after ten seconds
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_IOERR:
        switch (sqlite3_system_errno(c->db)) {
        case ENOSPC:
        case EDQUOT: return -ENOSPC;
        case EFBIG: return -EFBIG;
        case EROFS: return -EROFS;
        default: return -EIO;
        }
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: c->is_damaged = true; return -EBADMSG;
    case SQLITE_READONLY: return -EROFS;
    case SQLITE_INTERRUPT: return -EINTR;
    case SQLITE_NOMEM: return -ENOMEM;
    case SQLITE_TOOBIG: return -E2BIG;
    case SQLITE_PERM:
    case SQLITE_AUTH: return -EACCES;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(c->db) ? -sqlite3_system_errno(c->db) : -EIO;
    default:
        /* Constraint, misuse, wrong SQL: the schema is not what this program made. */
        return -ENOTRECOVERABLE;
    }
}

int
sqlite_get(struct sqlite_conn *c, enum sql which, sqlite3_stmt **ret_stmt)
{
    sqlite3_stmt *stmt = steal(c->cached[which]);
    if (!stmt) {
        int rc = sqlite3_prepare_v3(c->db, sqlite_sql[which], -1,
                                    SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
        if (rc != SQLITE_OK)
            return err_trace(sqlite_errno(c, rc));
    }
    *ret_stmt = stmt;
    return 0;
}

void
sqlite_put(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    if (c->cached[which]) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    c->cached[which] = stmt;
}

int
sqlite_step(struct sqlite_conn *c, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : err_trace(sqlite_errno(c, rc));
}

int
sqlite_run(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt)
{
    int r = 0;
    do {
        r = sqlite_step(c, stmt);
    } while (r > 0);
    sqlite_put(c, which, stmt);
    return r;
}

int
sqlite_run_with(struct sqlite_conn *c, enum sql which, const int64_t *v, size_t n)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, which, &stmt);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        sqlite3_bind_int64(stmt, (int)i + 1, v[i]);
    return sqlite_run(c, which, stmt);
}

int
sqlite_one(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt, int64_t *ret_value)
{
    int r = sqlite_step(c, stmt);
    if (r > 0)
        *ret_value = sqlite3_column_int64(stmt, 0);
    sqlite_put(c, which, stmt);
    return r;
}

int
sqlite_exec(struct sqlite_conn *c, const char *text)
{
    return err_trace(sqlite_errno(c, sqlite3_exec(c->db, text, NULL, NULL, NULL)));
}

/* SQLite counts what it has allocated, and every allocation of every thread waits for that: a writer that loses its
 * processor there stops all who read. Nobody asks for the count. What used the library before leaves it as it is. */
static int
configure(void *ctx UNUSED, const char *name, void **ret_thing)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    *ret_thing = (void *)name;
    return 0;
}

/* Never: nobody drops it. */
static void
unconfigure(void *thing UNUSED)
{
}

void
sqlite_conn_init(struct sqlite_conn *c)
{
    struct shared *shared = NULL;
    shared_take("sqlite3", configure, unconfigure, NULL, &shared);
    *c = (struct sqlite_conn){.base = {.reads = &sqlite_table_reads}};
}

void
sqlite_conn_finish(struct sqlite_conn *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < ARRAY_LEN(c->cached); i++)
        sqlite3_finalize(steal(c->cached[i]));
    sqlite3_close(steal(c->db));
}

void
sqlite_bind_str(sqlite3_stmt *stmt, int i, struct str s)
{
    sqlite3_bind_text64(stmt, i, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

struct str
sqlite_column_str(sqlite3_stmt *stmt, int i)
{
    const char *p = (const char *)sqlite3_column_text(stmt, i);
    return p ? str_slice(p, (size_t)sqlite3_column_bytes(stmt, i)) : STR_NONE;
}

int
sqlite_meta_get(struct sqlite_conn *c, const char *key, struct arena *a,
                struct str *ret_value)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_META_GET, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, str_of(key));
    r = sqlite_step(c, stmt);
    if (r > 0) {
        *ret_value = arena_str(a, sqlite_column_str(stmt, 0));
        r = 0;
    } else if (r == 0) {
        r = -ENOENT;
    }
    sqlite_put(c, SQL_META_GET, stmt);
    return r;
}

int
sqlite_meta_put(struct sqlite_conn *c, const char *key, struct str value)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_META_PUT, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, str_of(key));
    sqlite_bind_str(stmt, 2, value);
    return sqlite_run(c, SQL_META_PUT, stmt);
}
