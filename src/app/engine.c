/* The engine: builds the house in floor order, tears it down in reverse, and is nothing in between but
 * the places where the parts meet. It ends when told (signal, gloss/stop), or after idle_exit_s
 * without a session or a hub client. Main thread = loop thread. */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "hub/hub.h"
#include "lang/lang.h"
#include "lsp/server/server.h"
#include "rt/timer.h"
#include "workspace/workspace.h"

#define LOG_MODULE "engine"
#include "base/log.h"

struct engine {
    struct loop loop;
    struct engine_options options;
    int lock_fd;
    char *token;
    int64_t started_ms;
    struct workspaces *workspaces;
    struct hub *hub;
    struct listener *listener;
    struct loop_signals *signals;
    struct timer *idle_timer;
    struct server_host host;
    struct histogram hover_us;
    VEC(struct server_session *) sessions;
    size_t n_hub_clients;
    bool is_in_process, is_stopping, is_shutting_hub;
    int exit_code;
};

/* ---- going down: doors, sessions, the hub's clients, workspaces, the hub, then the loop runs dry.
 * The hub ends when the threads of the workspaces are gone: see hub_close. ---- */

static void
on_hub_closed(void *ctx)
{
    struct engine *e = ctx;

    e->hub = NULL;
}

static void
on_workspaces_closed(void *ctx)
{
    struct engine *e = ctx;

    e->workspaces = NULL;
    if (e->hub)
        hub_close(e->hub, on_hub_closed, e);
}

static void
on_hub_shut(void *ctx)
{
    struct engine *e = ctx;

    workspaces_close(e->workspaces, on_workspaces_closed, e);
}

static void
close_when_sessions_are_gone(struct engine *e)
{
    if (!e->is_stopping || e->sessions.n > 0 || e->is_shutting_hub)
        return;
    e->is_shutting_hub = true;
    if (e->hub)
        hub_shut(e->hub, on_hub_shut, e);
    else
        on_hub_shut(e);
}

static void
engine_stop(struct engine *e, const char *why)
{
    if (e->is_stopping)
        return;
    log_info("stopping: %s", why);
    if (!e->is_in_process)
        note("the engine ends: %s", why);
    e->is_stopping = true;
    if (e->listener) {
        AUTO(free) char *path = engine_file_path();
        unlink(path);
        listener_close(steal(e->listener));
    }
    timer_close(steal(e->idle_timer));
    signals_close(steal(e->signals));
    if (e->sessions.n == 0)
        close_when_sessions_are_gone(e);
    for (size_t i = e->sessions.n; i-- > 0;)
        server_session_close(e->sessions.v[i]);
}

static void
on_signal(void *ctx, int signum)
{
    engine_stop(ctx, strsignal(signum));
}

static void
on_idle(void *ctx)
{
    struct engine *e = ctx;

    if (workspaces_have_work(e->workspaces))
        timer_start(e->idle_timer, (uint64_t)e->options.idle_exit_s * 1000, 0);
    else
        engine_stop(e, "nobody has been here for a while");
}

static void
idle_check(struct engine *e)
{
    if (e->is_stopping || e->is_in_process || e->options.idle_exit_s == 0)
        return;
    if (e->sessions.n + e->n_hub_clients > 0)
        timer_stop(e->idle_timer);
    else if (!timer_is_armed(e->idle_timer))
        timer_start(e->idle_timer, (uint64_t)e->options.idle_exit_s * 1000, 0);
}

/* ---- what sessions and hub tell ---- */

static void
on_session_closed(void *ctx, struct server_session *session, int exit_code)
{
    struct engine *e = ctx;

    for (size_t i = 0; i < e->sessions.n; i++) {
        if (e->sessions.v[i] == session) {
            e->sessions.v[i] = e->sessions.v[--e->sessions.n];
            break;
        }
    }
    if (e->is_in_process) {
        e->exit_code = exit_code;
        engine_stop(e, "the session is over");
    }
    close_when_sessions_are_gone(e);
    idle_check(e);
}

static void
on_stop(void *ctx)
{
    engine_stop(ctx, "gloss stop");
}

static char *
dashboard_url(void *ctx)
{
    struct engine *e = ctx;

    return e->hub ? xasprintf("http://127.0.0.1:%u/#token=%s", hub_port(e->hub), e->token)
                  : NULL;
}

static int
allow_origin(void *ctx, const char *origin)
{
    struct engine *e = ctx;

    return e->hub ? hub_allow_origin(e->hub, origin) : -ENOENT;
}

static void
add_status(void *ctx, struct buf *json)
{
    struct engine *e = ctx;

    buf_printf(json,
               "\"version\":\"%s\",\"pid\":%d,\"port\":%u,\"uptime_s\":%" PRId64
               ",\"sessions\":%zu,\"hub_clients\":%zu",
               GLOSS_VERSION, getpid(), e->hub ? hub_port(e->hub) : 0,
               (clock_mono_ms() - e->started_ms) / 1000, e->sessions.n, e->n_hub_clients);
    buf_add_cstr(json, ",\"hover_us\":");
    histogram_add_json(json, &e->hover_us);
}

static void
on_clients(void *ctx, size_t n_clients)
{
    struct engine *e = ctx;

    e->n_hub_clients = n_clients;
    idle_check(e);
}

static void
open_session(struct engine *e, struct stream *in, struct stream *out)
{
    struct server_session **slot = vec_push(&e->sessions);

    *slot = NULL;
    *slot = server_session_open(&e->loop, in, out, e->options.config, e->workspaces,
                                &e->host);
    idle_check(e);
}

static void
on_connection(void *ctx, struct stream *stream)
{
    open_session(ctx, stream, NULL);
}

/* ---- coming up ---- */

static void
say_ready(struct engine *e, const char *line)
{
    int fd = e->options.ready_fd;

    if (fd < 0)
        return;
    if (dprintf(fd, "%s\n", line) < 0)
        log_warn("nobody waits for this engine");
    close(fd);
    e->options.ready_fd = -1;
}

/* Who starts it by hand would see nothing, and wonder when it ends. */
static void
note_start(const struct engine *e)
{
    if (!e->is_in_process)
        note(
            "the engine listens at ws://127.0.0.1:%u/v1/ws; it ends %s", hub_port(e->hub),
            e->options.idle_exit_s ? "when nobody has been here for a while (--idle-exit)"
                                   : "when it is told to");
}

/* engine.lock is held while the engine lives: there is one per user. */
static int
take_lock(struct engine *e, char **ret_why)
{
    AUTO(free) char *path = engine_lock_path();

    e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (e->lock_fd < 0) {
        *ret_why = xasprintf("cannot write %s: %s", path, strerror(errno));
        return -errno;
    }
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        *ret_why = xstrdup("another engine of yours is running (`gloss status`): `gloss "
                           "serve --detach DIR` "
                           "has it hold a folder, `gloss stop` ends it");
        return -EWOULDBLOCK;
    }
    return 0;
}

static int
write_engine_file(struct engine *e)
{
    AUTO(free) char *path = engine_file_path(), *socket_path = engine_socket_path();
    AUTO(buf_finish) struct buf json = {0};

    buf_printf(&json,
               "{\"pid\":%d,\"port\":%u,\"token\":\"%s\",\"version\":\"%s\",\"socket\":",
               getpid(), hub_port(e->hub), e->token, GLOSS_VERSION);
    codec_add_string(&json, str_of(socket_path));
    buf_add_cstr(&json, "}\n");
    return fs_write_atomic(path, buf_str(&json), 0600);
}

static int
open_doors(struct engine *e, char **ret_why)
{
    AUTO(free) char *path = engine_socket_path();
    int r = listener_open_unix(&e->loop, path, on_connection, e, &e->listener);

    if (r < 0) {
        *ret_why = xasprintf("cannot listen at %s: %s", path, err_text(r));
        return r;
    }
    r = write_engine_file(e);
    if (r < 0)
        *ret_why = xasprintf("cannot write engine.json: %s", err_text(r));
    return r;
}

static int
build(struct engine *e, char **ret_why)
{
    struct workspaces_options options = {
        .config = e->options.config,
        .guard_program = own_program(),
        .db_url = e->options.db_url,
        .with_watch = true,
    };
    struct hub_options hub_options = {
        .port = (uint16_t)e->options.config->hub_port,
        .bad_tokens_per_min = e->options.config->hub_bad_tokens,
        .strangers_per_s = e->options.config->hub_strangers,
        .on_clients = on_clients,
        .ctx = e,
    };
    int r;

    e->token = random_hex(HUB_TOKEN_HEX / 2);
    hub_options.token = e->token;
    e->host = (struct server_host){
        .on_stop = on_stop,
        .dashboard_url = dashboard_url,
        .allow_origin = allow_origin,
        .add_status = add_status,
        .on_closed = on_session_closed,
        .hover_us = &e->hover_us,
        .ctx = e,
    };
    e->started_ms = clock_mono_ms();
    e->idle_timer = timer_open(&e->loop, on_idle, e);
    e->signals = signals_open(&e->loop, on_signal, e);
    e->workspaces = workspaces_open(&e->loop, &options);
    r = hub_open(&e->loop, &hub_options, e->workspaces, &e->hub, ret_why);
    if (r == 0 && !e->is_in_process)
        r = open_doors(e, ret_why);
    return r;
}

static void
acquire_roots(struct engine *e)
{
    for (const char *const *root = e->options.roots; root && *root; root++) {
        struct workspace *w;
        int r = workspaces_acquire(e->workspaces, *root, true, &w);

        if (r < 0)
            log_error("%s cannot be held: %s", *root, err_text(r));
    }
}

static int
open_stdio_session(struct engine *e, char **ret_why)
{
    struct stream *in = NULL, *out = NULL;
    int r = stream_open_fd(&e->loop, STDIN_FILENO, &in);

    if (r == 0)
        r = stream_open_fd(&e->loop, STDOUT_FILENO, &out);
    if (r < 0) {
        stream_close(in);
        *ret_why = xasprintf("stdin or stdout cannot be used: %s", err_text(r));
        return r;
    }
    open_session(e, in, out);
    return 0;
}

static int
engine_main(struct engine *e)
{
    AUTO(free) char *why = NULL;
    int r = lang_init(&why);

    if (r == 0)
        r = loop_init(&e->loop);
    if (r < 0)
        return fail("cannot start: %s", why ? why : err_text(r));
    r = build(e, &why);
    if (r == 0 && e->is_in_process)
        r = open_stdio_session(e, &why);
    if (r < 0) {
        fail("%s", why ? why : err_text(r));
        say_ready(e, why ? why : err_text(r));
        e->exit_code = EXIT_FAILED;
        engine_stop(e, "it could not start");
    } else {
        acquire_roots(e);
        say_ready(e, "ready");
        note_start(e);
        idle_check(e);
    }
    loop_run(&e->loop);
    vec_finish(&e->sessions);
    free(e->token);
    lang_finish();
    return loop_finish(&e->loop) == 0 ? e->exit_code : EXIT_FAILED;
}

int
engine_run(const struct engine_options *options)
{
    struct engine e = {.options = *options, .lock_fd = -1};
    AUTO(free) char *why = NULL;
    int r;

    if (options->ready_fd >= 0)
        fcntl(options->ready_fd, F_SETFD, FD_CLOEXEC);
    r = take_lock(&e, &why);
    if (r < 0) {
        say_ready(&e, why);
        return fail("%s", why);
    }
    r = engine_main(&e);
    close(e.lock_fd);
    return r;
}

int
engine_run_in_process(const struct engine_options *options)
{
    struct engine e = {.options = *options, .lock_fd = -1, .is_in_process = true};

    return engine_main(&e);
}
