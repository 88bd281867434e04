#pragma once
/* A connection to PostgreSQL and the statements it knows. Inside of that backend; whoever holds the
 * handle. Always in pipeline mode: what changes rows is only sent, and its error is found by the next
 * statement that is waited for. Bytes are bytea (a name need be no UTF-8), numbers bigint or integer. */
#include "base/vec.h"
#include "store/backend.h"
#include "store/postgres_lib.h"
#include "store/postgres_sql.h"

#define POSTGRES_ARGS_MAX 32
#define POSTGRES_PENDING_MAX 512 // sent, before somebody looks at the answers

/* Parameters of one statement, all binary; strings are borrowed until it is sent. */
struct postgres_args {
    int n;
    const char *values[POSTGRES_ARGS_MAX];
    int lengths[POSTGRES_ARGS_MAX];
    uint64_t numbers[POSTGRES_ARGS_MAX]; // as they go over the wire
};

/* An answer; of a connection that is still there. */
struct postgres_rows {
    const struct postgres_lib *lib;
    PGresult *v; // NULL: none
};

struct postgres_conn {
    struct postgres_lib lib; // once it was connected
    PGconn *pg;
    PGcancel *cancel;
    char *conninfo; // never shown to anybody
    bool is_prepared[PG_STATEMENTS];
    bool is_unsure;   // something failed: which of them are?
    size_t n_pending; // sent and not looked at
    bool is_copying;  // out of pipeline mode, until the end of COPY
    bool is_cut;      // nothing goes over it any more
    bool is_reader;
};

/* -ECONNREFUSED and others; *ret_why (heap, may be NULL) explains, without the address. */
int postgres_connect(struct postgres_conn *c, char **ret_why);
void postgres_disconnect(struct postgres_conn *c);
void postgres_conn_finish(struct postgres_conn *c);
/* Another thread may: what the server does for it ends with -EINTR. */
void postgres_cancel(struct postgres_conn *c);

void postgres_arg_int(struct postgres_args *a, int64_t value);
void postgres_arg_str(struct postgres_args *a, struct str value);
void postgres_arg_null(struct postgres_args *a);

/* a NULL: none. The answer is looked at later. */
int postgres_send(struct postgres_conn *c, enum postgres_sql which,
                  const struct postgres_args *a);
/* All that was sent is done; -errno of the first that failed. */
int postgres_wait(struct postgres_conn *c);
/* And the rows of this one. */
int postgres_query(struct postgres_conn *c, enum postgres_sql which,
                   const struct postgres_args *a, struct postgres_rows *ret_rows);
/* Text without parameters, several statements in one: what sets things up. */
int postgres_exec(struct postgres_conn *c, const char *text);
/* "WORKSPACE SEQ" of each commit of any writer, from now on; *ret_fd: see store_reader_listen(). */
int postgres_listen(struct postgres_conn *c, int *ret_fd);
/* Those that have come. 1: one was of this workspace. */
int postgres_notices(struct postgres_conn *c, int64_t ws);
/* Rows of COPY's binary format, without its header, by this statement. The server works at what was added
 * while more is made; whatever else is sent ends it, and so finds its error. */
int postgres_copy_begin(struct postgres_conn *c, const char *text);
int postgres_copy_add(struct postgres_conn *c, struct str rows);
int postgres_copy_end(struct postgres_conn *c);

bool postgres_is_null(const struct postgres_rows *rows, int row, int column);
int64_t postgres_int(const struct postgres_rows *rows, int row, int column); // 0 of NULL
struct str postgres_str(const struct postgres_rows *rows, int row, int column);

int postgres_count(const struct postgres_rows *rows);
const char *postgres_changed(const struct postgres_rows *rows); // so many, as text
const char *postgres_tag(const struct postgres_rows *rows);     // "COMMIT"
void postgres_clear(struct postgres_rows (*rows)[1]);
#define AUTO_ROWS(name)                                                                  \
    __attribute__((cleanup(postgres_clear))) struct postgres_rows name[1] = {{NULL, NULL}}
