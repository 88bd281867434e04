#pragma once
/* Reads of the index: a read connection is checked out, travels in a pool job and comes back.
 * Owns the connections. Functions on the loop; results arrive on the loop. */
#include "base/arena.h"
#include "base/base.h"
#include "model/edge.h"
#include "model/entity.h"
#include "query/follow.h"
#include "query/pages.h"
#include "rt/pool.h"
#include "store/store.h"

#define QUERY_CONNECTIONS_MAX 4
#define QUERY_CONNECTION_AGE_MS 2000    // an idle one older than this is closed,
#define QUERY_CONNECTION_KEPT_MS 600000 // but one, which the next question finds open
#define QUERY_LIMIT_MAX 1000
#define QUERY_TEXT_BYTES_MAX 1024
#define QUERY_ROWS_BYTES (4u << 20)   // of query_entities, but a file is read whole
#define QUERY_EVENTS_BYTES (1u << 20) // of query_events, but there is one

/* What an entity has to do with others; sure ones first. Found when asked, so that a definition that
 * came or went elsewhere counts at once. */
struct query_links {
    struct edge_row *callers, *callees; // calls, and who imports it or what it imports
    struct edge_row *bases, *derived;   // inherits, implements
    struct entity_row *members;         // its children
    size_t n_callers, n_callees, n_bases, n_derived, n_members;
};

/* The result of any question; owns its arena. */
struct query_result {
    struct arena arena;
    int r; // 0, -ENOENT, -EINTR (cancelled), other -errno
    struct entity_row *rows;
    size_t n_rows;
    bool is_from_table;       // of query_search: no walk over the index was needed
    struct query_links links; // of query_entity with edges, query_around
    struct entity_row *ends;  // of query_around: those its edges come from or point to
    size_t n_ends;
    struct query_match *matches; // of query_matches
    size_t n_matches;
    struct query_place next; // of query_list
    struct file file;        // of query_file
    struct str *paths;       // of query_files_after
    size_t n_paths;          // of query_entities: of how many files these are all rows
    struct store_counts counts;
    struct store_info info; // of query_counts, too
    struct event **events;  // referenced; of query_events
    size_t n_events;
};

struct query_search {
    struct str text;
    bool is_text_search; // words, "phrases" of signature, doc, hover; else fuzzy names
    const enum entity_kind *kinds; // n_kinds 0: all
    size_t n_kinds;
    struct str lang;      // empty: all
    struct str path_glob; // fnmatch(3), empty: all
    size_t limit;         // 1 … QUERY_LIMIT_MAX
};

struct query *query_open(struct loop *l, struct pool *pool, const char *url) MUST_USE;
/* Pending ones are interrupted and answered -EINTR; frees itself after the last one. */
void query_close(struct query *q, void (*on_closed)(void *ctx), void *ctx);

/* Builds the name table now; else the first search does, and is itself answered by a walk over all names. */
void query_warm(struct query *q);
/* What the index has of this file changed: told after the commit, before its event. */
void query_committed(struct query *q, struct str path);
/* The same with hovers, of this file or of any (empty). Who tells tells of each commit: from then on rows are kept. */
void query_changed(struct query *q, struct str path);
/* An editor has this file open, or no more: the rows of the last 16 are kept before anybody asks, and read anew when they changed. */
void query_opened(struct query *q, struct str path, bool is_open);
void query_cancel(
    struct query_ticket *t); // done still comes, with -EINTR unless it was quicker
struct query_ticket *query_search(struct query *q, const struct query_search *search,
                                  query_done_fn done, void *ctx);
struct query_ticket *query_entity(struct query *q, struct str key, bool with_edges,
                                  query_done_fn done, void *ctx);
/* The entity with its edges, and those at the other ends of them. */
struct query_ticket *query_around(struct query *q, struct str key, query_done_fn done,
                                  void *ctx);
/* All entities of a file, in source order, and its file row. Lane: aside if nobody waits. */
struct query_ticket *query_file(struct query *q, struct str path, enum pool_lane lane,
                                query_done_fn done, void *ctx);
/* Entities of exactly this name (definition). */
struct query_ticket *query_named(struct query *q, struct str name, query_done_fn done,
                                 void *ctx);
/* Those of this file, if it has any, else all. Of an index at rest, when it is open or was asked about before,
 * without the way to a worker. */
struct query_ticket *query_near(struct query *q, struct str name, struct str path,
                                query_done_fn done, void *ctx);
struct query_ticket *query_events(struct query *q, int64_t since, size_t limit,
                                  query_done_fn done, void *ctx);
struct query_ticket *query_counts(struct query *q, enum pool_lane lane,
                                  query_done_fn done, void *ctx);
/* The first `limit` files behind `after` (empty: all), by path, of this sender (0: all). With the next, behind who waits. */
struct query_ticket *query_files_after(struct query *q, struct str after, uint64_t sender,
                                       size_t limit, query_done_fn done, void *ctx);
/* The entities of files, file after file, until there are `limit` of them, QUERY_ROWS_BYTES or more. A file that is
 * gone has none. The paths are copied. */
struct query_ticket *query_entities(struct query *q, const struct str *paths,
                                    size_t n_paths, size_t limit, query_done_fn done,
                                    void *ctx);
/* Paths of files that have something to ask a server about: rows with path and lang only. Aside. */
struct query_ticket *query_unasked(struct query *q, query_done_fn done, void *ctx);
void query_result_destroy(struct query_result *result);

/* ---- the same without a loop, for a command that opens the index by itself; any thread ---- */
int query_search_now(struct store_reader *r, const struct query_search *search,
                     struct arena *a, struct entity_row **ret_rows, size_t *ret_n);

/* Of an entity of this reader; at most QUERY_LIMIT_MAX of each. */
int query_links_now(struct store_reader *r, const struct entity_row *row, struct arena *a,
                    struct query_links *ret_links);

/* What is wrong with a path_glob and how to write it, or NULL. A search takes it all the same, by the
 * letter; whoever types one wants to know. Pure. */
const char *query_glob_fault(struct str pattern);
