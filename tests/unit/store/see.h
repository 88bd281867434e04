#pragma once
/* Looking into the SQLite file, for the parts that are about it, and for what the contract does not
 * show: there other backends are taken at their word. */

static int
read_int(const struct sample *s, const char *what, const char *from)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char *sql = xasprintf("SELECT %s FROM %s", what, from);
    OK(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READONLY, NULL));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int n = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    free(sql);
    return n;
}

static int
count_rows(const struct sample *s, const char *table)
{
    return read_int(s, "count(*)", table);
}

static void
run_sql(const struct sample *s, const char *sql)
{
    sqlite3 *db = NULL;
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, sql, NULL, NULL, NULL));
    OK(sqlite3_close(db));
}

static sqlite3 *
open_rows(const struct sample *s)
{
    sqlite3 *db = NULL;
    OK(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE, NULL));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return db;
}

static int64_t
row_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    OK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

/* So many rows, where rows can be counted. */
static void
assert_rows(const struct sample *s, const char *from, int n)
{
    if (s->backend->can & SAMPLE_SQL)
        assert_int_equal(count_rows(s, from), n);
}

static void
assert_value(const struct sample *s, const char *what, const char *from, int value)
{
    if (s->backend->can & SAMPLE_SQL)
        assert_int_equal(read_int(s, what, from), value);
}

/* A row of `held` for each reference that entities and past contents hold. */
static void
collect_held(sqlite3 *db)
{
    sqlite3_stmt *from = NULL, *to = NULL;
    OK(sqlite3_exec(db,
                    "CREATE TEMP TABLE held(id INTEGER);"
                    "INSERT INTO held SELECT hover_id FROM entity WHERE hover_id>0",
                    NULL, NULL, NULL));
    OK(sqlite3_prepare_v2(db, "SELECT hovers FROM hover_past", -1, &from, NULL));
    OK(sqlite3_prepare_v2(db, "INSERT INTO held VALUES(?1)", -1, &to, NULL));
    while (sqlite3_step(from) == SQLITE_ROW) {
        const char *p = sqlite3_column_blob(from, 0);
        int n = sqlite3_column_bytes(from, 0);
        assert_int_equal(n % 16, 0);
        for (int i = 0; i < n; i += 16) {
            int64_t id;
            memcpy(&id, p + i + 8, sizeof(id));
            if (id == 0)
                continue;
            sqlite3_bind_int64(to, 1, id);
            assert_int_equal(sqlite3_step(to), SQLITE_DONE);
            sqlite3_reset(to);
        }
    }
    sqlite3_finalize(from);
    sqlite3_finalize(to);
}

/* Every reference is counted, every text is held, and what is counted elsewhere is so. */
static void
assert_rows_add_up(const struct sample *s)
{
    sqlite3 *db = open_rows(s);
    collect_held(db);
    assert_int_equal(row_int(db, "SELECT count(*) FROM hover h WHERE h.refs<>"
                                 "(SELECT count(*) FROM held WHERE id=h.id)"),
                     0);
    assert_int_equal(row_int(db, "SELECT count(*) FROM hover WHERE refs<1"), 0);
    assert_int_equal(row_int(db, "SELECT count(*) FROM held WHERE id NOT IN "
                                 "(SELECT id FROM hover)"),
                     0);
    assert_int_equal(row_int(db, "SELECT count(*)-(SELECT ifnull(max(v),0) FROM meta "
                                 "WHERE k='past_rows') FROM hover_past"),
                     0);
    assert_int_equal(row_int(db, "SELECT total(bytes)-(SELECT ifnull(max(v),0) FROM meta "
                                 "WHERE k='past_bytes') FROM hover_past"),
                     0);
    assert_int_equal(
        row_int(db, "SELECT count(*) FROM v_file f WHERE n_known<>(SELECT count(*) FROM "
                    "v_entity e WHERE e.path=f.path AND hover_state='known') OR "
                    "n_empty<>(SELECT count(*) FROM v_entity e WHERE e.path=f.path AND "
                    "hover_state='empty') OR n_stale<>(SELECT count(*) FROM v_entity e "
                    "WHERE e.path=f.path AND hover_stale)"),
        0);
    OK(sqlite3_close(db));
}
