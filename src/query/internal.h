#pragma once
/* What the files of this folder share. Nobody else includes it. */
#include "base/list.h"
#include "base/vec.h"
#include "query/find.h"
#include "query/query.h"
#include "query/table.h"

struct query_conn;

/* One question on its way: waiting → running on a pool worker → answered. */
struct query_ticket {
    struct list link; // of query.waiting, or of query.ready
    struct query *query;
    struct query_conn *conn; // while it runs
    void (*run)(struct query_ticket *t,
                struct store_reader *r); // on a worker; fills result
    struct arena arena;                  // of what is asked
    struct query_search search;
    struct str subject; // key, path or name
    struct str *paths;  // of query_near() one
    size_t n_paths;
    struct query_match *matches;
    size_t n_matches;
    struct query_place place;
    int64_t since;
    uint64_t sender;
    size_t limit;
    bool with_edges, with_ends;
    bool is_again; // its connection was lost, and it waits or runs for the second time
    bool is_cancelled; // while it ran
    enum pool_lane lane;
    struct table_loan loan;
    struct names_help help;
    struct query_result *result;
    query_done_fn done;
    void *ctx;
};

/* A deep copy. */
void query_copy_row(struct arena *a, const struct entity_row *row,
                    struct entity_row *ret_row);

/* Its kind and language; not its path and text. */
bool query_is_wanted(const struct query_search *s, const struct entity_row *row);

/* snippet.c: words and "phrases" of a text search, as they are looked for in a row. Pure. */
#define SNIPPET_TERMS_MAX 32
#define SNIPPET_BYTES_MAX 160 // of the text around the first match

struct text_terms {
    struct str all[SNIPPET_TERMS_MAX]; // views into the query
    size_t n;
    bool has_phrase;
};
void text_terms_init(struct text_terms *t, struct str query);
/* Words stand in the row by the index's own rule; this says whether the phrases do. */
bool text_has_phrases(const struct text_terms *t, const struct entity_row *row);
/* Empty when the match is in the name alone. */
struct str text_snippet(const struct text_terms *t, const struct entity_row *row,
                        struct arena *a);

/* Each fills t->result. On a worker. */
void query_run_search(struct query_ticket *t, struct store_reader *r);
void query_run_matches(struct query_ticket *t, struct store_reader *r);
void query_run_match_rows(struct query_ticket *t, struct store_reader *r);
void query_run_list(struct query_ticket *t, struct store_reader *r);
void query_run_build(struct query_ticket *t, struct store_reader *r); // the name table
void query_run_refresh(struct query_ticket *t, struct store_reader *r);
/* links.c: each entity that an edge of `links` names, once. */
int query_read_ends(struct store_reader *r, const struct query_links *links,
                    struct arena *a, struct entity_row **ret_ends, size_t *ret_n);
void query_run_entity(struct query_ticket *t, struct store_reader *r);
void query_run_file(struct query_ticket *t, struct store_reader *r);
void query_run_files(struct query_ticket *t, struct store_reader *r);
void query_run_entities(struct query_ticket *t, struct store_reader *r);
void query_run_named(struct query_ticket *t, struct store_reader *r);
void query_run_near(struct query_ticket *t, struct store_reader *r);
void query_run_events(struct query_ticket *t, struct store_reader *r);
void query_run_counts(struct query_ticket *t, struct store_reader *r);
void query_run_unasked(struct query_ticket *t, struct store_reader *r);
