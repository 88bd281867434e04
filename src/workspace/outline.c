/* The outline of a file as it is now. An open document is parsed anew on the interactive lane, so the
 * answer is of the text the editor shows, not of the last commit; any other file comes from the index. */
#include "base/mem.h"
#include "workspace/internal.h"

struct outline_job {
    struct pool_job pool;
    struct workspace *w;
    struct file_job file; // what index_file_work needs; never queued
    struct query_result *result;
    query_done_fn done;
    void *ctx;
};

static void
fill_rows(struct query_result *result, struct batch *b)
{
    result->arena = b->arena; // the rows point into it and may outlive the batch
    b->arena = (struct arena){0};
    result->file = b->file;
    result->rows = arena_calloc(&result->arena, MAX(b->n_entities, (size_t)1),
                                sizeof(*result->rows));
    for (size_t i = 0; i < b->n_entities; i++) {
        struct entity_row *row = &result->rows[i];

        row->e = b->entities[i];
        row->path = b->file.path;
        row->lang = b->file.lang;
        row->key = entity_key(&result->arena, row->lang, row->e.kind, row->path,
                              row->e.qualified_name, row->e.ordinal);
        if (row->e.parent != ENTITY_NONE)
            row->parent_key = result->rows[row->e.parent].key;
    }
    result->n_rows = b->n_entities;
}

static void
outline_work(struct pool_job *pool_job, unsigned worker)
{
    struct outline_job *job = container_of(pool_job, struct outline_job, pool);

    index_file_work(&job->file.pool, worker);
    fill_rows(job->result, job->file.batch);
}

static void
on_outlined(struct pool_job *pool_job, bool is_cancelled)
{
    struct outline_job *job = container_of(pool_job, struct outline_job, pool);
    struct workspace *w = job->w;

    if (is_cancelled)
        job->result->r = -EINTR;
    job->done(job->ctx, &job->result);
    query_result_destroy(job->result);
    batch_destroy(job->file.batch);
    snapshot_unref(job->file.text);
    free(job->file.path);
    free(job);
    w->n_working--;
    if (w->is_closing)
        workspace_part_closed(w);
}

void
workspace_outline(struct workspace *w, struct str path, query_done_fn done, void *ctx)
{
    struct doc *doc = documents_find(w, path);
    struct outline_job *job;

    ASSERT_LOOP();
    if (!doc || w->is_closing) {
        assert(workspace_query(w));
        query_file(w->query, path, POOL_INTERACTIVE, done, ctx);
        return;
    }
    job = xnew(struct outline_job);
    job->w = w;
    job->result = xnew(struct query_result);
    job->done = done;
    job->ctx = ctx;
    job->file.path = str_dup(path);
    job->file.text = snapshot_ref(doc->text);
    job->file.max_file_bytes = w->config->max_file_bytes;
    job->file.is_parsed_full = w->config->parse == CONFIG_PARSE_FULL;
    job->file.tools = w->all->tools;
    w->n_working++;
    pool_submit(w->all->pool, POOL_INTERACTIVE, &job->pool, outline_work, on_outlined);
}
