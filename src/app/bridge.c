/* `gloss lsp`: what an editor starts. Connects to the engine, starting it if there is none, and copies
 * bytes both ways; a side that does not read stops the other (back-pressure). It looks into small
 * frames from the editor only to know whether the end was asked for: the exit code is 0 after `exit`
 * that follows `shutdown`, else 1, with one line on stderr when the engine is gone. */
#include <unistd.h>

#include "app/app.h"
#include "base/err.h"
#include "codec/codec.h"
#include "rt/stream.h"

#define BRIDGE_PEEK_BYTES 256     // `shutdown` and `exit` are smaller
#define BRIDGE_BACKLOG (4u << 20) // a side with more than this pending pauses the other
#define BRIDGE_AGAIN_MAX 3        // engines in a row that ended before they said anything

struct bridge {
    struct loop loop;
    struct stream *editor_in, *editor_out, *engine;
    struct loop_signals *signals;
    struct buf peek; // bytes from the editor that are not a whole frame yet
    struct buf said; // all from the editor, until the engine says something
    unsigned n_again;
    bool is_heard, cannot_peek, is_shut_down, is_editor_gone, is_exiting, is_over;
    int exit_code;
};

static void
bridge_end(struct bridge *b, int exit_code)
{
    if (b->is_over)
        return;
    b->is_over = true;
    b->exit_code = exit_code;
    stream_close(b->engine);
    stream_close(b->editor_in);
    stream_close(b->editor_out);
    signals_close(b->signals);
}

static void
look_at(struct bridge *b, struct str body)
{
    AUTO(json_decref_) json_t *message = NULL;
    struct str method;

    if (body.n > BRIDGE_PEEK_BYTES || codec_parse(body, &message, NULL) < 0)
        return;
    if (codec_get_str(message, "method", &method) < 0)
        return;
    if (str_eq_c(method, "shutdown"))
        b->is_shut_down = true;
    else if (str_eq_c(method, "exit"))
        b->is_exiting = true;
}

static void
peek(struct bridge *b, struct str bytes)
{
    struct str rest, body;
    size_t used, done = 0;
    int r = 0;

    if (b->cannot_peek)
        return;
    buf_add_str(&b->peek, bytes);
    rest = buf_str(&b->peek);
    while (rest.n > 0 && (r = wire_frame_parse(rest, &body, &used)) == 0) {
        look_at(b, body);
        done += used;
        rest = str_slice(rest.p + used, rest.n - used);
    }
    buf_consume(&b->peek, done);
    if (r < 0) { // the engine will say what is wrong with it
        b->cannot_peek = true;
        buf_reset(&b->peek);
    }
}

static void
on_editor_bytes(void *ctx, struct str bytes)
{
    struct bridge *b = ctx;

    peek(b, bytes);
    if (b->said.n + bytes.n > BRIDGE_BACKLOG)
        b->is_heard = true; // too much to say it again
    if (!b->is_heard)
        buf_add_str(&b->said, bytes);
    stream_write(b->engine, bytes);
    if (stream_backlog(b->engine) > BRIDGE_BACKLOG)
        stream_pause(b->editor_in);
}

static void
on_editor_end(void *ctx, int r UNUSED)
{
    struct bridge *b = ctx;

    b->is_editor_gone = true;
    stream_shutdown(
        b->engine); // the session ends, the engine answers with its own end of file
}

static void
on_engine_bytes(void *ctx, struct str bytes)
{
    struct bridge *b = ctx;

    b->is_heard = true;
    buf_finish(&b->said);
    stream_write(b->editor_out, bytes);
    if (stream_backlog(b->editor_out) > BRIDGE_BACKLOG)
        stream_pause(b->engine);
}

static void
on_engine_drain(void *ctx)
{
    struct bridge *b = ctx;

    stream_resume(b->editor_in);
}

static void on_engine_end(void *ctx, int r);

static const struct stream_events engine_events = {
    .on_bytes = on_engine_bytes, .on_end = on_engine_end, .on_drain = on_engine_drain};

static bool
start_again(struct bridge *b)
{
    AUTO(free) char *why = NULL;

    if (b->is_heard || b->is_editor_gone || b->n_again++ >= BRIDGE_AGAIN_MAX)
        return false;
    stream_close(steal(b->engine));
    if (engine_connect(&b->loop, true, &b->engine, &why) < 0)
        return false;
    stream_start(b->engine, &engine_events, b);
    stream_write(b->engine, buf_str(&b->said));
    stream_resume(b->editor_in);
    return true;
}

/* Before it said anything: it was about to end when we came, and knows nothing of us. */
static void
on_engine_end(void *ctx, int r)
{
    struct bridge *b = ctx;
    bool is_sudden = !b->is_exiting && !b->is_shut_down && !b->is_editor_gone;

    if (is_sudden && start_again(b))
        return;
    if (is_sudden && r != 0)
        fail("the engine is gone: %s", err_text(r));
    else if (is_sudden)
        fail("the engine is gone; the editor may start gloss again");
    bridge_end(b, b->is_exiting && b->is_shut_down ? EXIT_OK : EXIT_FAILED);
}

static void
on_out_end(void *ctx, int r UNUSED)
{
    bridge_end(ctx, EXIT_FAILED); // the editor does not read any more
}

static void
on_editor_drain(void *ctx)
{
    struct bridge *b = ctx;

    stream_resume(b->engine);
}

static void
on_signal(void *ctx, int signum UNUSED)
{
    bridge_end(ctx, EXIT_FAILED);
}

static void
ignore_bytes(void *ctx UNUSED, struct str bytes UNUSED)
{
}

static const struct stream_events editor_in_events = {.on_bytes = on_editor_bytes,
                                                      .on_end = on_editor_end};
static const struct stream_events editor_out_events = {
    .on_bytes = ignore_bytes, .on_end = on_out_end, .on_drain = on_editor_drain};

int
bridge_run(void)
{
    struct bridge b = {0};
    AUTO(free) char *why = NULL;
    int r = loop_init(&b.loop);

    if (r < 0)
        return fail("cannot make an event loop: %s", err_text(r));
    if (engine_connect(&b.loop, true, &b.engine, &why) < 0) {
        fail("%s", why);
        r = loop_finish(&b.loop);
        return EXIT_FAILED;
    }
    r = stream_open_fd(&b.loop, STDIN_FILENO, &b.editor_in);
    if (r == 0)
        r = stream_open_fd(&b.loop, STDOUT_FILENO, &b.editor_out);
    if (r < 0) {
        fail("stdin or stdout cannot be used: %s", err_text(r));
        bridge_end(&b, EXIT_FAILED);
    } else {
        b.signals = signals_open(&b.loop, on_signal, &b);
        stream_start(b.editor_in, &editor_in_events, &b);
        stream_start(b.editor_out, &editor_out_events, &b);
        stream_start(b.engine, &engine_events, &b);
        loop_run(&b.loop);
    }
    buf_finish(&b.peek);
    buf_finish(&b.said);
    return loop_finish(&b.loop) == 0 ? b.exit_code : EXIT_FAILED;
}
