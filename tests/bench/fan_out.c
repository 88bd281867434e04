/* Files of 100 entities, asked about through src/enrich alone, of a scripted server that takes 10 ms for each answer:
 * side by side, and one after another. bench_fan_out FOLDER ROUNDS, FOLDER having fake_ls and test_guard; prints the
 * milliseconds of each file from its submission to its batch, in order. */
#include "base/clock.h"
#include "enrich/enrich.h"
#include "tests/lib/fake_ls.h"

#define ENTITIES 100
#define SERIAL_ROUNDS 3

struct bench {
    struct loop loop;
    struct fake_ls fake;
    struct config config;
    struct config_server server;
    struct enrich *e;
    size_t n_batches, n_known;
    bool is_closed;
};

static void
on_batch(void *ctx, struct hover_batch *batch)
{
    struct bench *b = ctx;
    for (size_t i = 0; i < batch->n_answers; i++)
        b->n_known += batch->answers[i].hover.state == HOVER_KNOWN;
    hover_batch_destroy(batch);
    b->n_batches++;
}

static void
on_nothing(void *ctx UNUSED)
{
}

static void
on_closed(void *ctx)
{
    ((struct bench *)ctx)->is_closed = true;
}

static const struct enrich_events events = {.on_batch = on_batch,
                                            .on_wanted = on_nothing,
                                            .on_idle = on_nothing,
                                            .on_server = on_nothing};

static struct enrich_job *
job_of(size_t number, size_t n_targets)
{
    struct enrich_job *job = xnew(struct enrich_job);
    job->path = xasprintf("f%zu.c", number);
    job->lang = xstrdup("c");
    job->language_id = xstrdup("c");
    job->text = snapshot_create(xstrdup(""), 0, 0);
    job->targets = arena_calloc(&job->arena, n_targets, sizeof(*job->targets));
    job->n_targets = n_targets;
    for (size_t i = 0; i < n_targets; i++) {
        job->targets[i].key = arena_printf(&job->arena, "c:fn:f%zu.c#f%zu", number, i);
        job->targets[i].at.line = (uint32_t)i;
    }
    return job;
}

static double
ask(struct bench *b, size_t n_targets)
{
    size_t n_before = b->n_batches;
    struct enrich_job *job = job_of(n_before, n_targets);
    int64_t start_ns = clock_mono_ns();
    enrich_submit(b->e, job);
    while (b->n_batches == n_before)
        uv_run(&b->loop.uv, UV_RUN_ONCE);
    return (double)(clock_mono_ns() - start_ns) / 1e6;
}

static void
measure(const char *folder, const char *name, const char *scenario, size_t n_rounds)
{
    static const char *const languages[] = {"c", NULL};
    struct bench b = {0};
    AUTO(free) char *guard = path_join(folder, "test_guard");
    if (loop_init(&b.loop) < 0)
        abort();
    fake_ls_init(&b.fake, scenario);
    b.server = (struct config_server){.name = "fake",
                                      .command = b.fake.command,
                                      .languages = languages,
                                      .enabled = true};
    b.config = (struct config){.trusted = true,
                               .enrich_enabled = true,
                               .enrich_deadline_ms = 10000,
                               .enrich_files_window = 2,
                               .enrich_requests_window = 512,
                               .servers = &b.server,
                               .n_servers = 1};
    b.e = enrich_open(&b.loop, &b.config, b.fake.dir, guard, &events, &b);
    ask(&b, 1); // it starts
    fprintf(stdout, "\"%s\":[", name);
    for (size_t i = 0; i < n_rounds; i++)
        fprintf(stdout, "%s%.3f", i ? "," : "", ask(&b, ENTITIES));
    fprintf(stdout, "]");
    if (b.n_known != n_rounds * ENTITIES + 1)
        abort();
    enrich_close(b.e, on_closed, &b);
    while (!b.is_closed)
        uv_run(&b.loop.uv, UV_RUN_ONCE);
    if (loop_finish(&b.loop) < 0)
        abort();
    fake_ls_finish(&b.fake);
}

int
main(int argc, char **argv)
{
    uint64_t n_rounds;
    AUTO(free) char *folder = argc == 3 ? realpath(argv[1], NULL) : NULL;
    if (!folder || str_to_u64(str_of(argv[2]), &n_rounds) < 0)
        return 2;
    AUTO(free) char *fake = path_join(folder, "fake_ls");
    setenv("TEST_FAKE_LS", fake, 1);
    fprintf(stdout, "{");
    measure(folder, "parallel_ms", "{'lives':[{'hover':[{'delay_ms':10}]}]}", n_rounds);
    fprintf(stdout, ",");
    measure(folder, "serial_ms", "{'lives':[{'hover':[{'work_ms':10}]}]}", SERIAL_ROUNDS);
    fprintf(stdout, "}\n");
    return 0;
}
