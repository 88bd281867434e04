#pragma once
/* The reading side, and what a word is. Inside of the SQLite backend; whoever holds the handle. */
#include "store/shared.h"
#include "store/sqlite_rows.h"
#include "store/words.h"

struct sqlite_reader {
    struct store_reader base;
    struct sqlite_conn c;
};

static inline struct sqlite_reader *
sqlite_reader_of(struct store_reader *r)
{
    return container_of(r, struct sqlite_reader, base);
}

extern const struct store_reader_ops sqlite_reader_ops;
int sqlite_reader_open(const char *rest, struct store_reader **ret_reader,
                       char **ret_why);
/* A view for as long as needed; *ret_mine: it was begun here. */
int sqlite_view_begin(struct sqlite_conn *c, bool *ret_mine);
void sqlite_view_end(struct sqlite_conn *c, bool is_mine);
int sqlite_file_by_id(struct sqlite_conn *c, int64_t id, struct arena *a,
                      struct file_stored *ret_file);
int sqlite_row_by_id(struct sqlite_conn *c, int64_t id, struct arena *a,
                     struct entity_row *ret_row);

int sqlite_each_named(struct store_reader *r, struct str name, store_entity_fn fn,
                      void *ctx);
int sqlite_search_text(struct store_reader *r, struct str query, size_t limit,
                       store_entity_fn fn, void *ctx);
int sqlite_each_edge(struct store_reader *r, store_edge_fn fn, void *ctx);
int sqlite_each_caller(struct store_reader *r, struct str name, size_t limit,
                       store_edge_fn fn, void *ctx);
int sqlite_each_callee(struct store_reader *r, struct str key, size_t limit,
                       store_edge_fn fn, void *ctx);

/* ---- sqlite_rank.c ---- */

/* Makes gloss_rank(entity_text) known to the connection: of a match, the sum over the query's words
 * of the best column's weight. */
int sqlite_rank_add(struct sqlite_conn *c);
