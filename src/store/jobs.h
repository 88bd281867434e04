#pragma once
/* A job as every backend has it: texts and numbers, in the order of JOB_COLUMNS. Inside of src/store; whoever
 * holds the handle. */
#include "store/backend.h"

enum job_text {
    JOB_ID,
    JOB_KIND,
    JOB_STATE,
    JOB_REQUEST,
    JOB_RESULT,
    JOB_ERROR,
    JOB_TEXTS
};
#define JOB_NUMBERS 11
#define JOB_COLUMNS                                                                      \
    "id,kind,state,request,result,error,priority,attempts,failures,runs,done,total,"     \
    "every_s,submitted_ms,run_at_ms,started_ms,ended_ms"

struct job_row {
    struct str texts[JOB_TEXTS]; // views; empty: none
    int64_t numbers[JOB_NUMBERS];
};

/* Views into the job. */
void job_row_of(const struct job *job, struct job_row *ret_row);
/* A new one, the caller's. NULL: it makes no sense, or is a newer version's, and is left out. */
struct job *job_row_read(const struct job_row *row) MUST_USE;
