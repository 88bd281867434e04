/* An editor's request makes room at once, in all workspaces: beside clangd on both of two processors a third of all
 * hovers waited 2 to 8 ms for one. Writers leave it, too: beside a COMMIT, which no kernel without preemption takes its
 * processor from, one of fifteen waited 2 ms. And workers, with short reads nobody waits for: a kernel that is fair lets
 * one that just woke finish its read (0.4 ms for a file's rows, 6 for the counts) before the editor that waits for its
 * answer; of eleven hovers beyond 0.6 ms beside clangd, six waited for that. Short turns for the loop gained nothing. */
#include "workspace/internal.h"

void
editor_make_room(struct workspace *w)
{
    bool is_asking = w->all->editor_timer && timer_is_armed(w->all->editor_timer);

    if (w->enrich)
        enrich_leave_processor(w->enrich, is_asking);
    if (w->writer)
        writer_leave_processor(w->writer, is_asking);
}

static void
make_room(struct workspaces *all)
{
    pool_leave_processor(all->pool, timer_is_armed(all->editor_timer));
    list_for_each (it, &all->all)
        editor_make_room(list_entry(it, struct workspace, link));
}

void
editor_on_rest(void *ctx)
{
    make_room(ctx);
}

void
workspace_yield(struct workspace *w)
{
    ASSERT_LOOP();
    struct workspaces *all = w->all;
    bool was_asking = all->editor_timer && timer_is_armed(all->editor_timer);

    if (w->enrich)
        enrich_yield(w->enrich);
    if (!all->editor_timer)
        return; // all is closing
    timer_start(all->editor_timer, all->editor_ms, 0);
    if (!was_asking)
        make_room(all);
}
