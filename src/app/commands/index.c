/* gloss index: by the engine when one runs, else by itself; the summary is the same. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "lang/lang.h"
#include "rt/timer.h"
#include "workspace/workspace.h"

static const struct command_option options[] = {
    {"enrich", OPTION_FLAG, NULL, "ask the language servers too, and wait for them"},
    {"jobs", OPTION_NUMBER, "N", "worker threads (default: one per core)"},
    {"parse", OPTION_TEXT, "MODE", "outline (default) or full: function bodies, too"},
    {0},
};

/* ---- the summary, from either way ---- */

static int64_t
number(const json_t *object, const char *key)
{
    int64_t value = 0;

    return codec_get_int(object, key, 0, INT64_MAX, &value) == 0 ? value : 0;
}

static void
show_summary(const struct command_line *line, const json_t *s)
{
    const json_t *hovers = codec_object(s, "hovers");
    AUTO(buf_finish) struct buf reasons = {0};
    const char *reason;
    json_t *n;

    progress_clear();
    if (line->is_json) {
        AUTO(buf_finish) struct buf out = {0};
        codec_add_json(&out, s);
        out_line("%s", out.p);
        return;
    }
    out_line("%" PRId64 " files (%" PRId64 " unchanged, %" PRId64 " skipped, %" PRId64
             " failed), %" PRId64 " entities, %" PRId64 " edges in %.2f s",
             number(s, "files"), number(s, "unchanged"), number(s, "skipped"),
             number(s, "failed"), number(s, "entities"), number(s, "edges"),
             json_number_value(json_object_get(s, "seconds")));
    json_object_foreach((json_t *)codec_object(s, "reasons"), reason, n)
    {
        if (json_integer_value(n) > 0)
            buf_printf(&reasons, "%s%" JSON_INTEGER_FORMAT " %s", reasons.n ? ", " : "",
                       json_integer_value(n), reason);
    }
    if (number(s, "ignored") > 0 || reasons.n > 0)
        out_line("left out: %" PRId64 " ignored by rules%s%s", number(s, "ignored"),
                 reasons.n ? ", " : "", reasons.n ? reasons.p : "");
    out_line("hovers: %" PRId64 " known, %" PRId64 " empty, %" PRId64 " unknown",
             number(hovers, "known"), number(hovers, "empty"), number(hovers, "unknown"));
}

static void
show_progress(int64_t done, int64_t total, int64_t hover_done, int64_t hover_total)
{
    if (hover_total > 0)
        progress_show("hovers: %" PRId64 " of %" PRId64 " files", hover_done,
                      hover_total);
    else
        progress_show("indexing: %" PRId64 " of %" PRId64 " files", done, total);
}

/* ---- by the engine ---- */

static int
on_notification(void *ctx UNUSED, const char *method, json_t *params)
{
    if (strcmp(method, "gloss/progress") == 0)
        show_progress(number(params, "files_done"), number(params, "files_total"),
                      number(params, "hover_files_done"),
                      number(params, "hover_files_total"));
    return 0;
}

static int
index_by_engine(const struct command_line *line, struct control *c, const char *root)
{
    AUTO(json_decref_) json_t *summary = NULL;
    AUTO(free) char *why = NULL;
    json_t *params =
        json_pack("{s:s, s:b}", "root", root, "enrich", (int)line_has(line, "enrich"));
    int r =
        control_request(c, "gloss/index", params, on_notification, NULL, &summary, &why);

    control_close(c);
    if (r < 0)
        return fail("%s: %s", root, why);
    show_summary(line, summary);
    return EXIT_OK;
}

/* ---- by ourselves ---- */

struct own_run {
    struct loop loop;
    struct workspaces *workspaces;
    struct workspace *workspace;
    struct workspace_listener *listener;
    struct loop_signals *signals;
    json_t *summary;
    char *why;
    bool is_closing;
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
on_summary(void *ctx, const struct workspace_summary *s)
{
    struct own_run *run = ctx;

    if (s->r < 0) {
        run->why = xstrdup(s->why);
    } else {
        AUTO(buf_finish) struct buf json = {0};
        workspace_add_summary(&json, s);
        if (codec_parse(buf_str(&json), &run->summary, &run->why) < 0)
            run->summary = NULL;
    }
    loop_defer(&run->loop, close_later, run);
}

static void
on_change(void *ctx)
{
    struct own_run *run = ctx;
    struct workspace_progress p = workspace_progress(run->workspace);

    show_progress((int64_t)p.files_done, (int64_t)p.files_total,
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

static int
index_by_ourselves(const struct command_line *line, const char *root)
{
    struct own_run run = {0};
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
        workspace_index(run.workspace, line_has(line, "enrich"), on_summary, &run);
    }
    loop_run(&run.loop);
    if (run.why)
        code = fail("%s", run.why);
    else
        show_summary(line, run.summary);
    json_decref(run.summary);
    free(run.why);
    lang_finish();
    return loop_finish(&run.loop) == 0 ? code : EXIT_FAILED;
}

/* A connection to the engine if one runs and holds this root. */
static struct control *
holding_engine(const struct command_line *line, const char *root)
{
    AUTO(free) char *why = NULL, *status_why = NULL;
    AUTO(json_decref_) json_t *status = NULL;
    struct control *c = NULL;
    const json_t *w;
    struct str held;
    size_t i;

    if (line->db_url || control_open(false, &c, &why) < 0)
        return NULL;
    if (control_request(c, "gloss/status", NULL, NULL, NULL, &status, &status_why) == 0)
        json_array_foreach(codec_array(status, "workspaces"), i,
                           w) if (codec_get_str(w, "root", &held) == 0 &&
                                  str_eq_c(held, root)) return c;
    control_close(c);
    return NULL;
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = line_root(line, 0);
    struct control *c;

    if (!root)
        return EXIT_FAILED;
    c = holding_engine(line, root);
    return c ? index_by_engine(line, c, root) : index_by_ourselves(line, root);
}

const struct command command_index = {
    .name = "index",
    .arguments = "[DIR]",
    .summary = "Index a folder once and end",
    .details = "Unchanged files are not read again. When an engine holds the folder it "
               "does the work. --json prints one object:\n"
               "files, skipped, failed, unchanged, removed, ignored, "
               "reasons{no_grammar,too_large,binary,…},\n"
               "entities, edges, hovers{known,empty,unknown}, seconds, peak_rss_bytes, "
               "epoch, seq.\n"
               "ignored counts what a rule left out, a folder as one; reasons, why files "
               "have no entities.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
