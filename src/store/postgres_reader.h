#pragma once
/* The reading side. Inside of the PostgreSQL backend; whoever holds the handle. */
#include "store/postgres.h"

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
/* Of a callback: r, or -EINTR when the read was interrupted meanwhile. */
static inline int
postgres_told(const struct postgres_tables *p, int r)
{
    return r == 0 && p->is_interrupted ? -EINTR : r;
}
/* A view for as long as needed; *ret_mine: it was begun here. Each begin has its end. */
int postgres_view_begin(struct postgres_tables *p, bool *ret_mine);
void postgres_view_end(struct postgres_tables *p, bool is_mine);
int postgres_files_by_path(struct postgres_tables *p, struct postgres_rows *ret_ids);
int postgres_row_by_id(struct postgres_tables *p, int64_t id, struct arena *a,
                       struct entity_row *ret_row);
int postgres_each_named(struct store_reader *r, struct str name, store_entity_fn fn,
                        void *ctx);
int postgres_search_text(struct store_reader *r, struct str query, size_t limit,
                         store_entity_fn fn, void *ctx);
int postgres_each_edge(struct store_reader *r, store_edge_fn fn, void *ctx);
int postgres_each_caller(struct store_reader *r, struct str name, size_t limit,
                         store_edge_fn fn, void *ctx);
int postgres_each_callee(struct store_reader *r, struct str key, size_t limit,
                         store_edge_fn fn, void *ctx);
