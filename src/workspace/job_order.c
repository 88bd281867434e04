/* Which job comes first. Invariant: two jobs have an order, whatever they are, so that none is passed over
 * by others of its priority for ever. */
#include "workspace/job_order.h"

#define BACKOFF_MS 500 // the first one; each next is four times as long

/* A job of every_s is as old as its last turn. */
static int64_t
age_ms(const struct job *j)
{
    return MAX(j->submitted_ms, j->every_s > 0 ? j->run_at_ms : 0);
}

bool
job_order_is_before(const struct job *a, const struct job *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    if (age_ms(a) != age_ms(b))
        return age_ms(a) < age_ms(b);
    return strcmp(a->id, b->id) < 0;
}

bool
job_order_is_due(const struct job *j, int64_t now_ms)
{
    return j->state == JOB_PENDING && j->run_at_ms <= now_ms;
}

int64_t
job_order_next_ms(const struct job *j, int64_t now_ms)
{
    int64_t every_ms = j->every_s * 1000;
    int64_t from_ms = j->run_at_ms > 0 ? j->run_at_ms : j->submitted_ms;

    /* A clock that was set back must not put it off. */
    if (from_ms > now_ms || every_ms <= 0)
        return now_ms + MAX(every_ms, 0);
    return from_ms + ((now_ms - from_ms) / every_ms + 1) * every_ms;
}

int64_t
job_order_backoff_ms(unsigned failures)
{
    return (int64_t)BACKOFF_MS << (2 * (MIN(MAX(failures, 1u), JOBS_RETRIES_MAX) - 1));
}
