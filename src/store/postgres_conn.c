/* libpq, so that the rest of the backend sees statements, rows and -errno. Invariant: between two calls
 * the connection is in pipeline mode with nothing half read; once it is cut every call says -EBUSY until
 * somebody connects anew, so what was sent and not confirmed is never taken for done. Of the address,
 * which may hold a password, nothing gets into a message. */
#include "store/postgres_conn.h"

#include <endian.h>

#include "base/err.h"

#define NAME_BYTES 16
#define COPY_BYTES_MAX (1 << 20) // at once

/* ---- errors ---- */

static const struct {
    const char *state; // what an SQLSTATE begins with
    int r;
} states[] = {
    {"57014", -EINTR},   {"53100", -ENOSPC},
    {"53200", -ENOMEM},  {"53", -EBUSY},
    {"40", -EBUSY},      {"55P03", -EBUSY},
    {"08", -EBUSY},      {"57", -EBUSY},
    {"25006", -EROFS},   {"XX001", -EBADMSG},
    {"XX002", -EBADMSG}, {"28", -EACCES},
    {"42501", -EACCES},  {"42P01", -ENOENT},
    {"3F000", -ENOENT},  {"42703", -EPROTONOSUPPORT},
    {"54", -E2BIG},      {"22", -EINVAL},
};

static int
errno_of(struct postgres_conn *c, const PGresult *rows)
{
    const char *state = c->lib.PQresultErrorField(rows, PG_DIAG_SQLSTATE);
    if (!state)
        return -EBUSY; // libpq's own: the connection is gone
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
            return states[i].r;
    return -EIO;
}

/* A writer connects again and does it again; a reader is closed, and another one opened. */
static int
cut(struct postgres_conn *c)
{
    c->is_cut = true;
    c->is_copying = false;
    return err_trace(c->is_reader ? -EIO : -EBUSY);
}

/* ---- connecting ---- */

/* The first line of libpq's message: it names host and user, and never the password. */
static int
explain(struct postgres_conn *c, char **ret_why, int r)
{
    struct str line, text = str_of(c->pg ? c->lib.PQerrorMessage(c->pg) : "no memory");
    if (ret_why && str_split(&text, '\n', &line))
        *ret_why = xasprintf("PostgreSQL: %.*s", STR_ARG(line));
    return r;
}

/* Parsed apart from connecting, since what libpq says of a wrong address quotes it. */
static bool
is_address(struct postgres_conn *c)
{
    PQconninfoOption *options = c->lib.PQconninfoParse(c->conninfo, NULL);
    c->lib.PQconninfoFree(options);
    return options != NULL;
}

/* Plans are made once; a table that was empty then is not to be read from end to end later on. */
static const char settings[] =
    "SET plan_cache_mode=force_generic_plan; SET enable_seqscan=off; SET jit=off;"
    "SET statement_timeout=0; SET idle_in_transaction_session_timeout=0;"
    "SET synchronous_commit=on; SET client_min_messages=warning";
static const char reader_settings[] = "SET default_transaction_read_only=on";

/* libpq would print them. */
static void
ignore_notice(void *ctx UNUSED, const PGresult *notice UNUSED)
{
}

static int
set_up(struct postgres_conn *c, char **ret_why)
{
    c->lib.PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
    if (!str_eq_c(str_of(c->lib.PQparameterStatus(c->pg, "server_encoding")), "UTF8")) {
        if (ret_why)
            *ret_why = xasprintf("PostgreSQL: the database is not in UTF-8");
        return -EPROTONOSUPPORT;
    }
    if (c->lib.PQserverVersion(c->pg) < 130000) {
        if (ret_why)
            *ret_why = xasprintf("PostgreSQL: 13 or newer is needed");
        return -EPROTONOSUPPORT;
    }
    if (c->lib.PQenterPipelineMode(c->pg) != 1)
        return cut(c);
    int r = postgres_exec(c, settings);
    if (r == 0 && c->is_reader)
        r = postgres_exec(c, reader_settings);
    return r;
}

int
postgres_connect(struct postgres_conn *c, char **ret_why)
{
    /* The address may say otherwise of what stands before it. */
    const char *const words[] = {"connect_timeout",
                                 "keepalives_idle",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "client_encoding",
                                 "fallback_application_name",
                                 NULL};
    const char *const values[] = {"10",   "30",    "60000", c->conninfo,
                                  "UTF8", "gloss", NULL};
    int r = postgres_lib_open(&c->lib);
    if (r < 0) {
        if (ret_why)
            *ret_why = xasprintf("PostgreSQL: libpq.so.5 is not installed here");
        c->is_cut = true;
        return r;
    }
    postgres_disconnect(c);
    if (!is_address(c)) {
        if (ret_why)
            *ret_why = xasprintf("PostgreSQL: not an address as "
                                 "postgres://USER@HOST/DATABASE#WORKSPACE");
        return err_trace(-EINVAL);
    }
    c->pg = c->lib.PQconnectdbParams(words, values, 1);
    c->is_cut = true;
    if (!c->pg || c->lib.PQstatus(c->pg) != CONNECTION_OK)
        return explain(c, ret_why, err_trace(-ECONNREFUSED));
    c->is_cut = false;
    c->cancel = c->lib.PQgetCancel(c->pg);
    r = set_up(c, ret_why);
    if (r < 0 && ret_why && !*ret_why)
        return explain(c, ret_why, r);
    return r;
}

void
postgres_disconnect(struct postgres_conn *c)
{
    if (c->cancel)
        c->lib.PQfreeCancel(c->cancel);
    if (c->pg)
        c->lib.PQfinish(c->pg);
    c->cancel = NULL;
    c->pg = NULL;
    c->n_pending = 0;
    c->is_unsure = c->is_copying = false;
    memset(c->is_prepared, 0, sizeof(c->is_prepared));
}

void
postgres_conn_finish(struct postgres_conn *c)
{
    postgres_disconnect(c);
    postgres_lib_close(&c->lib);
    if (c->conninfo)
        explicit_bzero(c->conninfo, strlen(c->conninfo));
    free(c->conninfo);
}

/* ---- parameters ---- */

void
postgres_arg_int(struct postgres_args *a, int64_t value)
{
    assert(a->n < POSTGRES_ARGS_MAX);
    a->numbers[a->n] = htobe64((uint64_t)value);
    a->values[a->n] = (const char *)&a->numbers[a->n];
    a->lengths[a->n++] = 8;
}

void
postgres_arg_str(struct postgres_args *a, struct str value)
{
    assert(a->n < POSTGRES_ARGS_MAX && value.n <= INT32_MAX);
    a->values[a->n] = value.p ? value.p : "";
    a->lengths[a->n++] = (int)value.n;
}

void
postgres_arg_null(struct postgres_args *a)
{
    assert(a->n < POSTGRES_ARGS_MAX);
    a->values[a->n] = NULL;
    a->lengths[a->n++] = 0;
}

/* ---- statements ---- */

static int
forget_prepared(struct postgres_conn *c)
{
    memset(c->is_prepared, 0, sizeof(c->is_prepared));
    c->is_unsure = false;
    c->n_pending++;
    return c->lib.PQsendQueryParams(c->pg, "DEALLOCATE ALL", 0, NULL, NULL, NULL, NULL,
                                    1) == 1
               ? 0
               : cut(c);
}

static int
prepare(struct postgres_conn *c, enum postgres_sql which, const char *name)
{
    int r = c->is_unsure ? forget_prepared(c) : 0;
    if (r < 0 || c->is_prepared[which])
        return r;
    if (c->lib.PQsendPrepare(c->pg, name, postgres_sql[which], 0, NULL) != 1)
        return cut(c);
    c->n_pending++;
    c->is_prepared[which] = true;
    return 0;
}

static int
send_one(struct postgres_conn *c, enum postgres_sql which, const struct postgres_args *a)
{
    static const int binary[POSTGRES_ARGS_MAX] = {
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    };
    char name[NAME_BYTES];
    snprintf(name, sizeof(name), "g%d", (int)which);
    if (c->is_cut)
        return cut(c);
    int r = c->is_copying ? postgres_copy_end(c) : 0;
    if (r == 0)
        r = prepare(c, which, name);
    if (r < 0)
        return r;
    if (c->lib.PQsendQueryPrepared(c->pg, name, a ? a->n : 0, a ? a->values : NULL,
                                   a ? a->lengths : NULL, binary, 1) != 1)
        return cut(c);
    c->n_pending++;
    return 0;
}

/* What was prepared behind a statement that failed was not: all are prepared anew. */
static int
look_at(struct postgres_conn *c, PGresult *rows, int r)
{
    ExecStatusType status = c->lib.PQresultStatus(rows);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return r;
    c->is_unsure = true;
    return r < 0 || status == PGRES_PIPELINE_ABORTED ? r : errno_of(c, rows);
}

/* All answers up to the mark that was sent last; the last statement's rows are kept. */
static int
drain(struct postgres_conn *c, PGresult **ret_last)
{
    size_t n_left = 2 * c->n_pending + 4; // answers, and what ends each
    int r = 0;
    *ret_last = NULL;
    c->n_pending = 0;
    for (; n_left > 0; n_left--) {
        PGresult *rows = c->lib.PQgetResult(c->pg);
        if (c->lib.PQstatus(c->pg) != CONNECTION_OK) {
            c->lib.PQclear(rows);
            break;
        }
        if (!rows)
            continue;
        if (c->lib.PQresultStatus(rows) == PGRES_PIPELINE_SYNC) {
            c->lib.PQclear(rows);
            return r;
        }
        r = look_at(c, rows, r);
        c->lib.PQclear(*ret_last);
        *ret_last = rows;
    }
    return cut(c);
}

static int
wait_for(struct postgres_conn *c, PGresult **ret_last)
{
    PGresult *last = NULL;
    *ret_last = NULL;
    if (c->is_cut)
        return cut(c);
    int r = c->is_copying ? postgres_copy_end(c) : 0;
    if (r < 0)
        return r;
    if (c->lib.PQpipelineSync(c->pg) != 1)
        return cut(c);
    r = drain(c, &last);
    if (r == 0)
        *ret_last = last;
    else
        c->lib.PQclear(last);
    return err_trace(r);
}

int
postgres_wait(struct postgres_conn *c)
{
    PGresult *last = NULL;
    int r = wait_for(c, &last);
    c->lib.PQclear(last);
    return r;
}

int
postgres_send(struct postgres_conn *c, enum postgres_sql which,
              const struct postgres_args *a)
{
    int r = send_one(c, which, a);
    if (r == 0 && c->n_pending >= POSTGRES_PENDING_MAX)
        r = postgres_wait(c);
    return r;
}

int
postgres_query(struct postgres_conn *c, enum postgres_sql which,
               const struct postgres_args *a, struct postgres_rows *ret_rows)
{
    *ret_rows = (struct postgres_rows){.lib = &c->lib};
    int r = send_one(c, which, a);
    return r < 0 ? r : wait_for(c, &ret_rows->v);
}

void
postgres_cancel(struct postgres_conn *c)
{
    char why[256];
    c->lib.PQcancel(c->cancel, why, sizeof(why));
}

/* ---- out of the pipeline: what it does not allow ---- */

static int
leave_pipeline(struct postgres_conn *c)
{
    int r = c->is_copying      ? postgres_copy_end(c)
            : c->n_pending > 0 ? postgres_wait(c)
                               : 0;
    if (c->is_cut)
        return cut(c);
    if (r < 0)
        return r;
    return c->lib.PQexitPipelineMode(c->pg) == 1 ? 0 : cut(c);
}

static int
end_of(struct postgres_conn *c, PGresult *rows, ExecStatusType wanted)
{
    int r = 0;
    if (c->lib.PQresultStatus(rows) != wanted &&
        c->lib.PQresultStatus(rows) != PGRES_COMMAND_OK &&
        c->lib.PQresultStatus(rows) != PGRES_TUPLES_OK)
        r = errno_of(c, rows);
    c->lib.PQclear(rows);
    if (c->lib.PQstatus(c->pg) != CONNECTION_OK)
        return cut(c);
    return err_trace(r);
}

static int
enter_pipeline(struct postgres_conn *c, int r)
{
    if (!c->is_cut && c->lib.PQenterPipelineMode(c->pg) != 1)
        return cut(c);
    return r;
}

int
postgres_exec(struct postgres_conn *c, const char *text)
{
    if (c->is_cut)
        return cut(c);
    int r = leave_pipeline(c);
    if (r < 0)
        return r;
    return enter_pipeline(c, end_of(c, c->lib.PQexec(c->pg, text), PGRES_COMMAND_OK));
}

int
postgres_listen(struct postgres_conn *c, int *ret_fd)
{
    int r = postgres_exec(c, "LISTEN gloss");
    if (r == 0)
        *ret_fd = c->lib.PQsocket(c->pg);
    return err_trace(r);
}

int
postgres_notices(struct postgres_conn *c, int64_t ws)
{
    char mark[24];
    int r = 0;
    if (c->is_cut || c->lib.PQconsumeInput(c->pg) != 1)
        return cut(c);
    snprintf(mark, sizeof(mark), "%" PRId64 " ", ws);
    for (PGnotify *n = c->lib.PQnotifies(c->pg); n; n = c->lib.PQnotifies(c->pg)) {
        if (strncmp(n->extra, mark, strlen(mark)) == 0)
            r = 1;
        c->lib.PQfreemem(n);
    }
    return r;
}

int
postgres_copy_begin(struct postgres_conn *c, const char *text)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    if (c->is_cut)
        return cut(c);
    int r = leave_pipeline(c);
    if (r < 0)
        return r;
    r = end_of(c, c->lib.PQexec(c->pg, text), PGRES_COPY_IN);
    if (r < 0)
        return enter_pipeline(c, r);
    c->is_copying = true;
    return postgres_copy_add(c,
                             str_slice(head, sizeof(head))); // with its NUL: 11 + 4 + 4
}

int
postgres_copy_add(struct postgres_conn *c, struct str rows)
{
    int ok = !c->is_cut;
    assert(ok != 1 || c->is_copying);
    for (size_t at = 0; ok == 1 && at < rows.n; at += COPY_BYTES_MAX)
        ok = c->lib.PQputCopyData(c->pg, rows.p + at,
                                  (int)MIN(rows.n - at, COPY_BYTES_MAX));
    return ok == 1 ? 0 : cut(c);
}

int
postgres_copy_end(struct postgres_conn *c)
{
    int r = postgres_copy_add(c, str_slice("\377\377", 2));
    PGresult *more;
    if (r < 0)
        return r;
    c->is_copying = false;
    if (c->lib.PQputCopyEnd(c->pg, NULL) != 1)
        return cut(c);
    r = end_of(c, c->lib.PQgetResult(c->pg), PGRES_COMMAND_OK);
    while (!c->is_cut && (more = c->lib.PQgetResult(c->pg)))
        c->lib.PQclear(more);
    return enter_pipeline(c, r);
}

/* ---- rows ---- */

bool
postgres_is_null(const struct postgres_rows *rows, int row, int column)
{
    return rows->lib->PQgetisnull(rows->v, row, column) != 0;
}

int64_t
postgres_int(const struct postgres_rows *rows, int row, int column)
{
    const char *p = rows->lib->PQgetvalue(rows->v, row, column);
    int n = rows->lib->PQgetlength(rows->v, row, column);
    uint64_t value = 0;
    uint32_t small = 0;
    if (n == (int)sizeof(value)) {
        memcpy(&value, p, sizeof(value));
        return (int64_t)be64toh(value);
    }
    if (n == (int)sizeof(small)) {
        memcpy(&small, p, sizeof(small));
        return (int32_t)be32toh(small);
    }
    return n == 1 ? p[0] : 0;
}

struct str
postgres_str(const struct postgres_rows *rows, int row, int column)
{
    return str_slice(rows->lib->PQgetvalue(rows->v, row, column),
                     (size_t)rows->lib->PQgetlength(rows->v, row, column));
}

int
postgres_count(const struct postgres_rows *rows)
{
    return rows->lib->PQntuples(rows->v);
}

const char *
postgres_changed(const struct postgres_rows *rows)
{
    return rows->lib->PQcmdTuples(rows->v);
}

const char *
postgres_tag(const struct postgres_rows *rows)
{
    return rows->lib->PQcmdStatus(rows->v);
}

void postgres_clear(struct postgres_rows (*rows)[1])
{
    if ((*rows)->v)
        (*rows)->lib->PQclear((*rows)->v);
}
