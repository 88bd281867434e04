/* The workspaces of this process: one per real root, all on one pool. A workspace that two editors
 * acquire is the same object, so there is one index, one writer and one set of servers for it. */
#include <sys/stat.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "rt/watch.h"
#include "workspace/internal.h"

#define GONE_EVENTS 4 // deleted workspaces whose events are kept

/* Editors of the same user want to watch, too. */
static size_t
watch_share(const struct config *config)
{
    size_t n = watch_user_max();

    if (config->max_watches)
        return config->max_watches;
    return n ? n / 4 * 3 : INT32_MAX;
}

struct workspaces *
workspaces_open(struct loop *l, const struct workspaces_options *options)
{
    struct workspaces *all = xnew(struct workspaces);
    unsigned n =
        options->config->jobs ? (unsigned)options->config->jobs : loop_cpu_count();

    all->loop = l;
    all->options = *options;
    list_init(&all->all);
    list_init(&all->gone);
    all->watches.n_max = watch_share(options->config);
    all->jobs_timer = timer_open(l, jobs_on_timer, all);
    all->editor_timer = timer_open(l, editor_on_rest, all);
    all->editor_ms = WORKSPACES_EDITOR_MS;
    all->pool = pool_create(l, MIN(n + 1, POOL_THREADS_MAX)); // one waits for editors
    all->n_tools = pool_size(all->pool);
    all->tools = xcalloc(all->n_tools, sizeof(*all->tools));
    for (unsigned i = 0; i < all->n_tools; i++) {
        all->tools[i].parser = parser_create();
        all->tools[i].extractor = extractor_create();
        all->tools[i].bodies = bodies_create();
    }
    return all;
}

static void
on_pool_closed(void *ctx)
{
    struct workspaces *all = ctx;
    void (*on_closed)(void *) = all->on_closed;
    void *closed_ctx = all->closed_ctx;

    for (unsigned i = 0; i < all->n_tools; i++) {
        parser_destroy(all->tools[i].parser);
        extractor_destroy(all->tools[i].extractor);
        bodies_destroy(all->tools[i].bodies);
        buf_finish(&all->tools[i].text);
    }
    free(all->tools);
    list_for_each_safe (it, &all->gone)
        workspace_destroy(list_entry(it, struct workspace, link));
    free(all);
    on_closed(closed_ctx);
}

/* Somebody may point to it until the end, and has perhaps not read its last events. Those before it have had
 * the time of GONE_EVENTS others. */
static void
keep_gone(struct workspaces *all, struct workspace *w)
{
    size_t n = 0;

    jobs_destroy(w->background);
    w->background = jobs_create(w);
    list_add(&all->gone, &w->link);
    for (const struct list *it = all->gone.prev; it != &all->gone; it = it->prev) {
        const struct workspace *old = list_entry(it, const struct workspace, link);

        if (n++ < GONE_EVENTS)
            continue;
        bus_set_head(old->bus, bus_head(old->bus));
        return;
    }
}

void
workspaces_forget(struct workspaces *all, struct workspace *w)
{
    list_remove(&w->link);
    if (w->is_deleted)
        keep_gone(all, w);
    all->n_open--;
    if (all->is_closing && all->n_open == 0)
        pool_close(all->pool, on_pool_closed, all);
}

void
workspaces_close(struct workspaces *all, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!all->is_closing);
    all->is_closing = true;
    timer_close(steal(all->jobs_timer));
    timer_close(steal(all->editor_timer));
    all->on_closed = on_closed;
    all->closed_ctx = ctx;
    if (all->n_open == 0) {
        pool_close(all->pool, on_pool_closed, all);
        return;
    }
    list_for_each_safe (it, &all->all)
        workspace_close(list_entry(it, struct workspace, link));
}

struct pool *
workspaces_pool(const struct workspaces *all)
{
    return all->pool;
}

struct workspace *
workspaces_at(const struct workspaces *all, size_t index)
{
    list_for_each (it, &all->all)
        if (index-- == 0)
            return list_entry(it, struct workspace, link);
    return NULL;
}

struct workspace *
workspaces_by_id(const struct workspaces *all, struct str id)
{
    list_for_each (it, &all->all) {
        struct workspace *w = list_entry(it, struct workspace, link);
        if (str_eq_c(id, w->id))
            return w;
    }
    return NULL;
}

int
workspaces_acquire(struct workspaces *all, const char *root, bool is_trusted,
                   struct workspace **ret_workspace)
{
    struct fs_stat st;
    char *real = NULL;
    int r;

    ASSERT_LOOP();
    if (all->is_closing)
        return -ESHUTDOWN;
    r = fs_real_path(root, &real);
    if (r < 0)
        return r;
    list_for_each (it, &all->all) {
        struct workspace *w = list_entry(it, struct workspace, link);
        if (strcmp(w->root, real) == 0) {
            free(real);
            if (is_trusted)
                asking_trust(w);
            *ret_workspace = w;
            return 0;
        }
    }
    r = fs_stat_file(real, &st);
    if (r == 0 && (st.mode & S_IFMT) != S_IFDIR)
        r = -ENOTDIR;
    if (r == 0 && all->n_open >= WORKSPACE_COUNT_MAX)
        r = -EMFILE;
    if (r < 0) {
        free(real);
        return r;
    }
    r = workspace_create(all, real, NULL, ret_workspace);
    if (r == 0) {
        (*ret_workspace)->is_trusted = is_trusted;
        list_add(&all->all, &(*ret_workspace)->link);
        all->n_open++;
    }
    return r;
}
