/* A processor that is left to others: by a queue's thread, by a pool's workers. After test_threads.c. */
#include <dirent.h>

#include "base/fs.h"

static int
count_processors(const char *thread)
{
    AUTO(free) char *tasks = xasprintf("/proc/%d/task", (int)getpid());
    DIR *d = opendir(tasks);
    cpu_set_t set;
    int n = 0;
    for (const struct dirent *e; (e = readdir(d));) {
        AUTO(free) char *path = xasprintf("%s/%s/comm", tasks, e->d_name);
        AUTO(buf_finish) struct buf comm = {0};
        if (fs_read_file(path, 64, &comm, NULL) == 0 &&
            str_eq_c(str_trim(buf_str(&comm)), thread) &&
            sched_getaffinity((pid_t)strtol(e->d_name, NULL, 10), sizeof(set), &set) == 0)
            n += CPU_COUNT(&set);
    }
    closedir(d);
    return n;
}

static void
test_thread_leaves_processor(UNUSED void **state)
{
    cpu_set_t ours, after;
    struct queue *q = queue_create(1);
    sched_getaffinity(0, sizeof(ours), &ours);
    int all = CPU_COUNT(&ours);
    struct thread *t = thread_start("leaving", wait_closed, q);
    bool is_left[] = {false, true, false};
    for (size_t i = 0; i < ARRAY_LEN(is_left); i++) {
        queue_leave_processor(q, is_left[i]);
        while (count_processors("leaving") != (is_left[i] ? MAX(all - 1, 1) : all))
            sched_yield(); // it waits for nothing else
    }
    queue_leave_processor(q, true); // and ends so
    queue_close(q);
    thread_join(t);
    queue_destroy(q);
    sched_getaffinity(0, sizeof(after), &after);
    assert_true(CPU_EQUAL(&ours, &after));
}

/* ---- workers: by the job ---- */

static void
work_see_processors(struct pool_job *job, UNUSED unsigned worker)
{
    cpu_set_t set;
    sched_getaffinity(0, sizeof(set), &set);
    container_of(job, struct test_job, job)->rounds = CPU_COUNT(&set);
}

static void
done_count(struct pool_job *job, UNUSED bool is_cancelled)
{
    struct pool_case *c = container_of(job, struct test_job, job)->c;
    c->all_done = ++c->n_done == c->n_wanted;
}

static void
count_each(struct pool_case *c, enum pool_lane lane, int wanted)
{
    struct test_job t = {.c = c};
    c->n_wanted = c->n_done + 1;
    c->all_done = false;
    pool_submit(c->pool, lane, &t.job, work_see_processors, done_count);
    run_until(c->l, &c->all_done);
    assert_int_equal(t.rounds, wanted);
}

static void
test_pool_leaves_processor(UNUSED void **state)
{
    cpu_set_t ours;
    sched_getaffinity(0, sizeof(ours), &ours);
    int all = CPU_COUNT(&ours), less = MAX(all - 1, 1);
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 1);
    count_each(&c, POOL_ASIDE, all);
    pool_leave_processor(c.pool, true);
    count_each(&c, POOL_ASIDE, less);
    count_each(&c, POOL_INTERACTIVE, all);
    count_each(&c, POOL_ASIDE, less);
    count_each(&c, POOL_BULK, all);
    pool_leave_processor(c.pool, false);
    count_each(&c, POOL_ASIDE, all);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}
