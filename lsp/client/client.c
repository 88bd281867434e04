/* The life of one language server process. Invariants: a state changes in set_state()
 * and nowhere else; `wire` is there exactly while the process may be talked to; a crash
 * ends every hover in flight before anybody hears of it; the memory goes when the
 * process has been collected. */
#define LOG_MODULE "client"
#include "lsp/client/internal.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf.h"
#include "base/vec.h"

static const char *const state_names[CLIENT_STATE_COUNT] = {
    [CLIENT_STOPPED] = "stopped", [CLIENT_STARTING] = "starting",
    [CLIENT_READY] = "ready",     [CLIENT_STOPPING] = "stopping",
    [CLIENT_BACKOFF] = "backoff", [CLIENT_GIVEN_UP] = "given_up",
};

#define TO(state) (1u << CLIENT_##state)

/* From each state, where it may go. */
static const unsigned transitions[CLIENT_STATE_COUNT] = {
    [CLIENT_STOPPED] = TO(STARTING) | TO(STOPPING),
    [CLIENT_STARTING] = TO(READY) | TO(BACKOFF) | TO(GIVEN_UP) | TO(STOPPING),
    [CLIENT_READY] = TO(BACKOFF) | TO(GIVEN_UP) | TO(STOPPING),
    [CLIENT_STOPPING] = 0,
    [CLIENT_BACKOFF] = TO(STARTING) | TO(STOPPING),
    [CLIENT_GIVEN_UP] = TO(STARTING) | TO(STOPPING),
};

static void start(struct client *c);

const char *
client_state_name(enum client_state state)
{
    return state_names[state];
}

enum client_state
client_state(const struct client *c)
{
    return c->state;
}

bool
client_is_quiescent(const struct client *c)
{
    return client_peer_is_quiescent(c);
}

static void
set_state(struct client *c, enum client_state state)
{
    assert(transitions[c->state] & (1u << state));
    log_debug("%s: %s to %s", c->spec->name, state_names[c->state], state_names[state]);
    c->state = state;
}

static void
tell_state(struct client *c)
{
    if (!c->on_closed)
        c->events->on_state(c->ctx, c->state, client_why(c));
}

/* Composed when asked: stderr often arrives after the end. */
const char *
client_why(const struct client *c)
{
    if (!c->reason)
        return NULL;
    struct buf *why = &((struct client *)(uintptr_t)c)->why;
    buf_reset(why);
    buf_add_cstr(why, c->reason);
    if (c->exit_text)
        buf_printf(why, "; it %s", c->exit_text);
    struct str tail = str_trim(buf_str(&c->stderr_tail));
    if (tail.n > 0) {
        buf_add_cstr(why, "; stderr: ");
        utf8_add_valid(why, tail);
    }
    return why->p;
}

/* ---- stderr ---- */

static void
on_stderr_bytes(void *ctx, struct str bytes)
{
    struct client *c = ctx;
    if (bytes.n > CLIENT_STDERR_BYTES)
        bytes = str_slice(bytes.p + bytes.n - CLIENT_STDERR_BYTES, CLIENT_STDERR_BYTES);
    buf_add_str(&c->stderr_tail, bytes);
    if (c->stderr_tail.n > CLIENT_STDERR_BYTES)
        buf_consume(&c->stderr_tail, c->stderr_tail.n - CLIENT_STDERR_BYTES);
}

static void
on_stderr_end(void *ctx, int r)
{
    (void)r;
    struct client *c = ctx;
    stream_close(steal(c->err));
    if (c->state == CLIENT_BACKOFF || c->state == CLIENT_GIVEN_UP)
        tell_state(c); // now with its last words
}

/* ---- crash ---- */

/* How many within the window, this one included. */
static size_t
count_crash(struct client *c)
{
    int64_t now_ms = clock_mono_ms();
    memmove(c->crashes_ms + 1, c->crashes_ms,
            sizeof(c->crashes_ms) - sizeof(c->crashes_ms[0]));
    c->crashes_ms[0] = now_ms;
    c->n_crashes = MIN(c->n_crashes + 1, (size_t)CLIENT_CRASHES_MAX);
    while (now_ms - c->crashes_ms[c->n_crashes - 1] > CLIENT_CRASH_WINDOW_MS)
        c->n_crashes--;
    return c->n_crashes;
}

static void
hang_up(struct client *c)
{
    wire_close(steal(c->wire));
    client_docs_clear(c);
    client_peer_reset(c);
}

void
client_crash(struct client *c, const char *reason)
{
    assert(c->state == CLIENT_STARTING || c->state == CLIENT_READY);
    free(c->reason);
    c->reason = xstrdup(reason);
    size_t n = count_crash(c);
    set_state(c, n >= CLIENT_CRASHES_MAX ? CLIENT_GIVEN_UP : CLIENT_BACKOFF);
    timer_stop(c->life);
    if (c->child)
        child_terminate(c->child, CLIENT_STOP_GRACE_MS);
    hang_up(c);
    client_end_hovers(c, HOVER_REASON_CRASHED);
    if (c->on_closed)
        return; // an answer made the owner close us
    if (c->state == CLIENT_BACKOFF) {
        c->stats.restarts++;
        uint64_t wait_ms = c->backoff_ms_min << (n - 1);
        timer_start(c->life, MIN(wait_ms, (uint64_t)CLIENT_BACKOFF_MS_MAX), 0);
    }
    log_info("%s: %s: %s", c->spec->name, state_names[c->state], client_why(c));
    tell_state(c);
}

/* ---- wire and process ---- */

static void
on_wire_end(void *ctx, int r, const char *why)
{
    struct client *c = ctx;
    if (c->state == CLIENT_STOPPING) {
        wire_close(steal(c->wire));
        return;
    }
    AUTO(free)
    char *reason = r == 0 ? xstrdup("its output ended")
                          : xasprintf("its output cannot be read: %s", why);
    client_crash(c, reason);
}

static void
on_bad_message(void *ctx, const char *why)
{
    struct client *c = ctx;
    log_debug("%s sent a bad message: %s", c->spec->name, why);
}

static const struct wire_events wire_events = {.on_request = client_peer_on_request,
                                               .on_notification =
                                                   client_peer_on_notification,
                                               .on_bad_message = on_bad_message,
                                               .on_end = on_wire_end};
static const struct stream_events stderr_events = {.on_bytes = on_stderr_bytes,
                                                   .on_end = on_stderr_end};

static void
finish(struct client *c)
{
    void (*on_closed)(void *ctx) = c->on_closed;
    void *closed_ctx = c->closed_ctx;
    hang_up(c);
    stream_close(c->err);
    child_close(c->child);
    timer_close(c->life);
    timer_close(c->due);
    timer_close(c->turn);
    map_destroy(c->docs);
    map_destroy(c->progress);
    json_decref(c->settings);
    json_decref(c->options);
    buf_finish(&c->stderr_tail);
    buf_finish(&c->why);
    free(c->program);
    free(c->root);
    free(c->workspace_root);
    free(c->guard_program);
    free(c->exit_text);
    free(c->reason);
    free(c);
    on_closed(closed_ctx);
}

static void
on_exit_(void *ctx, int64_t status, int signum)
{
    struct client *c = ctx;
    free(c->exit_text);
    c->exit_text =
        signum ? xasprintf("was ended by signal %d (%s)", signum, strsignal(signum))
               : xasprintf("exited with status %" PRId64, status);
    child_close(steal(c->child));
    c->stats.pid = 0;
    switch (c->state) {
    case CLIENT_STARTING:
    case CLIENT_READY: // its last answers may still be on the way
        timer_start(c->life, CLIENT_EXIT_MS, 0);
        break;
    case CLIENT_STOPPING: finish(c); break;
    case CLIENT_BACKOFF:
    case CLIENT_GIVEN_UP:
        if (c->is_start_due)
            start(c);
        else
            tell_state(c);
        break;
    case CLIENT_STOPPED:
    case CLIENT_STATE_COUNT: break;
    }
}

static void
on_initialized(void *ctx, const struct wire_answer *answer)
{
    struct client *c = ctx;
    if (c->state != CLIENT_STARTING || answer->r == -EPIPE)
        return; // on_wire_end tells
    if (answer->r < 0) {
        AUTO(free)
        char *reason = xasprintf("it refused to initialize: %s",
                                 answer->error_message ? answer->error_message : "");
        client_crash(c, reason);
        return;
    }
    if (client_handshake_read(c, answer->result) < 0) {
        client_crash(c, "its answer to initialize has no capabilities");
        return;
    }
    if (c->child)
        timer_stop(c->life);
    wire_notify(c->wire, "initialized", json_object());
    wire_notify(c->wire, "workspace/didChangeConfiguration",
                client_handshake_configuration(c));
    free(steal(c->reason));
    set_state(c, CLIENT_READY);
    tell_state(c);
}

static int
spawn(struct client *c)
{
    VEC(char *) args = {0};
    for (const char *const *word = c->spec->command; *word; word++)
        *vec_push(&args) = (char *)(uintptr_t)*word;
    AUTO(free) char *extra = client_quirk_argument(c->spec, c->root);
    if (extra)
        *vec_push(&args) = extra;
    *vec_push(&args) = NULL;
    char **environment = client_choice_environment(c->workspace_root);
    struct child_options options = {.program = c->program,
                                    .args = args.v,
                                    .env = environment,
                                    .cwd = c->root,
                                    .niceness = CLIENT_NICENESS,
                                    .guard_program = c->guard_program};
    int r = child_open(c->loop, &options, on_exit_, c, &c->child);
    client_choice_environment_free(environment);
    vec_finish(&args);
    return r;
}

void
client_leave_processor(struct client *c, bool is_left)
{
    ASSERT_LOOP();
    c->leaves_processor = is_left;
    if (c->child)
        child_leave_processor(c->child, is_left);
}

static void
start(struct client *c)
{
    c->is_start_due = false;
    set_state(c, CLIENT_STARTING);
    stream_close(steal(c->err));
    buf_reset(&c->stderr_tail);
    free(steal(c->exit_text));
    client_peer_reset(c);
    c->spawn_r = spawn(c);
    if (c->spawn_r < 0) {
        timer_start(c->life, 0, 0);
    } else {
        c->stats.pid = child_pid(c->child);
        if (c->leaves_processor)
            child_leave_processor(c->child, true);
        c->wire = wire_open(c->loop, child_stdout(c->child), child_stdin(c->child),
                            &wire_events, c);
        c->err = child_stderr(c->child);
        stream_start(c->err, &stderr_events, c);
        wire_request(c->wire, "initialize", client_handshake_params(c), on_initialized,
                     c);
        timer_start(c->life, CLIENT_INITIALIZE_MS, 0);
    }
    tell_state(c);
}

static void
on_life(void *ctx)
{
    struct client *c = ctx;
    switch (c->state) {
    case CLIENT_STARTING:
        if (c->spawn_r < 0) {
            AUTO(free)
            char *why =
                xasprintf("%s cannot be started: %s", c->program, err_text(c->spawn_r));
            client_crash(c, why);
        } else {
            client_crash(c,
                         c->child ? "it did not answer initialize in time" : "it ended");
        }
        break;
    case CLIENT_READY: client_crash(c, "it ended"); break;
    case CLIENT_BACKOFF:
        if (c->child)
            c->is_start_due = true;
        else
            start(c);
        break;
    case CLIENT_STOPPING:
        if (c->child)
            child_terminate(c->child, CLIENT_STOP_GRACE_MS);
        else
            finish(c);
        break;
    case CLIENT_STOPPED:
    case CLIENT_GIVEN_UP:
    case CLIENT_STATE_COUNT: break;
    }
}

/* ---- the owner's calls ---- */

struct client *
client_open(struct loop *l, const struct client_options *options,
            const struct client_events *events, void *ctx)
{
    ASSERT_LOOP();
    struct client *c = xnew(struct client);
    c->loop = l;
    c->spec = options->spec;
    c->program = xstrdup(options->program);
    c->root = xstrdup(options->root);
    c->workspace_root =
        xstrdup(options->workspace_root ? options->workspace_root : options->root);
    c->guard_program = xstrdup(options->guard_program);
    c->deadline_ms = options->deadline_ms;
    c->backoff_ms_min =
        options->backoff_ms_min ? options->backoff_ms_min : CLIENT_BACKOFF_MS_MIN;
    c->events = events;
    c->ctx = ctx;
    c->docs = map_create();
    c->progress = map_create();
    c->settings = client_spec_settings(c->spec);
    c->options = client_spec_options(c->spec);
    list_init(&c->timed);
    list_init(&c->settled);
    c->life = timer_open(l, on_life, c);
    c->due = timer_open(l, client_on_due, c);
    c->turn = timer_open(l, client_on_turn, c);
    return c;
}

void
client_start(struct client *c)
{
    ASSERT_LOOP();
    if (c->state != CLIENT_STOPPED && c->state != CLIENT_GIVEN_UP)
        return;
    c->n_crashes = 0;
    if (c->child)
        c->is_start_due = true; // the crashed one is still going
    else
        start(c);
}

void
client_fail(struct client *c, const char *why)
{
    ASSERT_LOOP();
    if (c->state == CLIENT_STARTING || c->state == CLIENT_READY)
        client_crash(c, why);
}

static void
on_shutdown(void *ctx, const struct wire_answer *answer)
{
    struct client *c = ctx;
    if (answer->r == -EPIPE)
        return;
    wire_notify(c->wire, "exit", NULL);
    wire_shutdown(c->wire);
}

void
client_close(struct client *c, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!c->on_closed && on_closed);
    c->on_closed = on_closed;
    c->closed_ctx = ctx;
    client_end_hovers(c, HOVER_REASON_CANCELLED);
    timer_stop(c->turn);

    enum client_state was = c->state;
    set_state(c, CLIENT_STOPPING);
    if (!c->child) {
        timer_start(c->life, 0, 0);
    } else if (was == CLIENT_READY) {
        wire_request(c->wire, "shutdown", NULL, on_shutdown, c);
        timer_start(c->life, CLIENT_STOP_GRACE_MS, 0);
    } else { // nothing to be polite about, or on its way out
        hang_up(c);
        timer_stop(c->life);
        if (was == CLIENT_STARTING)
            child_terminate(c->child, CLIENT_STOP_GRACE_MS);
    }
}

struct client_stats
client_stats(const struct client *c)
{
    struct client_stats stats = c->stats;
    if (c->child)
        stats.rss_bytes = child_rss_bytes(c->child);
    return stats;
}
