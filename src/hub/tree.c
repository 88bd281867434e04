/* Why: a text of some megabytes takes a worker the best part of a second to read, and on the loop everybody would wait
 * for it. Invariant: a worker sees the text and nothing else; what it made comes back to the loop, also when nobody
 * wants it any more. */
#include "hub/tree.h"

#include "base/mem.h"
#include "codec/codec.h"
#include "rt/pool.h"
#include "workspace/workspace.h"

struct tree_read {
    struct pool_job job;
    struct list link; // the hub's
    struct hub *hub;
    struct buf text;
    size_t values_max, n_bytes;
    struct tree tree;
    tree_done_fn done; // NULL: nobody waits any more
    void *owner;
};

void
tree_finish(struct tree *t)
{
    json_decref(t->json);
    free(t->why);
    *t = (struct tree){0};
}

struct tree
tree_make(struct str text, size_t values_max)
{
    struct tree t = {.is_too_many = codec_count_values(text, values_max) > values_max};
    if (!t.is_too_many)
        codec_parse(text, &t.json, &t.why);
    return t;
}

/* Nobody waits for it. */
struct tree_drop {
    struct pool_job job;
    json_t *json;
};

static void
drop(struct pool_job *job, unsigned worker UNUSED)
{
    json_decref(steal(container_of(job, struct tree_drop, job)->json));
}

static void
on_dropped(struct pool_job *job, bool is_cancelled UNUSED)
{
    struct tree_drop *dropped = container_of(job, struct tree_drop, job);
    json_decref(dropped->json); // of one that was cancelled
    free(dropped);
}

void
tree_drop(struct hub *h, json_t *json)
{
    if (!json)
        return;
    struct tree_drop *dropped = xnew(struct tree_drop);
    dropped->json = json;
    pool_submit(workspaces_pool(h->workspaces), POOL_BULK, &dropped->job, drop,
                on_dropped);
}

static void
work(struct pool_job *job, unsigned worker UNUSED)
{
    struct tree_read *read = container_of(job, struct tree_read, job);
    read->tree = tree_make(buf_str(&read->text), read->values_max);
}

static void
on_worked(struct pool_job *job, bool is_cancelled)
{
    struct tree_read *read = container_of(job, struct tree_read, job);
    struct hub *h = read->hub;
    list_remove(&read->link);
    h->body_bytes -= read->n_bytes;
    if (read->done && !is_cancelled)
        read->done(read->owner, &read->text, &read->tree);
    buf_finish(&read->text);
    tree_drop(h, steal(read->tree.json));
    tree_finish(&read->tree);
    free(read);
    hub_check_closing(h);
}

struct tree_read *
tree_read_begin(struct hub *h, struct buf *text, size_t values_max, tree_done_fn done,
                void *owner)
{
    struct tree_read *read = xnew(struct tree_read);
    read->hub = h;
    read->text = *text;
    *text = (struct buf){0};
    read->n_bytes = read->text.n;
    read->values_max = values_max;
    read->done = done;
    read->owner = owner;
    h->body_bytes += read->n_bytes;
    list_add(&h->reads, &read->link);
    pool_submit(workspaces_pool(h->workspaces), POOL_INTERACTIVE, &read->job, work,
                on_worked);
    return read;
}

void
tree_read_abandon(struct tree_read *read)
{
    if (!read)
        return;
    read->done = NULL;
    pool_cancel(workspaces_pool(read->hub->workspaces), &read->job);
}
