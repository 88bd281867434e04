#pragma once
/* A connection and the statements it knows. Inside of the SQLite backend; whoever holds the handle. */
#include <sqlite3.h>

#include "base/vec.h"
#include "store/tables.h"

/* One per row of sqlite_sql.c. */
enum sql {
    SQL_BEGIN,
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_META_PUT,
    SQL_META_GET,
    SQL_FILE_BY_PATH,
    SQL_FILE_BY_ID,
    SQL_FILE_ALL,
    SQL_FILE_EACH,
    SQL_FILE_TWIN,
    SQL_FILE_UNASKED,
    SQL_FILE_ADD,
    SQL_FILE_PUT,
    SQL_FILE_TOUCH,
    SQL_FILE_COUNTS_PUT,
    SQL_FILE_SERVER_PUT,
    SQL_FILE_EXPIRE,
    SQL_FILE_ALL_OLD,
    SQL_FILE_DELETE,
    SQL_FILE_TEXT_PUT,
    SQL_FILE_TEXT_WAITING,
    SQL_UNKNOWN_DELETE,
    SQL_UNKNOWN_ADD,
    SQL_ENTITY_OF_FILE,
    SQL_ENTITY_BY_ID,
    SQL_ENTITY_BY_NAME,
    SQL_ENTITY_WAITING,
    SQL_ENTITY_NAMES,
    SQL_ENTITY_ADD,
    SQL_ENTITY_ADD_NEXT,
    SQL_ENTITY_ADD_NEXT_4,
    SQL_ENTITY_ADD_NEXT_16,
    SQL_ENTITY_PUT,
    SQL_ENTITY_HOVER_PUT,
    SQL_ENTITY_DELETE,
    SQL_HOVER_GET,
    SQL_HOVER_ADD,
    SQL_HOVER_REFS,
    SQL_HOVER_DELETE,
    SQL_PAST_GET,
    SQL_PAST_OLDEST,
    SQL_PAST_EACH,
    SQL_PAST_ADD,
    SQL_PAST_DELETE,
    SQL_EDGE_OF_FILE,
    SQL_EDGE_PUT,
    SQL_EDGE_DELETE,
    SQL_EVENT_ADD,
    SQL_EVENT_SINCE,
    SQL_EVENT_FILL,
    SQL_EVENT_OLDEST,
    SQL_EVENT_DELETE,
    SQL_EVENT_FIRST,
    SQL_EVENT_HEAD,
    SQL_TEXT_OF_FILE,
    SQL_TEXT_WAITING,
    SQL_TEXT_CLEAR_FILES,
    SQL_FILE_OF_TEXT,
    SQL_RUN_ADD,
    SQL_RUN_LAST,
    SQL_RUN_IS,
    SQL_RUN_ALL,
    SQL_RUN_OF_LEVEL,
    SQL_RUN_FULL_LEVEL,
    SQL_RUN_DELETE,
    SQL_RUN_CLEAR,
    SQL_LEAF_ADD,
    SQL_LEAF_GET,
    SQL_LEAF_NEXT,
    SQL_LEAF_DELETE,
    SQL_LEAF_CLEAR,
    SQL_COUNT_FILES,
    SQL_COUNT_UNKNOWN,
    SQL_STATEMENTS
};

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

extern const char *const sqlite_sql[SQL_STATEMENTS];

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
int sqlite_run_plain(struct sqlite_conn *c, enum sql which);
int sqlite_exec(struct sqlite_conn *c, const char *text);
int sqlite_step(struct sqlite_conn *c, sqlite3_stmt *stmt); // 1 a row, 0 the end
void sqlite_bind_str(sqlite3_stmt *stmt, int i,
                     struct str s);                      // borrowed until sqlite_put()
struct str sqlite_column_str(sqlite3_stmt *stmt, int i); // until the next step
int sqlite_meta_get(struct sqlite_conn *c, const char *key, struct arena *a,
                    struct str *ret_value); // -ENOENT
int sqlite_meta_put(struct sqlite_conn *c, const char *key, struct str value);
