/* The bare loop for SQLite: the rows of an index, bound and stepped one by one with a prepared statement for each
 * table, file by file as gloss writes them. It looks nothing up, compares nothing and makes no text: what it takes
 * is what the rows cost SQLite. */
#include <sqlite3.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "tests/bench/store.h"

#define SCHEME "sqlite:"
#define COLUMNS_MAX 64

/* In the order in which the rows of a file are written. */
enum table { TABLE_FILE, TABLE_ENTITY, TABLE_EDGE, TABLE_UNKNOWN, TABLE_EVENT, TABLES };

static const struct {
    const char *name, *of_file; // ?1 its id
} tables[TABLES] = {
    [TABLE_FILE] = {"file", "SELECT * FROM file ORDER BY id"}, // of all
    [TABLE_ENTITY] = {"entity", "SELECT * FROM entity WHERE id BETWEEN ?1<<20 AND "
                                "(?1<<20)+1048575 ORDER BY id"},
    [TABLE_EDGE] = {"edge", "SELECT * FROM edge WHERE file_id=?1"},
    [TABLE_UNKNOWN] = {"file_unknown", "SELECT * FROM file_unknown WHERE file_id=?1"},
    [TABLE_EVENT] = {"event", "SELECT * FROM event ORDER BY seq"}, // of all
};

struct cell {
    int type;
    int64_t number;
    struct str text; // or bytes
};

struct row {
    enum table table;
    size_t first; // of the cells
};

struct bare_rows {
    struct arena arena;
    VEC(struct cell) cells;
    VEC(struct row) rows;
    VEC(size_t) files; // their first rows
    int n_columns[TABLES];
};

/* What the writer sets; its checkpoints are about these. */
static const char settings[] =
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2048;"
    "PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=OFF;"
    "PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF";

static void
check(sqlite3 *db, int rc)
{
    if (rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
        must(-EIO, sqlite3_errmsg(db));
}

static sqlite3 *
open_db(const char *url)
{
    sqlite3 *db = NULL;
    check(db, sqlite3_open_v2(url + strlen(SCHEME), &db,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    check(db, sqlite3_exec(db, settings, NULL, NULL, NULL));
    return db;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    check(db, sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL));
    return stmt;
}

static bool
step(sqlite3 *db, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    check(db, rc);
    return rc == SQLITE_ROW;
}

/* ---- reading ---- */

static void
take_row(struct bare_rows *rows, enum table table, sqlite3_stmt *stmt)
{
    int n = sqlite3_column_count(stmt);
    rows->n_columns[table] = n;
    *vec_push(&rows->rows) = (struct row){.table = table, .first = rows->cells.n};
    for (int i = 0; i < n; i++) {
        struct cell cell = {.type = sqlite3_column_type(stmt, i)};
        if (cell.type == SQLITE_INTEGER)
            cell.number = sqlite3_column_int64(stmt, i);
        else if (cell.type != SQLITE_NULL)
            cell.text =
                arena_str(&rows->arena, str_slice(sqlite3_column_blob(stmt, i),
                                                  (size_t)sqlite3_column_bytes(stmt, i)));
        *vec_push(&rows->cells) = cell;
    }
}

static void
take_of_file(sqlite3 *db, struct bare_rows *rows, sqlite3_stmt *of_file[TABLES],
             int64_t id)
{
    for (int t = TABLE_ENTITY; t <= TABLE_UNKNOWN; t++) {
        sqlite3_bind_int64(of_file[t], 1, id);
        while (step(db, of_file[t]))
            take_row(rows, (enum table)t, of_file[t]);
        sqlite3_reset(of_file[t]);
    }
}

/* A file has one event, and events are in the order of files. */
static struct bare_rows *
read_rows(const char *url)
{
    struct bare_rows *rows = xnew(struct bare_rows);
    sqlite3 *db = open_db(url);
    sqlite3_stmt *of_file[TABLES];
    for (int t = 0; t < TABLES; t++)
        of_file[t] = prepare(db, tables[t].of_file);
    while (step(db, of_file[TABLE_FILE])) {
        *vec_push(&rows->files) = rows->rows.n;
        take_row(rows, TABLE_FILE, of_file[TABLE_FILE]);
        take_of_file(db, rows, of_file, sqlite3_column_int64(of_file[TABLE_FILE], 0));
        if (step(db, of_file[TABLE_EVENT]))
            take_row(rows, TABLE_EVENT, of_file[TABLE_EVENT]);
    }
    *vec_push(&rows->files) = rows->rows.n;
    for (int t = 0; t < TABLES; t++)
        sqlite3_finalize(of_file[t]);
    check(db, sqlite3_close(db));
    return rows;
}

static void
destroy_rows(struct bare_rows *rows)
{
    if (!rows)
        return;
    arena_finish(&rows->arena);
    vec_finish(&rows->cells);
    vec_finish(&rows->rows);
    vec_finish(&rows->files);
    free(rows);
}

/* ---- writing ---- */

static sqlite3_stmt *
prepare_insert(sqlite3 *db, const char *table, int n_columns)
{
    AUTO(buf_finish) struct buf text = {0};
    buf_printf(&text, "INSERT INTO %s VALUES(", table);
    for (int i = 0; i < n_columns; i++)
        buf_add_cstr(&text, i == 0 ? "?" : ",?");
    buf_add_char(&text, ')');
    return prepare(db, text.p);
}

static void
write_row(sqlite3 *db, sqlite3_stmt *stmt, const struct cell *cells, int n)
{
    for (int i = 0; i < n; i++) {
        const struct cell *c = &cells[i];
        if (c->type == SQLITE_INTEGER)
            sqlite3_bind_int64(stmt, i + 1, c->number);
        else if (c->type == SQLITE_TEXT)
            sqlite3_bind_text64(stmt, i + 1, c->text.p, c->text.n, SQLITE_STATIC,
                                SQLITE_UTF8);
        else if (c->type == SQLITE_BLOB)
            sqlite3_bind_blob64(stmt, i + 1, c->text.p, c->text.n, SQLITE_STATIC);
        else
            sqlite3_bind_null(stmt, i + 1);
    }
    step(db, stmt);
    sqlite3_reset(stmt);
}

static void
write_file(sqlite3 *db, const struct bare_rows *rows, size_t i,
           sqlite3_stmt *insert[TABLES], bool only_entities)
{
    for (size_t k = rows->files.v[i]; k < rows->files.v[i + 1]; k++) {
        const struct row *row = &rows->rows.v[k];
        if (!only_entities || row->table == TABLE_ENTITY)
            write_row(db, insert[row->table], &rows->cells.v[row->first],
                      rows->n_columns[row->table]);
    }
}

static int64_t
write_rows(const struct bare_rows *rows, const struct corpus *c, const char *url,
           bool only_entities)
{
    sqlite3 *db = open_db(url);
    sqlite3_stmt *insert[TABLES], *begin = prepare(db, "BEGIN IMMEDIATE"),
                                  *commit = prepare(db, "COMMIT");
    bool is_open = false;
    if (rows->files.n != c->files.n + 1)
        must(-EBADMSG, "there is not one row for each file");
    for (int t = 0; t < TABLES; t++)
        insert[t] = prepare_insert(db, tables[t].name, rows->n_columns[t]);
    int64_t began_ns = clock_mono_ns();
    for (size_t i = 0; i < c->files.n; i++) {
        if (!is_open) {
            step(db, begin);
            sqlite3_reset(begin);
        }
        write_file(db, rows, i, insert, only_entities);
        is_open = !c->ends_commit[i];
        if (!is_open) {
            step(db, commit);
            sqlite3_reset(commit);
        }
    }
    for (int t = 0; t < TABLES; t++)
        sqlite3_finalize(insert[t]);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    check(db, sqlite3_close(db)); // the last checkpoint
    return clock_mono_ns() - began_ns;
}

static void
remove_files(const char *url)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        AUTO(free) char *path = xasprintf("%s%s", url + strlen(SCHEME), ends[i]);
        if (unlink(path) < 0 && errno != ENOENT)
            must(-errno, path);
    }
}

const struct bare bare_sqlite = {
    .scheme = SCHEME,
    .read = read_rows,
    .destroy = destroy_rows,
    .write = write_rows,
    .remove = remove_files,
};
