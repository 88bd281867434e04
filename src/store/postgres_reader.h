#pragma once
/* The reading side. Inside of the PostgreSQL backend; whoever holds the handle. */
#include "store/postgres.h"
#include "store/reader.h"

struct postgres_reader {
    struct store_reader base;
    struct postgres_tables p;
};

static inline struct postgres_reader *
postgres_reader_of(struct store_reader *r)
{
    return container_of(r, struct postgres_reader, base);
}

extern const struct store_reader_ops postgres_reader_ops;
int postgres_reader_open(const char *rest, struct store_reader **ret_reader,
                         char **ret_why);
/* ---- postgres_find.c, see reader.h ---- */
int postgres_find_named(struct store_reader *r, struct str name, struct found_list *list);
int postgres_find_callers(struct store_reader *r, struct str name,
                          struct found_list *list);
int postgres_find_words(struct store_reader *r, const struct words *words, size_t limit,
                        struct found_list *list, bool *ret_is_sure);
int postgres_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx);
int postgres_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx);
