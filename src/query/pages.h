#pragma once
/* Answers that come in pages: all entities in the order of their places, and searches with more results than
 * one answer takes. Part of query.h. */
#include "base/base.h"
#include "base/str.h"

#define QUERY_MATCHES_MAX 100000
#define QUERY_LIST_BYTES_MAX                                                             \
    (256u << 10) // of the text of one page's rows; a page has one at least

struct query;
struct query_result;
struct query_search;
struct query_ticket; // a running question; valid until its done

/* Borrows the result: it ends with the call unless stolen by setting *result to NULL. */
typedef void (*query_done_fn)(void *ctx, struct query_result **result);

/* Where the next page begins: behind `offset` entities of this file. path.n 0: the beginning; of a
 * result: there is no next page. */
struct query_place {
    struct str path;
    uint64_t offset;
};

/* Entities by path and place that `filter` lets through (its text is not looked at), at most its limit: rows
 * and `next`. A page may have fewer rows, or none, and still a next one. A file that changed since the page
 * before is taken as it is now. */
struct query_ticket *query_list(struct query *q, const struct query_search *filter,
                                const struct query_place *from, query_done_fn done,
                                void *ctx);

/* One of those that a search found, best first. */
struct query_match {
    int64_t id;
    double score;
};

/* As query_search, but with a limit up to QUERY_MATCHES_MAX and without rows: matches. */
struct query_ticket *query_matches(struct query *q, const struct query_search *search,
                                   query_done_fn done, void *ctx);
/* The rows of some matches of this search, in their order; without those that are gone since, or are
 * something else. */
struct query_ticket *query_match_rows(struct query *q, const struct query_search *search,
                                      const struct query_match *matches, size_t n,
                                      query_done_fn done, void *ctx);
