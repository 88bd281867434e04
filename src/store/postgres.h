#pragma once
/* The PostgreSQL backend, inside: one workspace of the many that share a database. Whoever holds the
 * handle; a writer and a reader both begin with what lies in the tables. */
#include "store/postgres_conn.h"
#include "store/shared.h"

#define POSTGRES_SCHEMA_VERSION 4
#define POSTGRES_WORKSPACE_SHIFT 28 // of a file's id
#define POSTGRES_PAGE 4096          // rows of one answer
#define POSTGRES_EVENTS 256         // and of the log, where they are large
#define POSTGRES_PLACES_BYTES 64    // of an entity

/* Rows that only come, in the format of COPY, until somebody looks at their table or commits. */
enum postgres_late {
    LATE_FILE,
    LATE_UNKNOWN,
    LATE_ENTITY,
    LATE_EDGE,
    LATE_EVENT,
    LATE_COUNT
};

struct postgres_late_rows {
    struct buf rows;
    size_t n;
};

/* Hashes of what may be there; what is not among them surely is not. */
struct postgres_known {
    uint64_t *v; // open addressing, 0 is free
    size_t n, cap;
};

struct postgres_tables {
    struct tables base;
    struct postgres_conn c;
    int64_t ws; // workspace.id
    char *name; // workspace.name; NULL: the only one of the database
    /* The writer's: */
    struct postgres_late_rows late[LATE_COUNT];
    bool is_writer, is_begun; // BEGIN was sent
    bool is_lost;             // another engine wrote while the connection was cut
    int64_t head, n_commits, last_file_id, last_past_id;
    int64_t added_id;   // of a file, as long as it has nothing to be replaced
    int64_t gave_up_ms; // when no connection was to be had any more, 0: there was
    int64_t was_head, was_file_id, was_past_id; // as committed
    struct postgres_known paths, told;          // contents of which hovers are known
};

struct postgres_writer {
    struct table_writer w;
    struct postgres_tables p;
    char *root; // NULL: of any
};

static inline struct postgres_tables *
postgres_tables_of(struct tables *t)
{
    return container_of(t, struct postgres_tables, base);
}

extern const struct table_reads postgres_reads;
extern const struct table_writes postgres_writes;
extern const struct store_writer_ops postgres_writer_ops;

/* ---- postgres_schema.c, postgres_open.c ---- */
int postgres_version(struct postgres_conn *c, int64_t *ret_version);
int postgres_migrate(struct postgres_conn *c, char **ret_why);
int postgres_writer_open(const char *rest, const char *root,
                         struct store_writer **ret_writer, struct store_info *ret_info,
                         char **ret_why);
void postgres_writer_close(struct store_writer *w);
void postgres_tables_finish(struct postgres_tables *p);
/* A connection again, with back-off, and the lock; -EBUSY when there is none after a while. */
int postgres_reconnect(struct postgres_tables *p);

/* ---- postgres_rows.c ---- */
int postgres_file_read(const struct postgres_rows *rows, int row, struct arena *a,
                       struct file_stored *ret_file);
int postgres_entity_read(const struct postgres_rows *rows, int row, struct arena *a,
                         struct entity_stored *ret_entity);
void postgres_entity_args(const struct entity_stored *s, char places[],
                          struct postgres_args *a);
void postgres_hover_args(const struct entity_stored *s, struct postgres_args *a);
/* 1 or below 0. */
int postgres_past_read(const struct postgres_rows *rows, struct arena *a,
                       struct past_row *ret_row);

/* ---- postgres_late.c ---- */
void postgres_late_add(struct postgres_tables *p, enum postgres_late which,
                       const struct postgres_args *a);
int postgres_late_flush(struct postgres_tables *p);
/* Only when so much waits that it would weigh. */
int postgres_late_limit(struct postgres_tables *p);
void postgres_late_drop(struct postgres_tables *p);
void postgres_known_add(struct postgres_known *k, uint64_t hash);
bool postgres_known_has(const struct postgres_known *k, uint64_t hash);
void postgres_known_reset(struct postgres_known *k);
/* ---- postgres_text.c, postgres_letters.c ---- */
int postgres_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);
#define POSTGRES_WORD_BYTES_MAX 1024 // a lexeme has at most twice as many
/* Of a word what the index keeps. */
struct str postgres_lexeme(struct str word);
/* Stands for exactly this name: 'n' of an entity, 'c' of what is called. */
void postgres_ident(struct buf *b, char mark, struct str name);
void postgres_gauges(const struct store_writer *w, struct store_gauges *ret_gauges);
int postgres_each_letter(struct store_writer *w, store_letter_fn fn, void *ctx);
int postgres_put_letter(struct store_writer *w, const struct dead_letter *letter);
int postgres_drop_letter(struct store_writer *w, int64_t id);
/* ---- postgres_jobs.c ---- */
int postgres_each_job(struct store_writer *w, store_job_fn fn, void *ctx);
int postgres_put_job(struct store_writer *w, const struct job *job);
int postgres_drop_job(struct store_writer *w, struct str id);
