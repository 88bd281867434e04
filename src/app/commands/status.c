/* gloss status */
#include "app/commands/commands.h"
#include "codec/codec.h"

#define LETTERS_SHOWN 3

static const struct command_option options[] = {
    {"dead-letters", OPTION_FLAG, NULL, "only what could not be stored, newest first"},
    {0},
};

static int64_t
number(const json_t *object, const char *key)
{
    int64_t value = 0;

    return codec_get_int(object, key, INT64_MIN, INT64_MAX, &value) == 0 ? value : 0;
}

static const char *
text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

static void
show_servers(const json_t *servers)
{
    const json_t *s;
    size_t i;

    json_array_foreach(servers, i, s) out_line(
        "  server     %s %s%s%s, %" PRId64 " asked, %" PRId64 " timed out, %" PRId64
        " MiB",
        text(s, "name"), text(s, "state"), text(s, "why")[0] ? ": " : "", text(s, "why"),
        number(s, "requests"), number(s, "timeouts"), number(s, "rss_bytes") >> 20);
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
             number(hovers, "known"), number(hovers, "empty"), number(hovers, "unknown"),
             why.n ? why.p : "", why.n ? ")" : "", number(hovers, "stale"));
    out_line("  reused     %" PRId64 " hovers came without asking; those of %" PRId64
             " earlier contents are kept (%" PRId64 " KiB)",
             number(hovers, "reused"), number(past, "contents"),
             number(past, "size_bytes") >> 10);
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
        struct str name = out_name(&path, str_of(text(l, "path")));

        if (i >= n_max)
            break;
        out_line("  %6" PRId64 "  %s %.*s: %s (%s)", number(l, "id"), text(l, "what"),
                 STR_ARG(name), text(l, "error"), text(l, "time"));
        n_shown++;
    }
    if (number(letters, "count") > n_shown && n_shown > 0)
        out_line("          and %" PRId64 " older ones",
                 number(letters, "count") - n_shown);
    if (number(letters, "dropped") > 0)
        out_line("          %" PRId64 " are lost: there were too many",
                 number(letters, "dropped"));
}

static void
show_all_letters(const json_t *status)
{
    const json_t *w;
    size_t i;

    json_array_foreach(codec_array(status, "workspaces"), i, w)
    {
        out_line("%s: %" PRId64 " dead letters", text(w, "root"),
                 number(codec_object(w, "dead_letters"), "count"));
        show_letters(w, SIZE_MAX);
    }
}

static double
p99_ms(const json_t *queue, const char *lane)
{
    return (double)number(codec_object(codec_object(queue, lane), "latency_us"), "p99") /
           1000.0;
}

static void
show_workspace(const json_t *w)
{
    const json_t *files = codec_object(w, "files"), *queue = codec_object(w, "queue"),
                 *progress = codec_object(w, "progress"), *jobs = codec_object(w, "jobs");

    out_line("%s", text(w, "root"));
    out_line("  state      %s%s%s (%" PRId64 " of %" PRId64 " files)", text(w, "state"),
             text(w, "why")[0] ? ": " : "", text(w, "why"), number(progress, "done"),
             number(progress, "total"));
    out_line("  files      %" PRId64 " indexed, %" PRId64 " skipped, %" PRId64 " failed",
             number(files, "indexed"), number(files, "skipped"), number(files, "failed"));
    out_line("  entities   %" PRId64 ", %" PRId64 " edges", number(w, "entities"),
             number(w, "edges"));
    show_hovers(w);
    out_line("  queue      %" PRId64 " waiting, %" PRId64 " in the writer, %" PRId64
             " failed",
             number(queue, "waiting"), number(queue, "depth"), number(queue, "failed"));
    out_line("  commits    %" PRId64
             ", latency p99 %.1f ms (%.1f ms in bulk), log %" PRId64 " MiB",
             number(queue, "commits"), p99_ms(queue, "interactive"),
             p99_ms(queue, "bulk"), number(codec_object(w, "store"), "wal_bytes") >> 20);
    if (number(jobs, "pending") + number(jobs, "running") + number(jobs, "failed") > 0)
        out_line("  jobs       %" PRId64 " running, %" PRId64 " wait, %" PRId64
                 " failed: `gloss jobs`",
                 number(jobs, "running"), number(jobs, "pending"),
                 number(jobs, "failed"));
    if (number(codec_object(w, "dead_letters"), "count") > 0) {
        out_line("  letters    %" PRId64
                 " could not be stored and wait for `gloss retry`",
                 number(codec_object(w, "dead_letters"), "count"));
        show_letters(w, LETTERS_SHOWN);
    }
    out_line("  events     epoch %s, %" PRId64 " to %" PRId64, text(w, "epoch"),
             number(w, "first_seq"), number(w, "head"));
    if (number(w, "unwatched") > 0)
        out_line("  watching   %" PRId64 " folders, %" PRId64
                 " more are read again every few seconds (at most %" PRId64
                 " are watched: index.max_watches)",
                 number(w, "watched"), number(w, "unwatched"), number(w, "max_watches"));
    else
        out_line("  watching   %" PRId64 " folders", number(w, "watched"));
    show_servers(codec_array(w, "servers"));
}

static void
show(const json_t *status)
{
    const json_t *engine = codec_object(status, "engine"), *w;
    size_t i;

    out_line("engine %s, pid %" PRId64 ", port %" PRId64 ", up %" PRId64 " s, %" PRId64
             " sessions, %" PRId64 " hub clients",
             text(engine, "version"), number(engine, "pid"), number(engine, "port"),
             number(engine, "uptime_s"), number(engine, "sessions"),
             number(engine, "hub_clients"));
    json_array_foreach(codec_array(status, "workspaces"), i, w) show_workspace(w);
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
