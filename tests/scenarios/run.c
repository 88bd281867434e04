/* A scenario of this folder against a real process of fake_ls: scenarios FILE.json, one TAP case.
 *
 * {"about": what is tried, in a sentence,
 *  "lives": as of tests/lib/fake_ls.c,
 *  "drive": "client"          one client is asked, without the scheduler's rounds; with "is_open": false its
 *                             file was not opened
 *  "server": {"name", "settings", "initialization_options"}     "fake", without any
 *  "config": {"deadline_ms", "files_window", "requests_window", "server_memory_bytes", "server_idle_s",
 *             "backoff_ms", "park_ms", "watch_ms", "vain_ms"}
 *  "files": [{"path", "lines" | "text", "priority", "after": path}]     files.c; after the batch of another
 *  "close_when": {part of a line: n}     enrich is closed once the server heard so many of them
 *  "open_until": {part of a line: n}     it is not closed before
 *  "expect": {"files": {path: …},     expect.c
 *             "state", "why": [part, …], "requests", "answers", "timeouts", "errors", "restarts", "pending"
 *             "heard": {part of a line ('' for ""): n or [min, max]}, "most_ms", "most_memory_bytes"}}
 *
 * Always: each answer once, no process of the server left behind. */
#include "scenario.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "lang/lang.h"

static uint64_t
number(const json_t *object, const char *key, uint64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return value ? (uint64_t)json_integer_value(value) : otherwise;
}

static bool
is_patient(const struct scenario *s)
{
    return clock_mono_ms() - s->start_ms < SCENARIO_PATIENCE_MS;
}

static void
on_closed(void *ctx)
{
    ((struct scenario *)ctx)->is_closed = true;
}

static void
note(struct scenario *s, struct file *f, size_t i, const struct hover *hover)
{
    struct said *said = &f->said[i];
    if (said->is_said)
        wrong(s, "%s %zu: said twice", f->path, i);
    free(said->text);
    free(said->server);
    *said = (struct said){.is_said = true,
                          .state = hover->state,
                          .reason = hover->reason,
                          .text = str_dup(hover->markdown),
                          .server = str_dup(hover->server)};
}

/* ---- driven by the scheduler ---- */

static struct file *
file_at(struct scenario *s, struct str path)
{
    for (size_t i = 0; i < s->n_files; i++) {
        if (str_eq_c(path, s->files[i].path))
            return &s->files[i];
    }
    abort();
}

static void
on_batch(void *ctx, struct hover_batch *batch)
{
    struct scenario *s = ctx;
    struct file *f = file_at(s, batch->path);
    f->n_batches++;
    if (batch->n_answers != f->n_targets)
        wrong(s, "%s: %zu answers", f->path, batch->n_answers);
    for (size_t i = 0; i < MIN(f->n_targets, batch->n_answers); i++)
        note(s, f, i, &batch->answers[i].hover);
    hover_batch_destroy(batch);
}

static void
on_nothing(UNUSED void *ctx)
{
}

static const struct enrich_events enrich_events = {.on_batch = on_batch,
                                                   .on_wanted = on_nothing,
                                                   .on_idle = on_nothing,
                                                   .on_server = on_nothing};

static void
submit(struct scenario *s, struct file *f)
{
    struct enrich_job *job = xnew(struct enrich_job);
    struct str text = str_of(f->text);
    const struct lang *lang = lang_of_file(str_of(f->path), text);
    job->path = xstrdup(f->path);
    job->lang = xstrdup(lang ? lang->key_prefix : "none");
    job->language_id = xstrdup(lang ? lang_language_id(lang, str_of(f->path)) : "none");
    job->content = hash128(text);
    job->text = snapshot_create(str_dup(text), text.n, 0);
    job->targets = arena_calloc(&job->arena, f->n_targets + 1, sizeof(*job->targets));
    for (size_t i = 0; i < f->n_targets; i++)
        job->targets[i] = (struct hover_target){
            .key = arena_printf(&job->arena, "key:%s#%zu", f->path, i),
            .at = f->targets[i]};
    job->n_targets = f->n_targets;
    job->priority = (int)number(f->row, "priority", 0);
    f->is_submitted = true;
    enrich_submit(s->enrich, job);
}

/* False when all have answered. */
static bool
submit_due(struct scenario *s)
{
    bool is_any_open = false;
    for (size_t i = 0; i < s->n_files; i++) {
        struct file *f = &s->files[i];
        const char *after = json_string_value(json_object_get(f->row, "after"));
        if (!f->is_submitted && (!after || file_at(s, str_of(after))->n_batches > 0))
            submit(s, f);
        is_any_open |= f->n_batches == 0;
    }
    return is_any_open;
}

/* So many of each as `what` says; true where the scenario has no word on it. */
static bool
has_heard(const struct scenario *s, const char *what)
{
    const char *part;
    json_t *n;
    bool is_all = true;
    json_object_foreach((json_t *)(uintptr_t)json_object_get(s->json, what), part, n)
    {
        is_all &= fake_ls_count(&s->fake, part) >= (size_t)json_integer_value(n);
    }
    return is_all;
}

static bool
is_close_due(const struct scenario *s)
{
    return json_object_get(s->json, "close_when") && has_heard(s, "close_when");
}

static void
drive_enrich(struct scenario *s)
{
    const json_t *config = json_object_get(s->json, "config");
    s->enrich = enrich_open(&s->loop, &s->config, s->fake.dir, fake_ls_env("TEST_GUARD"),
                            &enrich_events, s);
    s->enrich->backoff_ms_min = number(config, "backoff_ms", 1);
    s->enrich->park_ms_min = number(config, "park_ms", 5);
    s->enrich->watch_ms = number(config, "watch_ms", 50);
    s->enrich->vain_ms = number(config, "vain_ms", ENRICH_VAIN_MS);
    while (submit_due(s) && !s->is_closing) {
        run_round(&s->loop);
        s->is_closing = is_close_due(s);
        if (is_patient(s))
            continue;
        wrong(s, "not all files have answered");
        break;
    }
}

/* ---- driven as a client ---- */

struct client_ask {
    struct scenario *s;
    size_t i;
};

static void
on_hover(void *ctx, const struct client_hover *answer)
{
    struct client_ask *a = ctx;
    struct file *f = a->s->files;
    note(a->s, f, a->i, &answer->hover);
    f->said[a->i].is_provisional = answer->is_provisional;
    f->n_batches++; // here: answers
    free(a);
}

static void
on_state(UNUSED void *ctx, UNUSED enum client_state state, UNUSED const char *why)
{
}

static const struct client_events client_events = {.on_state = on_state};

static void
drive_client(struct scenario *s)
{
    const json_t *config = json_object_get(s->json, "config");
    struct file *f = s->files;
    AUTO(free) char *program = NULL;
    if (!client_spec_for(&s->config, s->fake.dir, STR("c"), &s->spec, &program))
        abort();
    struct client_options options = {.spec = &s->spec,
                                     .program = program,
                                     .root = s->fake.dir,
                                     .guard_program = fake_ls_env("TEST_GUARD"),
                                     .deadline_ms = s->config.enrich_deadline_ms,
                                     .backoff_ms_min = number(config, "backoff_ms", 1)};
    s->client = client_open(&s->loop, &options, &client_events, s);
    client_start(s->client);
    while (client_state(s->client) != CLIENT_READY && is_patient(s))
        run_round(&s->loop);
    if (!json_is_false(json_object_get(s->json, "is_open")))
        client_did_open(s->client, f->path, "c", str_of(f->text));
    for (size_t i = 0; i < f->n_targets; i++) {
        struct client_ask *a = xnew(struct client_ask);
        *a = (struct client_ask){.s = s, .i = i};
        client_hover(s->client, f->path, f->targets[i], on_hover, a);
    }
    while (f->n_batches < f->n_targets && is_patient(s))
        run_round(&s->loop);
    if (f->n_batches < f->n_targets)
        wrong(s, "not all hovers were answered");
}

/* ---- all ---- */

static char *
dumped(const json_t *value)
{
    return value ? json_dumps(value, JSON_COMPACT) : NULL;
}

static void
configure(struct scenario *s)
{
    static const char *const languages[] = {"c", "ts", "tsx", "js", "rust", NULL};
    const json_t *server = json_object_get(s->json, "server");
    const json_t *config = json_object_get(s->json, "config");
    const char *name = json_string_value(json_object_get(server, "name"));
    s->server =
        (struct config_server){.name = name ? name : "fake",
                               .command = s->fake.command,
                               .languages = languages,
                               .settings = dumped(json_object_get(server, "settings")),
                               .initialization_options = dumped(
                                   json_object_get(server, "initialization_options")),
                               .enabled = true};
    s->config = (struct config){
        .trusted = true,
        .enrich_enabled = true,
        .enrich_deadline_ms = number(config, "deadline_ms", 60000),
        .enrich_files_window = number(config, "files_window", 2),
        .enrich_requests_window = number(config, "requests_window", 64),
        .enrich_server_idle_s = number(config, "server_idle_s", 0),
        .enrich_server_memory_bytes = number(config, "server_memory_bytes", 0),
        .servers = &s->server,
        .n_servers = 1};
}

static void
set_up(struct scenario *s)
{
    struct rusage usage;
    json_t *own = json_pack("{s:O}", "lives", json_object_get(s->json, "lives"));
    AUTO(free) char *text = json_dumps(own, JSON_COMPACT);
    json_decref(own);
    if (loop_init(&s->loop) < 0)
        abort();
    fake_ls_init(&s->fake, "{}");
    fake_ls_write(&s->fake, "scenario.json", text); // as it is
    configure(s);
    files_init(s);
    getrusage(RUSAGE_SELF, &usage);
    s->memory_bytes = (uint64_t)usage.ru_maxrss << 10;
}

static void
tear_down(struct scenario *s)
{
    if (s->client)
        client_close(s->client, on_closed, s);
    else
        enrich_close(s->enrich, on_closed, s);
    RUN_UNTIL(&s->loop, s->is_closed);
    if (loop_finish(&s->loop) < 0)
        wrong(s, "the loop is still in use");
}

static void
run(struct scenario *s)
{
    const char *drive = json_string_value(json_object_get(s->json, "drive"));
    set_up(s);
    s->start_ms = clock_mono_ms();
    if (drive && strcmp(drive, "client") == 0)
        drive_client(s);
    else
        drive_enrich(s);
    s->took_ms = clock_mono_ms() - s->start_ms;
    while (!s->is_closing && is_patient(s) &&
           !(expect_is_settled(s) && has_heard(s, "open_until")))
        run_round(&s->loop);
    expect_check_state(s);
    tear_down(s);
    expect_check(s);
    files_finish(s);
    free((char *)(uintptr_t)s->server.settings);
    free((char *)(uintptr_t)s->server.initialization_options);
    fake_ls_finish(&s->fake);
}

int
main(int argc, char **argv)
{
    static struct scenario s;
    json_error_t error = {0};
    json_t *json = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    if (!json) {
        fprintf(stderr, "%s: %s, line %d\n", argc == 2 ? argv[1] : "no file", error.text,
                error.line);
        return 2;
    }
    AUTO(free) char *why = NULL;
    if (lang_init(&why) < 0)
        abort();
    s.json = json;
    run(&s);
    const char *about = json_string_value(json_object_get(json, "about"));
    bool is_good = s.wrong.n == 0;
    dprintf(STDOUT_FILENO, "1..1\n%sok 1 - %s\n", is_good ? "" : "not ", about);
    struct str rest = buf_str(&s.wrong), line;
    while (str_split(&rest, '\n', &line))
        dprintf(STDOUT_FILENO, "# %.*s\n", STR_ARG(line));
    buf_finish(&s.wrong);
    json_decref(json);
    lang_finish();
    return is_good ? 0 : 1;
}
