/* gloss status */
#include "app/commands/answer.h"
#include "app/commands/commands.h"
#include "codec/codec.h"

#define LETTERS_SHOWN 3

static const struct command_option options[] = {
    {"dead-letters", OPTION_FLAG, NULL, "only what could not be stored, newest first"},
    {0},
};

static void
show_servers(const json_t *servers)
{
    const json_t *s;
    size_t i;

    json_array_foreach(servers, i, s)
        out_line("  server     %s %s%s%s, %" PRId64 " asked, %" PRId64
                 " timed out, %" PRId64 " MiB",
                 answer_text(s, "name"), answer_text(s, "state"),
                 answer_text(s, "why")[0] ? ": " : "", answer_text(s, "why"),
                 answer_number(s, "requests"), answer_number(s, "timeouts"),
                 answer_number(s, "rss_bytes") >> 20);
}

/* How many are known, why the others are not, and what need not be asked for. */
static void
show_hovers(const json_t *w)
{
    const json_t *hovers = codec_object(w, "hovers"), *past = codec_object(w, "past");
    json_t *reasons = json_object_get(w, "reasons"), *n;
    AUTO(buf_finish) struct buf why = {0};
    const char *reason;

    json_object_foreach(reasons, reason, n)
    {
        if (json_integer_value(n) > 0)
            buf_printf(&why, "%s%" JSON_INTEGER_FORMAT " %s", why.n ? ", " : " (",
                       json_integer_value(n), reason);
    }
    out_line("  hovers     %" PRId64 " known, %" PRId64 " empty, %" PRId64
             " unknown%s%s, %" PRId64 " stale",
             answer_number(hovers, "known"), answer_number(hovers, "empty"),
             answer_number(hovers, "unknown"), why.n ? why.p : "", why.n ? ")" : "",
             answer_number(hovers, "stale"));
    out_line("  reused     %" PRId64 " hovers came without asking; those of %" PRId64
             " earlier contents are kept (%" PRId64 " KiB)",
             answer_number(hovers, "reused"), answer_number(past, "contents"),
             answer_number(past, "size_bytes") >> 10);
}

/* What could not be stored, the newest n_max of it. */
static void
show_letters(const json_t *w, size_t n_max)
{
    const json_t *letters = codec_object(w, "dead_letters"), *l;
    AUTO(buf_finish) struct buf path = {0};
    int64_t n_shown = 0;
    size_t i;

    json_array_foreach(codec_array(letters, "newest"), i, l)
    {
        struct str name = out_name(&path, str_of(answer_text(l, "path")));

        if (i >= n_max)
            break;
        out_line("  %6" PRId64 "  %s %.*s: %s (%s)", answer_number(l, "id"),
                 answer_text(l, "what"), STR_ARG(name), answer_text(l, "error"),
                 answer_text(l, "time"));
        n_shown++;
    }
    if (answer_number(letters, "count") > n_shown && n_shown > 0)
        out_line("          and %" PRId64 " older ones",
                 answer_number(letters, "count") - n_shown);
    if (answer_number(letters, "dropped") > 0)
        out_line("          %" PRId64 " are lost: there were too many",
                 answer_number(letters, "dropped"));
}

static void
show_all_letters(const json_t *status)
{
    const json_t *w;
    size_t i;

    json_array_foreach(codec_array(status, "workspaces"), i, w)
    {
        out_line("%s: %" PRId64 " dead letters", answer_text(w, "root"),
                 answer_number(codec_object(w, "dead_letters"), "count"));
        show_letters(w, SIZE_MAX);
    }
}

static double
p99_ms(const json_t *queue, const char *lane)
{
    return (double)answer_number(codec_object(codec_object(queue, lane), "latency_us"),
                                 "p99") /
           1000.0;
}

static void
show_workspace(const json_t *w)
{
    const json_t *files = codec_object(w, "files"), *queue = codec_object(w, "queue"),
                 *progress = codec_object(w, "progress"), *jobs = codec_object(w, "jobs");

    out_line("%s", answer_text(w, "root"));
    out_line("  state      %s%s%s (%" PRId64 " of %" PRId64 " files)",
             answer_text(w, "state"), answer_text(w, "why")[0] ? ": " : "",
             answer_text(w, "why"), answer_number(progress, "done"),
             answer_number(progress, "total"));
    out_line("  index      %s, %" PRId64 " MiB", answer_text(w, "index"),
             answer_number(w, "size_bytes") >> 20);
    out_line("  files      %" PRId64 " indexed, %" PRId64 " skipped, %" PRId64 " failed",
             answer_number(files, "indexed"), answer_number(files, "skipped"),
             answer_number(files, "failed"));
    out_line("  entities   %" PRId64 ", %" PRId64 " edges", answer_number(w, "entities"),
             answer_number(w, "edges"));
    show_hovers(w);
    out_line("  queue      %" PRId64 " waiting, %" PRId64 " in the writer, %" PRId64
             " failed",
             answer_number(queue, "waiting"), answer_number(queue, "depth"),
             answer_number(queue, "failed"));
    out_line("  commits    %" PRId64
             ", latency p99 %.1f ms (%.1f ms in bulk), log %" PRId64 " MiB",
             answer_number(queue, "commits"), p99_ms(queue, "interactive"),
             p99_ms(queue, "bulk"),
             answer_number(codec_object(w, "store"), "wal_bytes") >> 20);
    if (answer_number(jobs, "pending") + answer_number(jobs, "running") +
            answer_number(jobs, "failed") >
        0)
        out_line("  jobs       %" PRId64 " running, %" PRId64 " wait, %" PRId64
                 " failed: `gloss jobs`",
                 answer_number(jobs, "running"), answer_number(jobs, "pending"),
                 answer_number(jobs, "failed"));
    if (answer_number(codec_object(w, "dead_letters"), "count") > 0) {
        out_line("  letters    %" PRId64
                 " could not be stored and wait for `gloss retry`",
                 answer_number(codec_object(w, "dead_letters"), "count"));
        show_letters(w, LETTERS_SHOWN);
    }
    out_line("  events     epoch %s, %" PRId64 " to %" PRId64, answer_text(w, "epoch"),
             answer_number(w, "first_seq"), answer_number(w, "head"));
    if (answer_number(w, "unwatched") > 0)
        out_line("  watching   %" PRId64 " folders, %" PRId64
                 " more are read again every few seconds (at most %" PRId64
                 " are watched: index.max_watches)",
                 answer_number(w, "watched"), answer_number(w, "unwatched"),
                 answer_number(w, "max_watches"));
    else
        out_line("  watching   %" PRId64 " folders", answer_number(w, "watched"));
    show_servers(codec_array(w, "servers"));
}

static void
show(const json_t *status)
{
    const json_t *engine = codec_object(status, "engine"), *w;
    size_t i;

    out_line("engine %s, pid %" PRId64 ", port %" PRId64 ", up %" PRId64 " s, %" PRId64
             " sessions, %" PRId64 " hub clients",
             answer_text(engine, "version"), answer_number(engine, "pid"),
             answer_number(engine, "port"), answer_number(engine, "uptime_s"),
             answer_number(engine, "sessions"), answer_number(engine, "hub_clients"));
    json_array_foreach(codec_array(status, "workspaces"), i, w) show_workspace(w);
    json_array_foreach(codec_array(status, "closed"), i, w) out_line(
        "%s\n  state      closed; who names it opens it", answer_text(w, "root"));
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *why = NULL, *answer_why = NULL;
    AUTO(json_decref_) json_t *status = NULL;
    struct control *c = NULL;
    int r = control_open(false, &c, &why);

    if (r == -ENOENT) {
        if (line->is_json)
            out_line("{\"engine\":null,\"workspaces\":[]}");
        else
            out_line("%s", why);
        return EXIT_OK;
    }
    if (r < 0)
        return fail("%s", why);
    r = control_request(c, "gloss/status", NULL, NULL, NULL, &status, &answer_why);
    control_close(c);
    if (r < 0)
        return fail("%s", answer_why);
    if (line->is_json) {
        AUTO(buf_finish) struct buf out = {0};
        codec_add_json(&out, status);
        out_line("%s", out.p);
    } else if (line_has(line, "dead-letters")) {
        show_all_letters(status);
    } else {
        show(status);
    }
    return EXIT_OK;
}

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "What the engine is doing: workspaces, servers, queue, counts",
    .details =
        "--json prints one object, described in docs/PROTOCOL.md (Status). Dead letters "
        "are what the index could not\nstore; `gloss retry` tries them again.",
    .options = options,
    .run = run,
};
