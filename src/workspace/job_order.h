#pragma once
/* Which job comes first, and when one comes again. Pure. */
#include "model/job.h"

#define JOBS_RETRIES_MAX 3 // after the first try
#define JOBS_BEGUN_MAX 10  // a job at which the engine dies so often is not begun again

/* a is begun before b, both being due. */
bool job_order_is_before(const struct job *a, const struct job *b);
bool job_order_is_due(const struct job *j, int64_t now_ms);
/* When a job of every_s is due after the run that was due at run_at_ms: what was missed is not made up for. */
int64_t job_order_next_ms(const struct job *j, int64_t now_ms);
/* How long a job waits after so many failures. */
int64_t job_order_backoff_ms(unsigned failures);
