/* gloss push: a folder's scanner without an index, feeding another engine's. Invariant: a file counts as stored when the
 * engine acknowledged its last line, so whatever is cut off is sent again, and memory is bounded by the files on their
 * way (workspace/pipeline.h). An upload has an end, for a body in chunks has one; the next begins before it. */
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/commands/own_run.h"
#include "app/push_files.h"
#include "app/push_where.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "lang/lang.h"
#include "rt/timer.h"
#include "workspace/workspace.h"

#define PUSH_LINE_BYTES ((size_t)900 << 10)  // of the 1 MiB that a line may have
#define PUSH_UPLOAD_BYTES ((size_t)48 << 20) // of the 64 MiB of a body in chunks
#define PUSH_FAULTS_SHOWN 5
#define PUSH_AGAIN_MS 5000 // until an engine that does not say what it has is asked again
#define PUSH_HOST_BYTES 256
#define PUSH_SILENCE_S 60 // an engine answers within 30 s
#define PUSH_SILENCE_S_MAX 3600

static const struct command_option options[] = {
    {"to", OPTION_TEXT, "URL",
     "ws://127.0.0.1:PORT/NAME: the engine and the workspace there (default: the engine "
     "of this user, and the folder's name)"},
    {"token-file", OPTION_TEXT, "FILE",
     "where the engine's token is: its engine.json, or the token alone (default: "
     "$GLOSS_TOKEN, then the engine.json of this user)"},
    {"timeout", OPTION_NUMBER, "SECONDS",
     "how long the engine may owe an answer and say nothing (default: 60)"},
    {"watch", OPTION_FLAG, NULL, "go on with what changes, until it is stopped"},
    {0},
};

/* A file on its way, or its end. */
struct sent {
    struct list link; // upload.sent, in the order of lines
    uint64_t last_line;
    char *path;
    writer_done_fn done;
    void *done_ctx;
};

struct upload {
    struct list link; // push.uploads
    struct push *push;
    struct push_wire *wire;
    struct list sent;
    uint64_t last_line;
    size_t n_bytes;
    bool is_finished; // no more is added to it
};

struct push {
    struct loop loop;
    struct workspaces *workspaces;
    struct workspace *workspace;
    struct workspace_listener *listener;
    struct loop_signals *signals;
    struct push_where where;
    struct push_address address; // what is in where, now
    char sender[HASH_HEX_BYTES]; // this root on this machine
    unsigned silence_s;
    const char *root;
    struct push_files *files; // while the engine is asked what it has
    struct timer *again;
    struct map *there;   // paths that the engine has of this sender
    struct list uploads; // the last one is being filled, unless it is finished
    bool is_json, is_watching, is_closing, is_walked;
    bool has_missed; // something was not taken
    uint64_t n_files, n_deleted, n_faults, n_bytes;
    char *why;
    int r;
};

static void push_close(struct push *p);

/* ---- uploads ---- */

static void
sent_end(struct sent *s, int r)
{
    list_remove(&s->link);
    s->done(s->done_ctx, r, NULL);
    free(s->path);
    free(s);
}

/* Who watches tries again: the walk that follows what could not be stored comes by itself. */
static void
forgive(struct push *p)
{
    if (!p->is_watching || !p->why)
        return;
    fail("%s; what is missing is sent again", p->why);
    free(steal(p->why));
}

static void
on_fault(void *ctx, uint64_t line, const char *why)
{
    struct upload *u = ctx;
    const char *path = "?";
    list_for_each (it, &u->sent) {
        const struct sent *s = list_entry(it, struct sent, link);
        path = s->path;
        if (s->last_line >= line)
            break;
    }
    if (u->push->n_faults++ < PUSH_FAULTS_SHOWN)
        fail("%s: refused: %s", path, why);
}

static void
upload_finish(struct upload *u)
{
    u->is_finished = true;
    push_wire_finish(u->wire);
}

static void
on_ack(void *ctx, uint64_t last_line)
{
    struct upload *u = ctx;
    while (!list_is_empty(&u->sent)) {
        struct sent *s = list_first(&u->sent, struct sent, link);
        if (s->last_line > last_line)
            break;
        sent_end(s, 0);
    }
    if (u->push->is_walked && list_is_empty(&u->sent) && !u->is_finished)
        upload_finish(u); // a body may not pause for long
}

static void
upload_free(void *ctx)
{
    struct upload *u = ctx;
    push_wire_close(u->wire);
    free(u);
}

static void
on_upload_end(void *ctx, int r, const char *why)
{
    struct upload *u = ctx;
    struct push *p = u->push;
    list_remove(&u->link);
    if (r == 0 && !list_is_empty(&u->sent))
        r = -EPROTO;
    p->has_missed |= r < 0;
    if (r < 0 && !p->why && !p->is_closing) {
        p->why = xstrdup(why ? why : err_text(r));
        p->r = r;
    }
    while (!list_is_empty(&u->sent))
        sent_end(list_first(&u->sent, struct sent, link), r < 0 ? r : -EPROTO);
    loop_defer(&p->loop, upload_free, u);
    if (r != -EPERM)
        forgive(p);
    if (p->why || (p->is_walked && !p->is_watching && list_is_empty(&p->uploads)))
        push_close(p);
}

static const struct push_events push_events = {
    .on_fault = on_fault, .on_ack = on_ack, .on_end = on_upload_end};

/* 0, or it was said what is wrong. */
static int
look_for_engine(struct push *p)
{
    int code = push_where_find(&p->where);
    p->address = (struct push_address){.port = p->where.port,
                                       .workspace = p->where.name,
                                       .token = p->where.token,
                                       .sender = p->sender,
                                       .silence_s = p->silence_s};
    return code;
}

static struct upload *
upload_open(struct push *p)
{
    AUTO(free) char *why = NULL;
    if (p->is_watching && look_for_engine(p) != 0) // it may be another one by now
        return NULL;
    struct upload *u = xnew(struct upload);
    u->push = p;
    list_init(&u->sent);
    int r = push_wire_open(&p->loop, &p->address, &push_events, u, &u->wire, &why);
    if (r < 0) {
        if (!p->why)
            p->why = steal(why);
        forgive(p);
        free(u);
        return NULL;
    }
    list_add(&p->uploads, &u->link);
    return u;
}

/* The one to fill; NULL: there is no engine. */
static struct upload *
upload_now(struct push *p)
{
    if (!list_is_empty(&p->uploads)) {
        struct upload *u = list_entry(p->uploads.prev, struct upload, link);
        if (!u->is_finished)
            return u;
    }
    return upload_open(p);
}

static void
add_line(void *ctx, struct str line)
{
    struct upload *u = ctx;
    u->last_line = push_wire_add(u->wire, line);
    u->n_bytes += line.n;
    u->push->n_bytes += line.n;
}

static void
add_sent(struct upload *u, struct str path, writer_done_fn done, void *done_ctx)
{
    struct sent *s = xnew(struct sent);
    s->last_line = u->last_line;
    s->path = str_dup(path);
    s->done = done;
    s->done_ctx = done_ctx;
    list_add(&u->sent, &s->link);
    if (u->n_bytes >= PUSH_UPLOAD_BYTES)
        upload_finish(u);
}

/* ---- what the scanner hands on ---- */

struct later {
    struct push *push;
    writer_done_fn done;
    void *done_ctx;
    int r;
};

static void
tell_later(void *ctx)
{
    struct later *l = ctx;
    l->done(l->done_ctx, l->r, NULL);
    if (l->r < 0 && !l->push->is_watching)
        push_close(l->push);
    free(l);
}

static void
done_later(struct push *p, int r, writer_done_fn done, void *done_ctx)
{
    struct later *l = xnew(struct later);
    p->has_missed |= r < 0;
    *l = (struct later){.push = p, .done = done, .done_ctx = done_ctx, .r = r};
    loop_defer(&p->loop, tell_later, l);
}

static void
delete_file(void *ctx, struct str path, writer_done_fn done, void *done_ctx)
{
    AUTO(buf_finish) struct buf line = {0};
    struct push *p = ctx;
    struct upload *u = p->is_closing ? NULL : upload_now(p);
    if (!u) {
        done_later(p, -ECONNREFUSED, done, done_ctx);
        return;
    }
    buf_add_cstr(&line, "{\"op\":\"delete\",\"path\":");
    codec_add_string(&line, path);
    buf_add_char(&line, '}');
    add_line(u, buf_str(&line));
    add_sent(u, path, done, done_ctx);
    map_remove(p->there, path);
    p->n_deleted++;
}

static void
each_known(void *ctx, void (*fn)(void *to, struct str path), void *to)
{
    const struct push *p = ctx;
    struct str path;
    size_t iter = 0;
    void *value;
    while (map_next(p->there, &iter, &path, &value))
        fn(to, path);
}

/* What nobody can read is nobody's news, unless it could be read before. */
static void
put_file(void *ctx, struct batch *batch, writer_done_fn done, void *done_ctx)
{
    struct push *p = ctx;
    struct upload *u = NULL;
    bool is_news = batch->file.state == FILE_INDEXED;
    if (!is_news && map_get(p->there, batch->file.path)) {
        delete_file(ctx, batch->file.path, done, done_ctx);
        batch_destroy(batch);
        return;
    }
    if (is_news && !p->is_closing)
        u = upload_now(p);
    if (!u) {
        done_later(p, is_news ? -ECONNREFUSED : 0, done, done_ctx);
    } else {
        codec_each_ingest_line(batch, PUSH_LINE_BYTES, add_line, u);
        add_sent(u, batch->file.path, done, done_ctx);
        map_put(p->there, batch->file.path, p);
        p->n_files++;
    }
    batch_destroy(batch);
}

/* ---- the run ---- */

static void
on_closed(void *ctx UNUSED)
{
}

/* Uploads end without an answer: whatever waits for one is told, so that the workspace can close. */
static void
close_now(void *ctx)
{
    struct push *p = ctx;
    list_for_each_safe (it, &p->uploads) {
        struct upload *u = list_entry(it, struct upload, link);
        list_remove(&u->link);
        while (!list_is_empty(&u->sent))
            sent_end(list_first(&u->sent, struct sent, link), -ECANCELED);
        upload_free(u);
    }
    push_files_close(steal(p->files));
    timer_close(steal(p->again));
    workspace_unlisten(steal(p->listener));
    signals_close(steal(p->signals));
    workspaces_close(p->workspaces, on_closed, p);
}

static void
push_close(struct push *p)
{
    if (p->is_closing)
        return;
    p->is_closing = true;
    loop_defer(&p->loop, close_now, p);
}

static void
on_summary(void *ctx, const struct workspace_summary *s)
{
    struct push *p = ctx;
    if (p->is_closing)
        return; // that it was not finished was said, or nobody waits for it
    /* Who watches heard of what was not taken, and another walk comes by itself. */
    bool is_bad = s->r < 0 && !(p->is_watching && p->has_missed);
    if (is_bad && !p->why)
        p->why = xstrdup(s->why);
    p->is_walked = true;
    if (is_bad || (list_is_empty(&p->uploads) && !p->is_watching)) {
        push_close(p);
        return;
    }
    list_for_each (it, &p->uploads)
        upload_finish(list_entry(it, struct upload, link));
}

static void
on_change(void *ctx)
{
    struct push *p = ctx;
    struct workspace_progress at = workspace_progress(p->workspace);
    progress_show("pushing: %" PRIu64 " of %" PRIu64 " files", at.files_done,
                  at.files_total);
}

static void
on_signal(void *ctx, int signum)
{
    struct push *p = ctx;
    if (!p->why && !p->is_watching)
        p->why =
            xasprintf("stopped by %s; what was acknowledged is kept", strsignal(signum));
    push_close(p);
}

static void
begin_walk(struct push *p)
{
    int r = workspaces_acquire(p->workspaces, p->root, false, &p->workspace);
    if (r < 0) {
        p->why = xasprintf("%s: %s", p->root, err_text(r));
        push_close(p);
        return;
    }
    p->listener = workspace_listen(p->workspace, on_change, p);
    workspace_index(p->workspace, false, on_summary, p);
}

static void
on_there(void *ctx, struct str path)
{
    struct push *p = ctx;
    map_put(p->there, path, p);
}

static void
on_all_there(void *ctx, int r, const char *why)
{
    struct push *p = ctx;
    push_files_close(steal(p->files));
    if (p->is_closing)
        return;
    if (r == 0) {
        begin_walk(p);
    } else if (p->is_watching && r != -EPERM) {
        fail("%s; it is asked again", why);
        timer_start(p->again, PUSH_AGAIN_MS, 0);
    } else {
        p->why = xstrdup(why);
        push_close(p);
    }
}

/* What went away while nobody pushed is known to the engine alone. */
static void
ask_what_is_there(void *ctx)
{
    static const struct push_files_events events = {.on_file = on_there,
                                                    .on_end = on_all_there};
    struct push *p = ctx;
    if (!p->is_watching || look_for_engine(p) == 0)
        p->files = push_files_open(&p->loop, &p->address, &events, p);
    else
        timer_start(p->again, PUSH_AGAIN_MS, 0);
}

/* One name for this root on this machine, which tells neither. */
static void
name_sender(struct push *p)
{
    char host[PUSH_HOST_BYTES] = "";
    AUTO(free) char *text = NULL;
    gethostname(host, sizeof(host) - 1);
    text = xasprintf("%s\n%s", host, p->root);
    hash128_to_hex(hash128(str_of(text)), p->sender);
}

static int
run_push(struct push *p, const struct command_line *line)
{
    struct workspace_sink sink = {.put_file = put_file,
                                  .delete_file = delete_file,
                                  .each_known = each_known,
                                  .ctx = p};
    struct workspaces_options all = {.config = line->config,
                                     .guard_program = own_program(),
                                     .sink = &sink,
                                     .with_watch = p->is_watching};
    AUTO(free) char *why = NULL;
    int r = lang_init(&why), code = EXIT_OK;
    if (r == 0)
        r = loop_init(&p->loop);
    if (r < 0)
        return fail("cannot start: %s", why ? why : err_text(r));
    list_init(&p->uploads);
    p->signals = signals_open(&p->loop, on_signal, p);
    p->workspaces = workspaces_open(&p->loop, &all);
    p->again = timer_open(&p->loop, ask_what_is_there, p);
    p->there = map_create();
    ask_what_is_there(p);
    loop_run(&p->loop);
    progress_clear();
    map_destroy(p->there);
    if (p->why)
        code = fail("%s", p->why);
    lang_finish();
    return loop_finish(&p->loop) == 0 ? code : EXIT_FAILED;
}

/* ---- the command ---- */

static int
run_push_and_say(struct push *p, const struct command_line *line)
{
    int code = run_push(p, line);
    if (line->is_json)
        out_line("{\"workspace\":\"%s\",\"files\":%" PRIu64 ",\"deleted\":%" PRIu64
                 ",\"refused\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"complete\":%s}",
                 p->where.name, p->n_files, p->n_deleted, p->n_faults, p->n_bytes,
                 code == EXIT_OK && p->n_faults == 0 ? "true" : "false");
    else if (code == EXIT_OK)
        out_line("pushed %" PRIu64 " files to %s (%.1f MB)", p->n_files, p->where.name,
                 (double)p->n_bytes / 1e6);
    return p->n_faults > 0 ? EXIT_FAILED : code;
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = line_root(line, 0);
    struct push p = {.is_json = line->is_json, .is_watching = line_has(line, "watch")};
    int64_t silence_s = line_number(line, "timeout", PUSH_SILENCE_S);
    if (!root)
        return EXIT_FAILED;
    if (silence_s < 1 || silence_s > PUSH_SILENCE_S_MAX) {
        fail("--timeout must be a number of seconds from 1 to %d", PUSH_SILENCE_S_MAX);
        return EXIT_USAGE;
    }
    p.silence_s = (unsigned)silence_s;
    p.root = root;
    name_sender(&p);
    int code = push_where_init(&p.where, line_text(line, "to"),
                               line_text(line, "token-file"), root);
    if (code == EXIT_OK)
        code = look_for_engine(&p);
    if (code == EXIT_OK)
        code = run_push_and_say(&p, line);
    push_where_finish(&p.where);
    free(p.why);
    return code;
}

const struct command command_push = {
    .name = "push",
    .arguments = "[DIR]",
    .summary = "Scan a folder here and feed a workspace of another engine with it",
    .details =
        "Nothing is stored on this side. The engine's hub takes the files' "
        "entities and edges into a workspace that has what was pushed, nothing "
        "else; hovers are not asked for. What is acknowledged is on the engine's "
        "disk. What this folder no longer has goes there, too, if a push of it made "
        "it. With --watch an engine that starts again is found, and no "
        "connection is kept while nothing changes: an engine that nobody uses "
        "ends all the same.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
