#pragma once
/* The name table's life on the loop: which view questions are given, what was committed since, when it
 * is built anew. Built at the first search or query_warm(); a search brings it up to date itself. */
#include "base/map.h"
#include "query/names.h"
#include "rt/timer.h"

#define TABLE_DIRTY_MAX 256 // files a search reads again; with more, the index is scanned
#define TABLE_SETTLE_MS 200 // after a commit the table follows by itself
#define TABLE_OVERLAY_ENTITIES_MAX 50000 // then all is built anew

struct query_ticket;

enum table_use { TABLE_UNUSED, TABLE_SEARCH, TABLE_REFRESH, TABLE_BUILD };

struct names_table {
    struct names_view *view; // NULL: not built yet
    struct map *dirty;       // path → when, of those committed since
    uint64_t now;            // counts commits
    uint64_t build_at;       // `now` when the build under way began
    bool is_building, is_build_wanted;
    struct timer *timer;
};

/* What a ticket borrows from the table and brings back. */
struct table_loan {
    enum table_use use;
    struct names_view *view;  // referenced; NULL: scan the index
    struct names_view *fresh; // made by the worker; the table's if nobody was quicker
    struct str *paths;        // committed since the view was made; in the ticket's arena
    size_t n_paths;
    uint64_t at;
};

void table_init(struct names_table *table, struct loop *l, void (*on_timer)(void *ctx),
                void *ctx);
void table_finish(struct names_table *table);
void table_committed(struct names_table *table, struct str path);
void table_want(struct names_table *table);
/* What the timer finds to do. */
enum table_use table_next(const struct names_table *table);
/* Before the ticket goes to its worker, and when it is back (also when it never ran). */
void table_lend(struct names_table *table, struct table_loan *loan, struct arena *a);
void table_take(struct names_table *table, struct table_loan *loan);
