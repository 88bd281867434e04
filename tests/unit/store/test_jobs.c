/* Jobs: their rows, on every backend. */

static struct job *
job_of(const char *id, enum job_kind kind, enum job_state job_state)
{
    struct job *j = job_create(kind);
    snprintf(j->id, sizeof(j->id), "j-%s", id);
    j->state = job_state;
    return j;
}

static void
keep_job(struct store_writer *w, const struct job *j)
{
    OK(store_begin(w));
    OK(store_put_job(w, j));
    OK(store_commit(w));
}

static int
compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct told_jobs {
    char *v[8];
    size_t n;
};

static int
collect_job(void *ctx, struct job *j)
{
    struct told_jobs *told = ctx;
    assert_true(told->n < ARRAY_LEN(told->v));
    told->v[told->n++] = xasprintf(
        "%s:%s:%s:%d:%u:%u:%" PRId64 ":%" PRId64 "/%" PRId64 ":%" PRId64 ":%" PRId64
        ",%" PRId64 ",%" PRId64 ",%" PRId64 ":%s:%s:%s ",
        j->id, job_kind_name(j->kind), job_state_name(j->state), j->priority, j->attempts,
        j->failures, j->runs, j->done, j->total, j->every_s, j->submitted_ms,
        j->run_at_ms, j->started_ms, j->ended_ms, j->request ? j->request : "-",
        j->result ? j->result : "-", j->error ? j->error : "-");
    job_destroy(j);
    return 0;
}

static char *
jobs_text(struct told_jobs *told)
{
    struct buf b = {0};
    qsort(told->v, told->n, sizeof(told->v[0]), compare_text);
    buf_add_cstr(&b, "");
    for (size_t i = 0; i < told->n; i++) {
        buf_add_cstr(&b, told->v[i]);
        free(told->v[i]);
    }
    return buf_steal(&b);
}

/* By the writer, and, when there is a commit to be seen, by a reader. */
static void
assert_jobs(const struct sample *s, struct store_writer *w, const char *expected)
{
    struct told_jobs by_writer = {.n = 0}, by_reader = {.n = 0};
    struct store_reader *r = sample_read(s);
    OK(store_each_job(w, collect_job, &by_writer));
    OK(store_read_jobs(r, collect_job, &by_reader));
    AUTO(free) char *a = jobs_text(&by_writer), *b = jobs_text(&by_reader);
    assert_string_equal(a, expected);
    assert_string_equal(b, expected);
    store_reader_close(r);
}

#define JOB_A "00000000000000aa"
#define JOB_B "00000000000000bb"
#define TOLD_A                                                                           \
    "j-" JOB_A ":enrich:failed:-7:4:3:9:5/11:60:1,2,3,4:{\"path\":\"\\u00e4\"}:"         \
    "{}:no room "
#define TOLD_B "j-" JOB_B ":ingest:pending:100:0:0:0:0/0:0:0,0,0,0:-:-:- "

static void
test_jobs_are_kept(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    AUTO(job_destroy) struct job *a = job_of(JOB_A, JOB_ENRICH, JOB_FAILED);
    AUTO(job_destroy) struct job *b = job_of(JOB_B, JOB_INGEST, JOB_PENDING);
    a->priority = -7;
    a->attempts = 4;
    a->failures = 3;
    a->runs = 9;
    a->done = 5;
    a->total = 11;
    a->every_s = 60;
    a->submitted_ms = 1;
    a->run_at_ms = 2;
    a->started_ms = 3;
    a->ended_ms = 4;
    b->priority = 100;
    job_set_text(&a->request, STR("{\"path\":\"\\u00e4\"}"));
    job_set_text(&a->result, STR("{}"));
    job_set_text(&a->error, STR("no room"));
    assert_jobs(s, w, "");
    keep_job(w, a);
    keep_job(w, b);
    assert_jobs(s, w, TOLD_A TOLD_B);
    if (s->backend->can & SAMPLE_LASTS) {
        store_writer_close(w);
        w = sample_open(s, NULL);
        assert_jobs(s, w, TOLD_A TOLD_B);
    }
    if (s->backend->can & SAMPLE_SQL)
        assert_int_equal(count_rows(s, "v_job WHERE kind='ingest' AND result IS NULL"
                                       " AND ended_ms IS NULL AND priority=100"),
                         1);
    OK(store_begin(w));
    OK(store_drop_job(w, str_of(a->id)));
    store_rollback(w);
    assert_jobs(s, w, TOLD_A TOLD_B);
    b->state = JOB_RUNNING; // again
    b->attempts = 1;
    OK(store_begin(w));
    OK(store_put_job(w, b));
    OK(store_drop_job(w, str_of(a->id)));
    OK(store_drop_job(w, STR("j-0123456789abcdef")));
    OK(store_drop_job(w, STR("nothing")));
    OK(store_commit(w));
    assert_jobs(s, w, "j-" JOB_B ":ingest:running:100:1:0:0:0/0:0:0,0,0,0:-:-:- ");
    store_writer_close(w);
}

/* A file that others can write: what no program of ours made is left out. */
static void
test_jobs_that_make_no_sense(void **state)
{
    static const char *const bad[] = {
        "('k-0123456789abcdef','retry','pending','{}',1,0)",
        "('j-0123456789abcdeg','retry','pending','{}',1,0)",
        "('j-0123456789abcdef','dance','pending','{}',1,0)",
        "('j-0123456789abcde0','retry','pending','{}',-1,0)",
        "('j-0123456789abcde1','retry','pending','{}',1,101)",
        "('j-0123456789abcde2','retry','pending',char(65,0,66),1,0)",
        "('j-0123456789abcde3','retry','pending',printf('%.*c',16777217,'x'),1,0)",
        "('j-0123456789abcde4','retry','pending','{}',1,-101)",
    };
    struct sample *s = *state;
    sqlite3 *db = NULL;
    store_writer_close(sample_open(s, NULL));
    OK(sqlite3_open(s->path, &db));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(free)
        char *text = xasprintf("INSERT INTO job(id,kind,state,request,submitted_ms,"
                               "priority) VALUES%s",
                               bad[i]);
        OK(sqlite3_exec(db, text, NULL, NULL, NULL));
    }
    OK(sqlite3_exec(db,
                    "INSERT INTO job(id,kind,state,request,result,submitted_ms) VALUES("
                    "'j-0123456789abcde5','retry','completed','{}',"
                    "printf('%.*c',16777217,'x'),1)",
                    NULL, NULL, NULL));
    OK(sqlite3_exec(db,
                    "INSERT INTO job(id,kind,state,request,submitted_ms)"
                    " VALUES('j-" JOB_A "','retry','running','',7)",
                    NULL, NULL, NULL));
    OK(sqlite3_close(db));
    struct store_writer *w = sample_open(s, NULL);
    assert_jobs(s, w, "j-" JOB_A ":retry:running:0:0:0:0:0/0:0:7,0,0,0:-:-:- ");
    store_writer_close(w);
}
