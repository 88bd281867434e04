/* Keeps the name table true: commit mail marks paths, and who uses the table next reads these files
 * again into a small segment on top. Invariant: every path committed after the view was made is in
 * `dirty`, so view and dirty paths together are never behind what the loop was told. */
#include "query/table.h"

#include "base/mem.h"

void
table_init(struct names_table *table, struct loop *l, void (*on_timer)(void *ctx),
           void *ctx)
{
    *table = (struct names_table){.dirty = map_create()};
    table->timer = timer_open(l, on_timer, ctx);
}

void
table_finish(struct names_table *table)
{
    timer_close(table->timer);
    map_destroy(table->dirty);
    names_view_unref(table->view);
}

void
table_committed(struct names_table *table, struct str path)
{
    if (!table->view && !table->is_building)
        return; // it will be built from what is there then
    table->now++;
    map_put(table->dirty, path, (void *)(uintptr_t)table->now);
    if (!timer_is_armed(table->timer))
        timer_start(table->timer, TABLE_SETTLE_MS, 0);
}

void
table_want(struct names_table *table)
{
    if (table->view || table->is_building || table->is_build_wanted)
        return;
    table->is_build_wanted = true;
    timer_start(table->timer, 0, 0);
}

enum table_use
table_next(const struct names_table *table)
{
    size_t n_dirty = map_count(table->dirty);
    if (table->is_building)
        return TABLE_UNUSED;
    if (table->is_build_wanted || n_dirty > TABLE_DIRTY_MAX)
        return TABLE_BUILD;
    return table->view && n_dirty > 0 ? TABLE_REFRESH : TABLE_UNUSED;
}

static void
list_dirty(const struct names_table *table, struct table_loan *loan, struct arena *a)
{
    size_t iter = 0;
    struct str path;
    void *value;
    loan->paths = arena_calloc(a, map_count(table->dirty) + 1, sizeof(*loan->paths));
    while (map_next(table->dirty, &iter, &path, &value))
        loan->paths[loan->n_paths++] = arena_str(a, path);
}

void
table_lend(struct names_table *table, struct table_loan *loan, struct arena *a)
{
    loan->at = table->now;
    switch (loan->use) {
    case TABLE_UNUSED: return;
    case TABLE_BUILD:
        table->is_building = true;
        table->build_at = table->now;
        table->is_build_wanted = false;
        return;
    case TABLE_SEARCH:
    case TABLE_REFRESH:
        table_want(table);
        if (!table->view)
            return;
        if (map_count(table->dirty) > TABLE_DIRTY_MAX) {
            if (!table->is_building)
                timer_start(table->timer, 0, 0);
            return;
        }
        loan->view = names_view_ref(table->view);
        list_dirty(table, loan, a);
        return;
    }
}

/* What was committed up to `at` is in the table now. A view that is being built may be older. */
static void
forget_dirty(struct names_table *table, uint64_t at)
{
    if (table->is_building)
        at = MIN(at, table->build_at);
    size_t iter = 0;
    struct str path;
    void *value;
    while (map_next(table->dirty, &iter, &path, &value)) {
        if ((uintptr_t)value <= at)
            map_remove(table->dirty, path);
    }
}

static void
install(struct names_table *table, struct names_view *fresh, uint64_t at)
{
    size_t n_over = 0;
    names_view_adopt(fresh);
    names_view_unref(table->view);
    table->view = fresh;
    forget_dirty(table, at);
    for (size_t i = 1; i < fresh->n_parts; i++)
        n_over += fresh->parts[i].segment->n_entities;
    if (n_over > MAX((size_t)TABLE_OVERLAY_ENTITIES_MAX, fresh->n_entities / 4))
        table->is_build_wanted = true;
    if (table->is_build_wanted || map_count(table->dirty) > 0)
        timer_start(table->timer, TABLE_SETTLE_MS, 0);
}

void
table_take(struct names_table *table, struct table_loan *loan)
{
    bool is_build = loan->use == TABLE_BUILD;
    if (is_build)
        table->is_building = false;
    if (loan->fresh) {
        if (is_build || table->view == loan->view)
            install(table, steal(loan->fresh), loan->at);
        else
            names_view_drop(steal(loan->fresh), loan->view);
    }
    names_view_unref(steal(loan->view));
}
