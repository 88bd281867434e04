/* A folder indexed in this process. Invariant: whatever happens, the loop closes empty and the folder's
 * index with it. */
#include "app/commands/own_run.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "codec/codec.h"
#include "lang/lang.h"
#include "rt/timer.h"

void
own_run_show(int64_t done, int64_t total, int64_t hover_done, int64_t hover_total)
{
    if (hover_total > 0)
        progress_show("hovers: %" PRId64 " of %" PRId64 " files", hover_done,
                      hover_total);
    else
        progress_show("indexing: %" PRId64 " of %" PRId64 " files", done, total);
}

struct own_run {
    struct loop loop;
    struct workspaces *workspaces;
    struct workspace *workspace;
    struct workspace_listener *listener;
    struct loop_signals *signals;
    json_t *summary;
    char *why;
    bool is_closing;
    const struct own_run_options *options;
};

static void
on_closed(void *ctx UNUSED)
{
}

static void
own_close(struct own_run *run)
{
    if (run->is_closing)
        return;
    run->is_closing = true;
    workspace_unlisten(steal(run->listener));
    signals_close(steal(run->signals));
    workspaces_close(run->workspaces, on_closed, run);
}

static void
close_later(void *ctx)
{
    own_close(ctx);
}

static void
on_then(void *ctx)
{
    struct own_run *run = ctx;

    loop_defer(&run->loop, close_later, run);
}

static void
on_summary(void *ctx, const struct workspace_summary *s)
{
    struct own_run *run = ctx;

    if (run->is_closing)
        return; // that it was not finished was said, or will be
    if (s->r < 0) {
        run->why = xstrdup(s->why);
    } else {
        AUTO(buf_finish) struct buf json = {0};
        workspace_add_summary(&json, s);
        if (codec_parse(buf_str(&json), &run->summary, &run->why) < 0)
            run->summary = NULL;
    }
    if (run->summary && run->options->then) {
        run->options->then(run->options->ctx, run->workspace, on_then, run);
        return;
    }
    loop_defer(&run->loop, close_later, run);
}

static void
on_change(void *ctx)
{
    struct own_run *run = ctx;
    struct workspace_progress p = workspace_progress(run->workspace);

    own_run_show((int64_t)p.files_done, (int64_t)p.files_total,
                 (int64_t)p.hover_files_done, (int64_t)p.hover_files_total);
}

static void
on_signal(void *ctx, int signum)
{
    struct own_run *run = ctx;

    if (!run->why)
        run->why =
            xasprintf("stopped by %s; what was indexed is kept", strsignal(signum));
    own_close(run);
}

int
own_run(const struct command_line *line, const char *root,
        const struct own_run_options *options, json_t **ret_summary)
{
    struct own_run run = {.options = options};
    struct workspaces_options options_ = {
        .config = line->config, .guard_program = own_program(), .db_url = line->db_url};
    AUTO(free) char *why = NULL;
    int r = lang_init(&why), code = EXIT_OK;

    if (r == 0)
        r = loop_init(&run.loop);
    if (r < 0)
        return fail("cannot start: %s", why ? why : err_text(r));
    run.signals = signals_open(&run.loop, on_signal, &run);
    run.workspaces = workspaces_open(&run.loop, &options_);
    r = workspaces_acquire(run.workspaces, root, true, &run.workspace);
    if (r < 0) {
        run.why = xasprintf("%s: %s", root, err_text(r));
        own_close(&run);
    } else {
        run.listener = workspace_listen(run.workspace, on_change, &run);
        workspace_index(run.workspace, options->with_enrich, on_summary, &run);
    }
    loop_run(&run.loop);
    progress_clear();
    if (run.why)
        code = fail("%s", run.why);
    else
        *ret_summary = json_incref(run.summary);
    json_decref(run.summary);
    free(run.why);
    lang_finish();
    return loop_finish(&run.loop) == 0 ? code : EXIT_FAILED;
}

/* Of the same index: an engine that was told another --db leaves ours to us. In memory each has one of its own,
 * whose name only its engine knows. */
static bool
holds_ours(const json_t *workspace, const char *root, const char *index)
{
    struct str held, at;

    if (codec_get_str(workspace, "root", &held) < 0 || !str_eq_c(held, root) ||
        codec_get_str(workspace, "index", &at) < 0)
        return false;
    return str_eq_c(at, index) ||
           (strcmp(index, "mem:") == 0 && str_starts_with(at, STR("mem:")));
}

struct control *
own_run_engine(const struct command_line *line, const char *root)
{
    AUTO(free) char *why = NULL, *status_why = NULL, *url = line_index_url(line, root);
    AUTO(free) char *index = uri_public(url);
    AUTO(json_decref_) json_t *status = NULL;
    struct control *c = NULL;
    const json_t *w;
    size_t i;

    if (control_open(false, &c, &why) < 0)
        return NULL;
    if (control_request(c, "gloss/status", NULL, NULL, NULL, &status, &status_why) == 0)
        json_array_foreach(codec_array(status, "workspaces"), i, w)
        {
            if (holds_ours(w, root, index))
                return c;
        }
    control_close(c);
    return NULL;
}
