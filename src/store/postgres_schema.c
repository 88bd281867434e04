/* The schema as numbered steps: step n leads from version n-1 to n and is never edited once it was
 * released. All engines of a database share it, so it is changed under a lock of the whole database,
 * in one transaction. Names of things in source, paths and texts are bytea: they are any bytes, and
 * compare bytewise whatever the database's collation; the views show them as text where they are that. */
#include "store/postgres.h"

#include "base/err.h"

/* An entity's places: 16 numbers of 4 bytes, see postgres_rows.c. No foreign keys and no index but
 * what the writer itself looks rows up by: each would cost more than the row. */
static const char step_1[] =
    "CREATE TABLE gloss.workspace(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " name bytea NOT NULL UNIQUE, head bigint NOT NULL DEFAULT 0,"
    " n_commits bigint NOT NULL DEFAULT 0, last_file_id bigint NOT NULL DEFAULT 0,"
    " last_past_id bigint NOT NULL DEFAULT 0, CHECK(id<32768)) WITH (fillfactor=10);"
    "CREATE TABLE gloss.meta(ws bigint NOT NULL, k bytea NOT NULL, v bytea NOT NULL,"
    " PRIMARY KEY(ws,k)) WITH (fillfactor=10);"
    "CREATE TABLE gloss.file(id bigint PRIMARY KEY, ws bigint NOT NULL,"
    " path_hash bigint NOT NULL, path bytea NOT NULL, lang bytea NOT NULL,"
    " state bigint NOT NULL, reason bigint NOT NULL, size_bytes bigint NOT NULL,"
    " mtime_ns bigint NOT NULL, inode bigint NOT NULL, content bytea,"
    " content_gen bigint NOT NULL, text_gen bigint NOT NULL, n_entities bigint NOT NULL,"
    " n_edges bigint NOT NULL, log_seq bigint NOT NULL, server_key bigint NOT NULL,"
    " n_known bigint NOT NULL DEFAULT 0, n_empty bigint NOT NULL DEFAULT 0,"
    " n_stale bigint NOT NULL DEFAULT 0);"
    "CREATE INDEX file_path ON gloss.file(ws,path_hash);"
    "CREATE INDEX file_waiting ON gloss.file(ws,id) WHERE text_gen=0;"
    "CREATE INDEX file_told ON gloss.file(ws,content) WHERE n_known+n_empty>0;"
    "CREATE TABLE gloss.unknown(file_id bigint NOT NULL, reason bigint NOT NULL,"
    " n bigint NOT NULL, PRIMARY KEY(file_id,reason));"
    "CREATE TABLE gloss.entity(id bigint PRIMARY KEY, what bigint NOT NULL,"
    " name bytea NOT NULL, qualified bytea, signature bytea, doc bytea, parent bigint,"
    " hash bigint NOT NULL, rev bigint NOT NULL, places bytea NOT NULL, hover bigint,"
    " hover_id bigint);"
    "CREATE TABLE gloss.hover(ws bigint NOT NULL, id bigint NOT NULL,"
    " refs bigint NOT NULL, server bytea NOT NULL, markdown bytea NOT NULL,"
    " PRIMARY KEY(ws,id));"
    "CREATE TABLE gloss.past(ws bigint NOT NULL, id bigint NOT NULL,"
    " content bytea NOT NULL, lang bytea NOT NULL, server_key bigint NOT NULL,"
    " bytes bigint NOT NULL, used_ms bigint NOT NULL, hovers bytea NOT NULL,"
    " PRIMARY KEY(ws,id));"
    "CREATE UNIQUE INDEX past_content ON gloss.past(ws,content,lang);"
    "CREATE TABLE gloss.edge(file_id bigint PRIMARY KEY, edges bytea NOT NULL);"
    "CREATE TABLE gloss.event(ws bigint NOT NULL, seq bigint NOT NULL,"
    " type bigint NOT NULL, ts_ms bigint NOT NULL, subject bytea NOT NULL,"
    " data bytea NOT NULL, PRIMARY KEY(ws,seq));"
    "CREATE TABLE gloss.dead_letter(ws bigint NOT NULL, id bigint NOT NULL,"
    " what bytea NOT NULL, path bytea NOT NULL, error bytea NOT NULL,"
    " payload bytea NOT NULL, time_ms bigint NOT NULL, PRIMARY KEY(ws,id));"
    "CREATE TABLE gloss.text(id bigint PRIMARY KEY, words tsvector NOT NULL);"
    "CREATE INDEX text_words ON gloss.text USING gin(words);";

/* What was asked for that takes long; columns as in the SQLite schema. */
static const char step_2[] =
    "CREATE TABLE gloss.job(ws bigint NOT NULL, id bytea NOT NULL, kind bytea NOT NULL,"
    " state bytea NOT NULL, request bytea NOT NULL, result bytea NOT NULL,"
    " error bytea NOT NULL, priority bigint NOT NULL, attempts bigint NOT NULL,"
    " failures bigint NOT NULL, runs bigint NOT NULL, done bigint NOT NULL,"
    " total bigint NOT NULL, every_s bigint NOT NULL, submitted_ms bigint NOT NULL,"
    " run_at_ms bigint NOT NULL, started_ms bigint NOT NULL, ended_ms bigint NOT NULL,"
    " PRIMARY KEY(ws,id));";

/* Which ingests were answered. */
static const char step_3[] =
    "CREATE TABLE gloss.ingest_key(ws bigint NOT NULL, k bytea NOT NULL,"
    " seq bigint NOT NULL, time_ms bigint NOT NULL, PRIMARY KEY(ws,k));"
    "CREATE INDEX ingest_key_time ON gloss.ingest_key(ws,time_ms);";

/* Text is cut into other words since: it is indexed anew when a writer is idle. */
static const char step_4[] =
    "UPDATE gloss.file SET text_gen=0 WHERE text_gen>0; TRUNCATE gloss.text";

static const char *const steps[POSTGRES_SCHEMA_VERSION] = {step_1, step_2, step_3,
                                                           step_4};

static int
explain(char **ret_why, int r, const char *what)
{
    if (ret_why && !*ret_why)
        *ret_why = xasprintf("PostgreSQL: %s", what);
    return r;
}

int
postgres_version(struct postgres_conn *c, int64_t *ret_version)
{
    AUTO_ROWS(rows);
    int r = postgres_query(c, PG_VERSION, NULL, rows);
    if (r == 0)
        *ret_version = postgres_count(rows) == 1 ? postgres_int(rows, 0, 0) : 0;
    return r;
}

static int
migrate(struct postgres_conn *c, char **ret_why)
{
    int64_t version = 0;
    char text[64];
    int r = postgres_exec(
        c, "BEGIN; SELECT pg_advisory_xact_lock(1196183347,0);"
           "CREATE SCHEMA IF NOT EXISTS gloss;"
           "CREATE TABLE IF NOT EXISTS gloss.version(version integer PRIMARY KEY)");
    if (r == 0)
        r = postgres_version(c, &version);
    if (r == 0 && version > POSTGRES_SCHEMA_VERSION)
        r = explain(ret_why, -EPROTONOSUPPORT, "was written by a newer gloss");
    for (int64_t v = version; v < POSTGRES_SCHEMA_VERSION && r == 0; v++) {
        snprintf(text, sizeof(text), "INSERT INTO gloss.version VALUES(%d)", (int)v + 1);
        r = postgres_exec(c, steps[v]);
        if (r == 0)
            r = postgres_exec(c, text);
    }
    return r == 0 ? postgres_exec(c, "COMMIT") : err_trace(r);
}

/* Most often it is there: then nothing is locked and no right to make a schema is needed. */
int
postgres_migrate(struct postgres_conn *c, char **ret_why)
{
    int64_t version = 0;
    int r = postgres_version(c, &version);
    if (r == 0 && version == POSTGRES_SCHEMA_VERSION)
        return 0;
    if (r < 0 && r != -ENOENT)
        return err_trace(r);
    r = migrate(c, ret_why);
    if (r < 0)
        postgres_exec(c, "ROLLBACK");
    return r == -EACCES ? explain(ret_why, r, "no right to make the schema gloss")
                        : err_trace(r);
}
