#pragma once
/* A connection and the statements it knows. Inside of the SQLite backend; whoever holds the handle. */
#include <sqlite3.h>

#include "base/vec.h"
#include "store/sqlite_sql.h"
#include "store/tables.h"

/* Who holds a lock may get no processor for seconds: what is opened waits. A writer that is open is told sooner, and
 * does the whole again. */
#define SQLITE_WAIT_MS 30000
#define SQLITE_WRITE_WAIT_MS 5000

struct sqlite_conn {
    struct tables base;
    sqlite3 *db;
    sqlite3_stmt *cached[SQL_STATEMENTS];
    bool is_damaged; // SQLITE_CORRUPT or NOTADB was seen
};

static inline struct sqlite_conn *
sqlite_conn_of(struct tables *t)
{
    return container_of(t, struct sqlite_conn, base);
}

void sqlite_conn_init(struct sqlite_conn *c);
void sqlite_conn_finish(struct sqlite_conn *c);
/* -errno of a SQLite code on this connection; 0 for OK, ROW and DONE. */
int sqlite_errno(struct sqlite_conn *c, int rc);
/* A statement ready to bind. Give it back with sqlite_put(): a second one of the same kind may be in
 * use meanwhile, from within a callback. */
int sqlite_get(struct sqlite_conn *c, enum sql which, sqlite3_stmt **ret_stmt);
void sqlite_put(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt);
/* Step once to the end and give back. */
int sqlite_run(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt);
/* The same of a statement whose parameters are n numbers. */
int sqlite_run_with(struct sqlite_conn *c, enum sql which, const int64_t *v, size_t n);
/* Step once and give back: 1 and the number in the row's first column, 0 there is none. */
int sqlite_one(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt,
               int64_t *ret_value);
int sqlite_exec(struct sqlite_conn *c, const char *text);
int sqlite_step(struct sqlite_conn *c, sqlite3_stmt *stmt); // 1 a row, 0 the end
void sqlite_bind_str(sqlite3_stmt *stmt, int i,
                     struct str s);                      // borrowed until sqlite_put()
struct str sqlite_column_str(sqlite3_stmt *stmt, int i); // until the next step
int sqlite_meta_get(struct sqlite_conn *c, const char *key, struct arena *a,
                    struct str *ret_value); // -ENOENT
int sqlite_meta_put(struct sqlite_conn *c, const char *key, struct str value);
