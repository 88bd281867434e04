#pragma once
/* Events that other processes commit (store_can_follow). Part of query.h, which includes it. Loop. */
#include "base/base.h"
#include "rt/pool.h"

struct query_follower;
struct query_result;

/* Borrows the result. First info with the index as it is, then each event once, in order, with info; r < 0: the
 * connection was lost, and is tried again until it goes on with what came meanwhile. */
typedef void (*query_news_fn)(void *ctx, struct query_result **result);
struct query_follower *query_follow(struct loop *l, struct pool *pool, const char *url,
                                    query_news_fn on_news, void *ctx) MUST_USE;
void query_follower_look(struct query_follower *f); // now, though nobody told
/* No news after this; frees itself. */
void query_follower_close(struct query_follower *f, void (*on_closed)(void *ctx),
                          void *ctx);
