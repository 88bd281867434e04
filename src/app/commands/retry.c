/* gloss retry: dead letters once more, by the engine when one holds the folder, else by itself. */
#include "app/commands/own_run.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"

static const struct command_option options[] = {
    {"all", OPTION_FLAG, NULL, "all that `gloss status --dead-letters` counts"},
    {"dir", OPTION_TEXT, "DIR", "the workspace (default: the current folder)"},
    {0},
};

struct wanted {
    int64_t ids[COMMAND_ARGUMENTS_MAX];
    size_t n;
};

static int
parse_ids(const struct command_line *line, struct wanted *ret_wanted)
{
    if (line_has(line, "all") == (line->n_arguments > 0)) {
        fail("say which: --all, or the numbers that `gloss status --dead-letters` shows");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < line->n_arguments; i++) {
        char *end = NULL;
        errno = 0;
        int64_t id = strtoll(line->arguments[i], &end, 10);

        if (errno != 0 || *end != '\0' || id <= 0) {
            fail("\"%s\" is no number of a dead letter", line->arguments[i]);
            return EXIT_USAGE;
        }
        ret_wanted->ids[ret_wanted->n++] = id;
    }
    return EXIT_OK;
}

static int
tell(const struct command_line *line, int64_t n_tried, int64_t n_left, const char *why)
{
    if (line->is_json) {
        AUTO(buf_finish) struct buf out = {0};

        buf_printf(&out, "{\"tried\":%" PRId64 ",\"left\":%" PRId64 ",\"why\":", n_tried,
                   n_left);
        codec_add_text(&out, why);
        out_line("%s}", out.p);
        return n_left > 0 ? EXIT_FAILED : EXIT_OK;
    }
    if (n_left > 0)
        return fail("%" PRId64 " of %" PRId64 " failed again: %s", n_left, n_tried,
                    why ? why : "unknown");
    out_line("%" PRId64 " tried, none is left", n_tried);
    return EXIT_OK;
}

/* ---- by the engine ---- */

static int
retry_by_engine(const struct command_line *line, struct control *c, const char *root,
                const struct wanted *wanted)
{
    AUTO(json_decref_) json_t *result = NULL;
    AUTO(free) char *why = NULL;
    json_t *params = json_pack("{s:s, s:[]}", "root", root, "ids");
    int64_t n_tried = 0, n_left = 0;
    struct str text;
    int r;

    for (size_t i = 0; i < wanted->n; i++)
        json_array_append_new(json_object_get(params, "ids"),
                              json_integer(wanted->ids[i]));
    r = control_request(c, "gloss/retry", params, NULL, NULL, &result, &why);
    control_close(c);
    if (r < 0)
        return fail("%s: %s", root, why);
    codec_get_int(result, "tried", 0, INT64_MAX, &n_tried);
    codec_get_int(result, "left", 0, INT64_MAX, &n_left);
    return tell(line, n_tried, n_left,
                codec_get_str(result, "why", &text) == 0 ? text.p : NULL);
}

/* ---- by ourselves: the walk that comes first stores what it can ---- */

struct own_retry {
    const struct wanted *wanted;
    void (*done)(void *ctx);
    void *done_ctx;
    size_t n_tried, n_left;
    char *why;
};

static void
on_retried(void *ctx, size_t n_tried, size_t n_left, const char *why)
{
    struct own_retry *own = ctx;

    own->n_tried = n_tried;
    own->n_left = n_left;
    own->why = why ? xstrdup(why) : NULL;
    own->done(own->done_ctx);
}

static void
then_retry(void *ctx, struct workspace *w, void (*done)(void *done_ctx), void *done_ctx)
{
    struct own_retry *own = ctx;
    int r;

    own->done = done;
    own->done_ctx = done_ctx;
    r = workspace_retry(w, own->wanted->ids, own->wanted->n, on_retried, own);
    if (r < 0)
        on_retried(own, 1, 1, err_text(r));
}

static int
retry_by_ourselves(const struct command_line *line, const char *root,
                   const struct wanted *wanted)
{
    AUTO(json_decref_) json_t *summary = NULL;
    struct own_retry own = {.wanted = wanted};
    struct own_run_options run = {.then = then_retry, .ctx = &own};
    int code = own_run(line, root, &run, &summary);

    if (code == EXIT_OK)
        code = tell(line, (int64_t)own.n_tried, (int64_t)own.n_left, own.why);
    free(own.why);
    return code;
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = line_root_of(line, line_text(line, "dir"));
    struct wanted wanted = {0};
    struct control *c;
    int code;

    if (!root)
        return EXIT_FAILED;
    code = parse_ids(line, &wanted);
    if (code != EXIT_OK)
        return code;
    c = own_run_engine(line, root);
    return c ? retry_by_engine(line, c, root, &wanted)
             : retry_by_ourselves(line, root, &wanted);
}

const struct command command_retry = {
    .name = "retry",
    .arguments = "[ID…]",
    .summary = "Try again what the index could not store (dead letters)",
    .details =
        "What three retries did not help, or had no room, is kept and counted by `gloss "
        "status`. "
        "A file is read again from\nthe disk; hovers are stored where the file is still "
        "what they were asked of and nobody told another since.\n"
        "What cannot be stored stays. --json: tried, left, why. Exit code 1 when some "
        "are "
        "left.",
    .options = options,
    .max_arguments = COMMAND_ARGUMENTS_MAX,
    .run = run,
};
