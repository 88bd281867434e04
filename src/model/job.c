/* Jobs: names, and life. */
#include "model/job.h"

#include "base/hash.h"
#include "base/mem.h"

#define ID_RANDOM_BYTES 8

static const char *const kinds[JOB_KIND_COUNT] = {
    [JOB_REINDEX] = "reindex",
    [JOB_ENRICH] = "enrich",
    [JOB_INGEST] = "ingest",
    [JOB_RETRY] = "retry",
};

static const char *const states[JOB_STATE_COUNT] = {
    [JOB_PENDING] = "pending",     [JOB_RUNNING] = "running",
    [JOB_COMPLETED] = "completed", [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled",
};

const char *
job_kind_name(enum job_kind kind)
{
    assert((unsigned)kind < JOB_KIND_COUNT);
    return kinds[kind];
}

const char *
job_state_name(enum job_state state)
{
    assert((unsigned)state < JOB_STATE_COUNT);
    return states[state];
}

static int
find_name(const char *const *names, int n, struct str name)
{
    for (int i = 0; i < n; i++)
        if (str_eq_c(name, names[i]))
            return i;
    return -ENOENT;
}

int
job_kind_parse(struct str name, enum job_kind *ret_kind)
{
    int i = find_name(kinds, JOB_KIND_COUNT, name);
    if (i < 0)
        return i;
    *ret_kind = (enum job_kind)i;
    return 0;
}

int
job_state_parse(struct str name, enum job_state *ret_state)
{
    int i = find_name(states, JOB_STATE_COUNT, name);
    if (i < 0)
        return i;
    *ret_state = (enum job_state)i;
    return 0;
}

bool
job_has_ended(const struct job *j)
{
    switch (j->state) {
    case JOB_COMPLETED:
    case JOB_FAILED:
    case JOB_CANCELLED: return true;
    case JOB_PENDING:
    case JOB_RUNNING:
    case JOB_STATE_COUNT: break;
    }
    return false;
}

bool
job_id_is_wellformed(struct str id)
{
    if (id.n != JOB_ID_BYTES - 1 || !str_starts_with(id, STR("j-")))
        return false;
    for (size_t i = 2; i < id.n; i++)
        if (hex_value(id.p[i]) < 0)
            return false;
    return true;
}

struct job *
job_create(enum job_kind kind)
{
    struct job *j = xnew(struct job);
    char *hex = random_hex(ID_RANDOM_BYTES);
    list_init(&j->link);
    snprintf(j->id, sizeof(j->id), "j-%s", hex);
    free(hex);
    j->kind = kind;
    return j;
}

struct job *
job_copy(const struct job *j)
{
    struct job *copy = xmemdup(j, sizeof(*j));
    list_init(&copy->link);
    copy->request = xstrdup(j->request);
    copy->result = xstrdup(j->result);
    copy->error = xstrdup(j->error);
    return copy;
}

void
job_destroy(struct job *j)
{
    if (!j)
        return;
    free(j->request);
    free(j->result);
    free(j->error);
    free(j);
}

void
job_set_text(char **text, struct str s)
{
    free(*text);
    *text = s.n > 0 ? str_dup(s) : NULL;
}
