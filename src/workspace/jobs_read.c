/* What is shown of jobs: the one encoding for answers and events, and lists. */
#include "base/clock.h"
#include "codec/codec.h"
#include "workspace/errands.h"

static void
add_time(struct buf *json, const char *key, int64_t wall_ms)
{
    char time[CLOCK_ISO_BYTES];

    if (wall_ms <= 0) {
        buf_printf(json, ",\"%s\":null", key);
        return;
    }
    clock_iso8601(wall_ms, time);
    buf_printf(json, ",\"%s\":\"%s\"", key, time);
}

void
workspace_add_job(struct buf *json, const struct workspace *w, const struct job *job)
{
    const struct errand *t = errand_find(w, str_of(job->id));

    buf_printf(json, "{\"job_id\":\"%s\",\"kind\":\"%s\",\"status\":\"%s\"", job->id,
               job_kind_name(job->kind), job_state_name(job->state));
    buf_printf(json, ",\"workspace\":\"%s\",\"priority\":%d", workspace_id(w),
               job->priority);
    add_time(json, "created_at", job->submitted_ms);
    add_time(json, "run_at", job->run_at_ms);
    if (job->every_s > 0)
        buf_printf(json, ",\"every_s\":%" PRId64, job->every_s);
    add_time(json, "started_at", job->started_ms);
    add_time(json, "completed_at", job->ended_ms);
    buf_printf(json, ",\"attempts\":%u,\"failures\":%u,\"runs\":%" PRId64, job->attempts,
               job->failures, job->runs);
    buf_printf(json, ",\"progress\":{\"done\":%" PRId64 ",\"total\":%" PRId64 "}",
               job->done, job->total);
    if (t && t->is_cancelled && !job_has_ended(job))
        buf_add_cstr(json, ",\"is_cancelling\":true");
    buf_printf(json, ",\"result\":%s,\"error\":", job->result ? job->result : "null");
    codec_add_text(json, job->error);
    buf_add_char(json, '}');
}

const struct job *
workspace_find_job(const struct workspace *w, struct str id)
{
    const struct errand *t = errand_find(w, id);

    return t ? t->job : NULL;
}

void
workspace_each_job(const struct workspace *w,
                   bool (*fn)(void *ctx, const struct job *job), void *ctx)
{
    const struct jobs *jobs = w->background;

    list_for_each (it, &jobs->running)
        if (!fn(ctx, list_entry(it, struct errand, link)->job))
            return;
    list_for_each (it, &jobs->pending)
        if (!fn(ctx, list_entry(it, struct errand, link)->job))
            return;
    for (const struct list *it = jobs->ended.prev; it != &jobs->ended; it = it->prev)
        if (!fn(ctx, list_entry(it, const struct errand, link)->job))
            return;
}

struct jobs_counts
workspace_jobs_counts(const struct workspace *w)
{
    const struct jobs *jobs = w->background;

    return (struct jobs_counts){.pending = jobs->n_pending,
                                .running = jobs->n_running,
                                .failed = jobs->n_failed,
                                .ended = jobs->n_ended,
                                .completed_ever = jobs->completed_ever,
                                .failed_ever = jobs->failed_ever,
                                .cancelled_ever = jobs->cancelled_ever};
}
