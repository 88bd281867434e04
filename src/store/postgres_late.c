/* Rows that only come wait in memory as COPY wants them, for COPY writes a row at a third of the cost of
 * an INSERT; few of them are inserted all the same, since each COPY is two more ways to the server and
 * back. Invariant: nothing looks at a table of which rows wait here; a rollback drops them. */
#include "store/postgres.h"

#include <endian.h>

#include "base/err.h"

#define FEW_ROWS 16
#define LATE_BYTES_MAX (8 << 20) // of one table, then they go
#define STREAM_BYTES (32 << 10)  // of entities, then the server begins with them

static const struct {
    enum postgres_sql insert;
    const char *copy;
} tables[LATE_COUNT] = {
    [LATE_FILE] = {PG_FILE_ADD,
                   "COPY gloss.file(id,ws,path_hash,path,lang,state,reason,size_bytes,"
                   "mtime_ns,inode,content,content_gen,text_gen,n_entities,n_edges,"
                   "log_seq,server_key) FROM STDIN (FORMAT binary)"},
    [LATE_UNKNOWN] = {PG_UNKNOWN_ADD,
                      "COPY gloss.unknown(file_id,reason,n) FROM STDIN (FORMAT binary)"},
    [LATE_ENTITY] = {PG_ENTITY_ADD,
                     "COPY gloss.entity(id,what,name,qualified,signature,doc,parent,hash,"
                     "rev,places,hover,hover_id) FROM STDIN (FORMAT binary)"},
    [LATE_EDGE] = {PG_EDGE_ADD,
                   "COPY gloss.edge(file_id,edges) FROM STDIN (FORMAT binary)"},
    [LATE_EVENT] = {PG_EVENT_ADD, "COPY gloss.event(ws,seq,type,ts_ms,subject,data) FROM "
                                  "STDIN (FORMAT binary)"},
};

void
postgres_late_add(struct postgres_tables *p, enum postgres_late which,
                  const struct postgres_args *a)
{
    struct buf *b = &p->late[which].rows;
    uint16_t n = htobe16((uint16_t)a->n);
    buf_add(b, &n, sizeof(n));
    for (int i = 0; i < a->n; i++) {
        uint32_t length = htobe32(a->values[i] ? (uint32_t)a->lengths[i] : UINT32_MAX);
        buf_add(b, &length, sizeof(length));
        if (a->values[i])
            buf_add(b, a->values[i], (size_t)a->lengths[i]);
    }
    p->late[which].n++;
}

/* One row back out of its bytes; what is behind it. */
static const char *
take_row(const char *at, struct postgres_args *a)
{
    uint16_t n;
    uint32_t length;
    memcpy(&n, at, sizeof(n));
    at += sizeof(n);
    for (int i = be16toh(n); i > 0; i--) {
        memcpy(&length, at, sizeof(length));
        at += sizeof(length);
        length = be32toh(length);
        if (length == UINT32_MAX) {
            postgres_arg_null(a);
            continue;
        }
        postgres_arg_str(a, str_slice(at, length));
        at += length;
    }
    return at;
}

static int
insert_rows(struct postgres_tables *p, enum postgres_late which)
{
    const struct buf *b = &p->late[which].rows;
    int r = 0;
    for (const char *at = b->p; at < b->p + b->n && r == 0;) {
        struct postgres_args args = {.n = 0};
        at = take_row(at, &args);
        r = postgres_send(&p->c, tables[which].insert, &args);
    }
    return r;
}

static int
flush_one(struct postgres_tables *p, enum postgres_late which)
{
    struct postgres_late_rows *late = &p->late[which];
    int r = 0;
    if (late->n == 0)
        return 0;
    if (late->n < FEW_ROWS)
        r = insert_rows(p, which);
    else
        r = postgres_copy_begin(&p->c, tables[which].copy);
    if (r == 0 && p->c.is_copying)
        r = postgres_copy_add(&p->c, buf_str(&late->rows));
    if (r == 0 && p->c.is_copying)
        r = postgres_copy_end(&p->c);
    buf_reset(&late->rows);
    late->n = 0;
    return r;
}

/* Most of the work is the server's, and most of that is entities: it does it while files behind them are
 * looked at here. Their COPY stays open until something else is sent. */
static int
stream_entities(struct postgres_tables *p)
{
    struct postgres_late_rows *late = &p->late[LATE_ENTITY];
    int r = p->c.is_copying ? 0 : postgres_copy_begin(&p->c, tables[LATE_ENTITY].copy);
    if (r == 0)
        r = postgres_copy_add(&p->c, buf_str(&late->rows));
    buf_reset(&late->rows);
    late->n = 0;
    return err_trace(r);
}

int
postgres_late_flush(struct postgres_tables *p)
{
    int r = p->c.is_copying ? stream_entities(p) : 0;
    if (r == 0 && p->c.is_copying)
        r = postgres_copy_end(&p->c);
    for (enum postgres_late i = 0; i < LATE_COUNT && r == 0; i++)
        r = flush_one(p, i);
    return err_trace(r);
}

int
postgres_late_limit(struct postgres_tables *p)
{
    for (enum postgres_late i = 0; i < LATE_COUNT; i++)
        if (p->late[i].rows.n > LATE_BYTES_MAX)
            return postgres_late_flush(p);
    return p->late[LATE_ENTITY].rows.n > STREAM_BYTES ? stream_entities(p) : 0;
}

void
postgres_late_drop(struct postgres_tables *p)
{
    for (enum postgres_late i = 0; i < LATE_COUNT; i++) {
        buf_reset(&p->late[i].rows);
        p->late[i].n = 0;
    }
}

/* ---- what may be there ---- */

static void
insert_hash(struct postgres_known *k, uint64_t hash)
{
    size_t at = hash & (k->cap - 1);
    while (k->v[at] != 0 && k->v[at] != hash)
        at = (at + 1) & (k->cap - 1);
    k->n += k->v[at] == 0;
    k->v[at] = hash;
}

void
postgres_known_add(struct postgres_known *k, uint64_t hash)
{
    if ((k->n + 1) * 2 > k->cap) {
        struct postgres_known was = *k;
        k->cap = MAX(was.cap * 2, (size_t)1024);
        k->v = xcalloc(k->cap, sizeof(*k->v));
        k->n = 0;
        for (size_t i = 0; i < was.cap; i++)
            if (was.v[i] != 0)
                insert_hash(k, was.v[i]);
        free(was.v);
    }
    insert_hash(k, hash | (hash == 0));
}

bool
postgres_known_has(const struct postgres_known *k, uint64_t hash)
{
    hash |= hash == 0;
    if (k->cap == 0)
        return false;
    for (size_t at = hash & (k->cap - 1); k->v[at] != 0; at = (at + 1) & (k->cap - 1))
        if (k->v[at] == hash)
            return true;
    return false;
}

void
postgres_known_reset(struct postgres_known *k)
{
    free(steal(k->v));
    k->n = k->cap = 0;
}
