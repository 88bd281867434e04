#pragma once
/* The reading side. Inside of the SQLite backend; whoever holds the handle. */
#include "store/reader.h"
#include "store/shared.h"
#include "store/sqlite_rows.h"

struct sqlite_reader {
    struct store_reader base;
    struct sqlite_conn c;
};

static inline struct sqlite_reader *
sqlite_reader_of(struct store_reader *r)
{
    return container_of(r, struct sqlite_reader, base);
}

/* Beside an index in which a reader met damage: the next writer reads the whole file first. */
#define SQLITE_DOUBT ".doubt"
void sqlite_leave_doubt(struct sqlite_conn *c);

extern const struct store_reader_ops sqlite_reader_ops;
int sqlite_reader_open(const char *rest, struct store_reader **ret_reader,
                       char **ret_why);

/* ---- sqlite_find.c, see reader.h ---- */

int sqlite_find_named(struct store_reader *r, struct str name, struct found_list *list);
int sqlite_find_callers(struct store_reader *r, struct str name, struct found_list *list);
int sqlite_find_words(struct store_reader *r, const struct words *words, size_t limit,
                      struct found_list *list, bool *ret_is_sure);

/* ---- sqlite_letters.c ---- */

int sqlite_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx);
/* ---- sqlite_jobs.c ---- */
int sqlite_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx);
