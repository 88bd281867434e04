/* gloss jobs: what the engine does in the background, and what it is to do later. */
#include "app/commands/answer.h"
#include "app/commands/commands.h"
#include "codec/codec.h"

static const struct command_option options[] = {
    {"all", OPTION_FLAG, NULL, "also those that completed or were cancelled"},
    {"cancel", OPTION_TEXT, "JOB", "end it"},
    {"retry", OPTION_TEXT, "JOB", "begin it again: one that failed or was cancelled"},
    {0},
};

/* The id, if the workspace has gone meanwhile. */
static const char *
root_of(const json_t *status, const char *id)
{
    const json_t *w;
    size_t i;

    json_array_foreach(codec_array(status, "workspaces"), i, w)
    {
        if (strcmp(answer_text(w, "id"), id) == 0)
            return answer_text(w, "root");
    }
    return id;
}

static void
show(const json_t *job, const json_t *status)
{
    const json_t *progress = codec_object(job, "progress");
    bool is_later = strcmp(answer_text(job, "status"), "pending") == 0;
    const char *time =
        is_later && answer_text(job, "run_at")[0] ? answer_text(job, "run_at")
        : answer_text(job, "completed_at")[0]     ? answer_text(job, "completed_at")
                                                  : answer_text(job, "created_at");

    out_line("%s  %-9s  %-8s  %s  %" PRId64 "/%" PRId64 "  %s%s%s",
             answer_text(job, "job_id"), answer_text(job, "status"),
             answer_text(job, "kind"), time, answer_number(progress, "done"),
             answer_number(progress, "total"),
             root_of(status, answer_text(job, "workspace")),
             answer_text(job, "error")[0] ? "  " : "", answer_text(job, "error"));
}

static bool
is_wanted(const struct command_line *line, const json_t *job)
{
    const char *status = answer_text(job, "status");

    return line_has(line, "all") ||
           (strcmp(status, "completed") != 0 && strcmp(status, "cancelled") != 0);
}

static void
show_all(const struct command_line *line, const json_t *result, const json_t *status)
{
    const json_t *job;
    size_t i, n = 0;

    json_array_foreach(codec_array(result, "jobs"), i, job)
    {
        if (!is_wanted(line, job))
            continue;
        show(job, status);
        n++;
    }
    if (json_is_true(json_object_get(result, "truncated")))
        out_line("there are more: the hub's job.list tells them by status");
    else if (n == 0)
        out_line("no jobs%s", line_has(line, "all") ? "" : " that wait, run or failed");
}

static int
run(const struct command_line *line)
{
    static const char *const changes[] = {"cancel", "retry"};
    AUTO(free) char *why = NULL, *answer_why = NULL;
    AUTO(json_decref_) json_t *result = NULL, *status = NULL;
    json_t *params = json_object();
    struct control *c = NULL;
    int r;

    if (line_has(line, "cancel") && line_has(line, "retry")) {
        json_decref(params);
        fail("say one of --cancel and --retry");
        return EXIT_USAGE;
    }
    /* What is not UTF-8 is no job's id; nor is the empty one, but that is text. */
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        if (line_has(line, changes[i]) &&
            json_object_set_new(params, changes[i],
                                json_string(line_text(line, changes[i]))) < 0)
            json_object_set_new(params, changes[i], json_string(""));
    r = control_open(false, &c, &why);
    if (r < 0) {
        json_decref(params);
        return r == -ENOENT ? fail("no engine runs: jobs wait for one that holds their "
                                   "folder (`gloss serve`)")
                            : fail("%s", why);
    }
    r = control_request(c, "gloss/jobs", params, NULL, NULL, &result, &answer_why);
    if (r == 0 && !line->is_json)
        r = control_request(c, "gloss/status", NULL, NULL, NULL, &status, &answer_why);
    control_close(c);
    if (r < 0)
        return fail("%s", answer_why ? answer_why : "the engine has gone");
    if (line->is_json) {
        AUTO(buf_finish) struct buf out = {0};

        codec_add_json(&out, result);
        out_line("%s", out.p);
    } else if (codec_array(result, "jobs")) {
        show_all(line, result, status);
    } else {
        show(result, status);
    }
    return EXIT_OK;
}

const struct command command_jobs = {
    .name = "jobs",
    .arguments = "",
    .summary = "List what the engine does in the background, cancel it, try it again",
    .details =
        "Jobs are submitted over the hub (docs/PROTOCOL.md, \"Jobs\"): job.submit, "
        "reindex. A line is its number, status, kind,\nwhen it is due, ended or was "
        "submitted, how far it is, whose it is, and why it failed. --json: the engine's "
        "answer.",
    .options = options,
    .run = run,
};
