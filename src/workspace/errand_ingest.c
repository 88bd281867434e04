/* Entities that were handed in to be stored later. They go to the writer as those of a stream do, a batch at a time,
 * each under an idempotency key of its own: a job that is begun again finds what it has done. Invariant: one bad
 * entity fails alone. */
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "workspace/errands.h"

#define BATCH_ENTITIES 500
#define WRITER_FULL_MS 100 // then it is asked again
#define FAULTS_SHOWN 20

static void put_some(void *ctx);

const char *
errand_entities_fault(const json_t *request)
{
    const json_t *entities = codec_array(request, "entities"), *one;
    size_t i;

    if (!entities || json_array_size(entities) == 0)
        return "entities must be a list of entities, and not empty";
    json_array_foreach(
        entities, i,
        one) if (!json_is_object(one)) return "each of the entities must be an object";
    return NULL;
}

static void
end(struct errand_work *work)
{
    AUTO(buf_finish) struct buf result = {0};

    buf_printf(&result,
               "{\"stored\":%zu,\"again\":%zu,\"failed\":%zu,\"seq\":%" PRId64
               ",\"errors\":[%s]}",
               work->n_stored, work->n_again, work->n_faults, work->seq,
               work->faults.n ? work->faults.p : "");
    errand_end(work->t, &(struct errand_end){.result = buf_str(&result)});
}

static void
note_item(struct errand_work *work, const struct ingest_batch *batch,
          const struct ingest_item *item)
{
    if (!item->fault) {
        work->n_again += batch->is_again || item->is_again;
        work->n_stored += !batch->is_again && !item->is_again;
        return;
    }
    if (work->n_faults++ >= FAULTS_SHOWN)
        return;
    buf_printf(&work->faults,
               "%s{\"index\":%" PRIu64 ",\"error\":", work->faults.n ? "," : "",
               item->line);
    codec_add_string(&work->faults, str_of(item->fault));
    buf_add_char(&work->faults, '}');
}

static void
on_put(void *ctx, int r, struct ingest_batch *batch)
{
    struct errand_work *work = ctx;
    struct errand *t = errand_back(work);

    if (t && r == 0) {
        for (size_t i = 0; i < batch->n; i++)
            note_item(work, batch, &batch->v[i]);
        work->seq = MAX(work->seq, batch->seq);
        work->n_done += batch->n;
    }
    ingest_batch_destroy(batch);
    if (!t)
        return;
    if (r < 0) {
        errand_end(t, &(struct errand_end){.r = r});
        return;
    }
    errand_progress(t, work->n_done,
                    json_array_size(codec_array(work->request, "entities")));
    if (t->is_cancelled)
        errand_end(t, &(struct errand_end){.r = -ECANCELED});
    else
        put_some(work);
}

/* The key says which turn of the job, and which batch of it. */
static struct ingest_batch *
read_batch(const struct errand_work *work, const json_t *entities)
{
    struct ingest_batch *batch = ingest_batch_create();
    const struct job *job = work->t->job;
    size_t last = MIN(json_array_size(entities), work->n_done + BATCH_ENTITIES);

    batch->once = arena_printf(&batch->arena, "job %s %" PRId64 " %zu", job->id,
                               job->runs, work->n_done);
    for (size_t i = work->n_done; i < last; i++) {
        struct ingest_item *item = ingest_batch_add(batch);

        codec_read_ingest(json_array_get(entities, i), batch, item);
        item->line = i;
    }
    return batch;
}

/* What the writer has waiting is bounded, whoever sends it. */
static void
put_some(void *ctx)
{
    struct errand_work *work = ctx;
    const json_t *entities = codec_array(work->request, "entities");
    struct ingest_batch *batch;
    int r;

    if (work->n_done >= json_array_size(entities)) {
        end(work);
        return;
    }
    if (work->t->is_cancelled) {
        errand_end(work->t, &(struct errand_end){.r = -ECANCELED});
        return;
    }
    batch = read_batch(work, entities);
    work->is_waiting = true;
    r = workspace_put_entities(work->w, batch, false, on_put, work);
    if (r == 0)
        return;
    work->is_waiting = false;
    ingest_batch_destroy(batch);
    if (r == -EAGAIN)
        timer_start(work->timer, WRITER_FULL_MS, 0);
    else
        errand_end(work->t, &(struct errand_end){.r = r});
}

void
errand_ingest(struct errand_work *work)
{
    work->timer = timer_open(work->w->all->loop, put_some, work);
    put_some(work);
}
