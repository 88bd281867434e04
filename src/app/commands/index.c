/* gloss index: by the engine when one runs, else by itself; the summary is the same. */
#include "app/commands/answer.h"
#include "app/commands/own_run.h"
#include "base/mem.h"
#include "codec/codec.h"

static const struct command_option options[] = {
    {"enrich", OPTION_FLAG, NULL, "ask the language servers too, and wait for them"},
    {"jobs", OPTION_NUMBER, "N", "worker threads (default: one per core)"},
    {"parse", OPTION_TEXT, "MODE", "outline (default) or full: function bodies, too"},
    {0},
};

/* ---- the summary, from either way ---- */

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
             answer_number(s, "files"), answer_number(s, "unchanged"),
             answer_number(s, "skipped"), answer_number(s, "failed"),
             answer_number(s, "entities"), answer_number(s, "edges"),
             json_number_value(json_object_get(s, "seconds")));
    json_object_foreach((json_t *)codec_object(s, "reasons"), reason, n)
    {
        if (json_integer_value(n) > 0)
            buf_printf(&reasons, "%s%" JSON_INTEGER_FORMAT " %s", reasons.n ? ", " : "",
                       json_integer_value(n), reason);
    }
    if (answer_number(s, "ignored") > 0 || reasons.n > 0)
        out_line("left out: %" PRId64 " ignored by rules%s%s",
                 answer_number(s, "ignored"), reasons.n ? ", " : "",
                 reasons.n ? reasons.p : "");
    out_line("hovers: %" PRId64 " known, %" PRId64 " empty, %" PRId64 " unknown",
             answer_number(hovers, "known"), answer_number(hovers, "empty"),
             answer_number(hovers, "unknown"));
}

/* ---- by the engine ---- */

static int
on_notification(void *ctx UNUSED, const char *method, json_t *params)
{
    if (strcmp(method, "gloss/progress") == 0)
        own_run_show(answer_number(params, "files_done"),
                     answer_number(params, "files_total"),
                     answer_number(params, "hover_files_done"),
                     answer_number(params, "hover_files_total"));
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

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = line_root(line, 0);
    AUTO(json_decref_) json_t *summary = NULL;
    struct own_run_options own = {.with_enrich = line_has(line, "enrich")};
    struct control *c;
    int code;

    if (!root)
        return EXIT_FAILED;
    c = own_run_engine(line, root);
    if (c)
        return index_by_engine(line, c, root);
    code = own_run(line, root, &own, &summary);
    if (summary)
        show_summary(line, summary);
    return code;
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
