/* /metrics says in Prometheus' words what /v1/stats says in JSON: each row of the tables below is a place in that
 * object. So a number is counted once and has one meaning, and what is not in the status is not a metric either.
 * Format: Prometheus, "Exposition formats", text 0.0.4. */
#include "hub/metrics.h"

#include <sys/resource.h>

#include "codec/codec.h"
#include "hub/ask.h"
#include "rt/proc.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_SUMMARY };

/* A place: members, from the object that the table is about. Of a summary it is a histogram of the status. */
struct metric {
    const char *name, *place, *help;
    enum metric_type type;
    double unit; // what one of it is, in the unit of the name
};

static const struct metric hub_metrics[] = {
    {"gloss_hub_clients", "clients", "WebSocket clients.", METRIC_GAUGE, 1},
    {"gloss_hub_followers", "followers", "Event streams and waiting polls over HTTP.",
     METRIC_GAUGE, 1},
    {"gloss_hub_subscriptions", "subscriptions", "Subscriptions of all clients.",
     METRIC_GAUGE, 1},
    {"gloss_hub_sockets", "sockets", "Accepted sockets.", METRIC_GAUGE, 1},
    {"gloss_hub_connections_total", "connections", "Sockets accepted.", METRIC_COUNTER,
     1},
    {"gloss_hub_refused_total", "refused",
     "Requests refused at the gate: Host, Origin, token, limits.", METRIC_COUNTER, 1},
    {"gloss_hub_requests_total", "requests", "Requests, HTTP and WebSocket.",
     METRIC_COUNTER, 1},
    {"gloss_hub_events_sent_total", "events_sent", "Events handed to sockets.",
     METRIC_COUNTER, 1},
    {"gloss_events_coalesced_total", "events_coalesced",
     "Ephemeral events that a later one of their kind replaced.", METRIC_COUNTER, 1},
    {"gloss_hub_slow_closed_total", "slow_closed",
     "Clients closed because they did not read.", METRIC_COUNTER, 1},
    {"gloss_hub_flood_closed_total", "flood_closed",
     "Clients closed because they asked on and on above their limit.", METRIC_COUNTER, 1},
    {"gloss_hub_throttled_total", "throttled", "Requests above a client's limit.",
     METRIC_COUNTER, 1},
    {"gloss_hub_events_undelivered_total", "events_undelivered",
     "Rows of the log that clients had still to get when they were closed as too slow.",
     METRIC_COUNTER, 1},
    {"gloss_hub_bad_tokens_total", "bad_tokens",
     "Requests with a wrong token, or without one.", METRIC_COUNTER, 1},
    {"gloss_hub_strangers_refused_total", "strangers_refused",
     "Requests without the token above their limit.", METRIC_COUNTER, 1},
    {"gloss_hub_full_total", "full", "Connections above the number there may be.",
     METRIC_COUNTER, 1},
    {"gloss_hub_silent_closed_total", "silent_closed",
     "Sockets closed because they asked for nothing.", METRIC_COUNTER, 1},
    {"gloss_hub_asking", "asking", "Questions of clients at an index.", METRIC_GAUGE, 1},
    {"gloss_hub_waiting_bytes", "waiting_bytes",
     "Answers that wait for their clients to read.", METRIC_GAUGE, 1},
    {"gloss_hub_memory_bytes", "memory_bytes", "Memory of all WebSocket clients.",
     METRIC_GAUGE, 1},
    {"gloss_hub_client_bytes_max", "client_bytes_max",
     "Memory of the WebSocket client that takes most.", METRIC_GAUGE, 1},
    {"gloss_hub_lag_rows_max", "lag_max",
     "Rows that the subscription furthest behind has still to get.", METRIC_GAUGE, 1},
    {"gloss_ingest_streams", "ingest.streams", "Streams of scanners.", METRIC_GAUGE, 1},
    {"gloss_ingest_overloaded_total", "ingest.overloaded",
     "Streams refused because too much waited for the disk.", METRIC_COUNTER, 1},
    {"gloss_ingest_bytes_total", "ingest.bytes", "What streams sent.", METRIC_COUNTER, 1},
    {"gloss_ingest_paused_seconds_total", "ingest.paused_ms",
     "How long streams were held back, all together.", METRIC_COUNTER, 1e-3},
    {"gloss_ingest_stored_total", "ingest.stored", "Lines of scanners that were stored.",
     METRIC_COUNTER, 1},
    {"gloss_ingest_again_total", "ingest.again",
     "Lines not done again, as their key was known.", METRIC_COUNTER, 1},
    {"gloss_ingest_refused_total", "ingest.refused", "Lines that made no sense.",
     METRIC_COUNTER, 1},
    {"gloss_ingest_lost_total", "ingest.lost",
     "Lines of batches that could not be committed.", METRIC_COUNTER, 1},
    {"gloss_ingest_batches_total", "ingest.batches", "Batches committed.", METRIC_COUNTER,
     1},
    {"gloss_ingest_waiting_lines", "ingest.waiting_lines",
     "Lines that wait for the writer.", METRIC_GAUGE, 1},
    {"gloss_ingest_waiting_bytes", "ingest.waiting_bytes",
     "Memory of what waits for the writer.", METRIC_GAUGE, 1},
    {"gloss_hub_event_seconds", "event_us",
     "From the news of a commit until a WebSocket was given its events.", METRIC_SUMMARY,
     1e-6},
    {"gloss_hub_request_seconds", "request_us", "Questions at an index.", METRIC_SUMMARY,
     1e-6},
    {"gloss_hub_connection_seconds", "connection_ms", "How long WebSockets stayed open.",
     METRIC_SUMMARY, 1e-3},
};

static const struct metric workspace_metrics[] = {
    {"gloss_files_indexed", "files.indexed", "Files with entities or without any.",
     METRIC_GAUGE, 1},
    {"gloss_files_skipped", "files.skipped", "Files without a grammar, or too large.",
     METRIC_GAUGE, 1},
    {"gloss_files_failed", "files.failed", "Files that could not be read or parsed.",
     METRIC_GAUGE, 1},
    {"gloss_entities", "entities", "Entities in the index.", METRIC_GAUGE, 1},
    {"gloss_edges", "edges", "Edges in the index.", METRIC_GAUGE, 1},
    {"gloss_hovers_known", "hovers.known", "Entities whose hover is known.", METRIC_GAUGE,
     1},
    {"gloss_hovers_empty", "hovers.empty", "Entities of which their server says nothing.",
     METRIC_GAUGE, 1},
    {"gloss_hovers_unknown", "hovers.unknown", "Entities whose hover is not known.",
     METRIC_GAUGE, 1},
    {"gloss_index_bytes", "size_bytes", "Size of the index on disk.", METRIC_GAUGE, 1},
    {"gloss_wal_bytes", "store.wal_bytes", "Size of the write-ahead log.", METRIC_GAUGE,
     1},
    {"gloss_checkpoints_total", "store.checkpoints",
     "Checkpoints of the write-ahead log.", METRIC_COUNTER, 1},
    {"gloss_event_head", "head", "The newest event's number.", METRIC_GAUGE, 1},
    {"gloss_event_first", "first_seq", "The oldest kept event's number.", METRIC_GAUGE,
     1},
    {"gloss_event_log_bytes", "store.events.size_bytes", "Size of the event log.",
     METRIC_GAUGE, 1},
    {"gloss_queue_depth", "queue.depth", "Commands that wait for the writer.",
     METRIC_GAUGE, 1},
    {"gloss_files_waiting", "queue.waiting", "Files that wait for a worker.",
     METRIC_GAUGE, 1},
    {"gloss_commits_total", "queue.commits", "Transactions committed.", METRIC_COUNTER,
     1},
    {"gloss_commands_total", "queue.commands",
     "Commands of the writer that were carried out.", METRIC_COUNTER, 1},
    {"gloss_write_retries_total", "queue.retries", "Transactions tried again.",
     METRIC_COUNTER, 1},
    {"gloss_write_failures_total", "queue.failed",
     "Commands that failed after all retries.", METRIC_COUNTER, 1},
    {"gloss_commit_seconds", "queue.commit_us", "Time of a commit.", METRIC_SUMMARY,
     1e-6},
    {"gloss_interactive_seconds", "queue.interactive.latency_us",
     "From an editor's or a saved file's change to its commit.", METRIC_SUMMARY, 1e-6},
    {"gloss_bulk_seconds", "queue.bulk.latency_us",
     "From any other change to its commit.", METRIC_SUMMARY, 1e-6},
    {"gloss_dead_letters", "dead_letters.count",
     "Changes set aside; gloss retry replays them.", METRIC_GAUGE, 1},
    {"gloss_jobs_pending", "jobs.pending", "Jobs that wait for their turn or their time.",
     METRIC_GAUGE, 1},
    {"gloss_jobs_running", "jobs.running", "Jobs that run.", METRIC_GAUGE, 1},
    {"gloss_jobs_failed", "jobs.failed", "Jobs that failed for good and are kept.",
     METRIC_GAUGE, 1},
    {"gloss_jobs_completed_total", "jobs.completed_ever", "Jobs that were done.",
     METRIC_COUNTER, 1},
    {"gloss_jobs_failed_total", "jobs.failed_ever", "Jobs that failed for good.",
     METRIC_COUNTER, 1},
    {"gloss_jobs_cancelled_total", "jobs.cancelled_ever", "Jobs that were cancelled.",
     METRIC_COUNTER, 1},
};

static const struct metric server_metrics[] = {
    {"gloss_server_rss_bytes", "rss_bytes",
     "Memory of a language server and what it started.", METRIC_GAUGE, 1},
    {"gloss_server_requests_total", "requests", "Requests sent to a language server.",
     METRIC_COUNTER, 1},
    {"gloss_server_answers_total", "answers", "Its answers.", METRIC_COUNTER, 1},
    {"gloss_server_timeouts_total", "timeouts", "Requests it did not answer in time.",
     METRIC_COUNTER, 1},
    {"gloss_server_errors_total", "errors", "Requests it answered with an error.",
     METRIC_COUNTER, 1},
    {"gloss_server_restarts_total", "restarts", "Starts after its first one.",
     METRIC_COUNTER, 1},
    {"gloss_server_pending", "pending", "Requests it has not answered yet.", METRIC_GAUGE,
     1},
    {"gloss_server_window", "window", "Requests that it may have at once.", METRIC_GAUGE,
     1},
};

/* ---- lines ---- */

static void
add_head(struct buf *text, const struct metric *m)
{
    static const char *const types[] = {[METRIC_GAUGE] = "gauge",
                                        [METRIC_COUNTER] = "counter",
                                        [METRIC_SUMMARY] = "summary"};
    buf_printf(text, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
               types[m->type]);
}

/* name="value", the value escaped as the format wants it. */
static void
add_label(struct buf *labels, const char *name, const char *value)
{
    buf_printf(labels, "%s%s=\"", labels->n ? "," : "", name);
    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            buf_add_cstr(labels, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(labels, "\\%c", *p);
        else
            buf_add_char(labels, *p);
    }
    buf_add_char(labels, '"');
}

static void
add_line(struct buf *text, const char *name, struct str labels, const char *quantile,
         double value)
{
    buf_add_cstr(text, name);
    if (labels.n > 0 || quantile) {
        buf_printf(text, "{%.*s", STR_ARG(labels));
        if (quantile)
            buf_printf(text, "%squantile=\"%s\"", labels.n ? "," : "", quantile);
        buf_add_char(text, '}');
    }
    buf_printf(text, " %.17g\n", value);
}

static const json_t *
at_place(const json_t *object, const char *place)
{
    struct str rest = str_of(place), part;
    while (object && str_split(&rest, '.', &part)) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s", STR_ARG(part));
        object = codec_member(object, name);
    }
    return object;
}

static void
add_value(struct buf *text, const struct metric *m, struct str labels,
          const json_t *value)
{
    static const char *const quantiles[][2] = {
        {"0.5", "p50"}, {"0.99", "p99"}, {"1", "max"}};
    if (m->type != METRIC_SUMMARY) {
        add_line(text, m->name, labels, NULL, json_number_value(value) * m->unit);
        return;
    }
    AUTO(free) char *count = xasprintf("%s_count", m->name);
    AUTO(free) char *sum = xasprintf("%s_sum", m->name);
    for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
        add_line(text, m->name, labels, quantiles[i][0],
                 json_number_value(codec_member(value, quantiles[i][1])) * m->unit);
    add_line(text, sum, labels, NULL,
             json_number_value(codec_member(value, "sum")) * m->unit);
    add_line(text, count, labels, NULL, json_number_value(codec_member(value, "n")));
}

/* ---- objects ---- */

/* An object of the status with its labels. */
struct subject {
    const json_t *object;
    struct buf labels;
};
struct subjects {
    VEC(struct subject) list;
};

static void
add_table(struct buf *text, const struct metric *table, size_t n,
          const struct subjects *all)
{
    for (size_t i = 0; i < n; i++) {
        bool has_head = false;
        for (size_t k = 0; k < all->list.n; k++) {
            const json_t *value = at_place(all->list.v[k].object, table[i].place);
            if (!value || json_is_null(value))
                continue;
            if (!has_head)
                add_head(text, &table[i]);
            has_head = true;
            add_value(text, &table[i], buf_str(&all->list.v[k].labels), value);
        }
    }
}

static const char *
text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(codec_member(object, name));
    return text ? text : "";
}

static void
subjects_finish(struct subjects *all)
{
    for (size_t i = 0; i < all->list.n; i++)
        buf_finish(&all->list.v[i].labels);
    vec_finish(&all->list);
}

static void
collect(const json_t *stats, struct subjects *workspaces, struct subjects *servers)
{
    const json_t *list = codec_array(stats, "workspaces");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *w = json_array_get(list, i), *of = codec_array(w, "servers");
        struct subject *s = vec_push(&workspaces->list);
        *s = (struct subject){.object = w};
        add_label(&s->labels, "workspace", text_at(w, "id"));
        for (size_t k = 0; k < json_array_size(of); k++) {
            struct subject *server = vec_push(&servers->list);
            *server = (struct subject){.object = json_array_get(of, k)};
            add_label(&server->labels, "workspace", text_at(w, "id"));
            add_label(&server->labels, "server", text_at(server->object, "name"));
            add_label(&server->labels, "root", text_at(server->object, "root"));
        }
    }
}

/* What the workspaces are, and whether each can be used. */
static void
add_states(struct buf *text, const struct subjects *workspaces)
{
    static const struct metric info = {"gloss_workspace_info", "",
                                       "Workspaces and their roots.", METRIC_GAUGE, 1},
                               ready = {"gloss_workspace_up", "",
                                        "1 unless its index cannot be opened.",
                                        METRIC_GAUGE, 1};
    for (size_t i = 0; i < workspaces->list.n; i++) {
        const json_t *w = workspaces->list.v[i].object;
        AUTO(buf_finish) struct buf labels = {0};
        if (i == 0)
            add_head(text, &info);
        buf_add_str(&labels, buf_str(&workspaces->list.v[i].labels));
        add_label(&labels, "root", text_at(w, "root"));
        add_line(text, info.name, buf_str(&labels), NULL, 1);
    }
    for (size_t i = 0; i < workspaces->list.n; i++) {
        if (i == 0)
            add_head(text, &ready);
        add_line(text, ready.name, buf_str(&workspaces->list.v[i].labels), NULL,
                 strcmp(text_at(workspaces->list.v[i].object, "state"), "failed") != 0);
    }
}

static void
add_process(struct buf *text)
{
    static const struct metric rss = {"process_resident_memory_bytes", "",
                                      "Resident memory of the engine.", METRIC_GAUGE, 1},
                               cpu = {"process_cpu_seconds_total", "",
                                      "Processor time of the engine.", METRIC_COUNTER, 1};
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    add_head(text, &rss);
    add_line(text, rss.name, STR_NONE, NULL, (double)proc_rss_bytes(getpid()));
    add_head(text, &cpu);
    add_line(text, cpu.name, STR_NONE, NULL,
             (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6);
}

void
metrics_add(struct buf *text, const struct hub *h)
{
    AUTO(buf_finish) struct buf json = {0};
    AUTO(json_decref_) json_t *stats = NULL;
    struct subjects hub = {0}, workspaces = {0}, servers = {0};
    asker_add_stats(&json, h);
    if (codec_parse(buf_str(&json), &stats, NULL) < 0)
        stats = NULL;
    *vec_push(&hub.list) = (struct subject){.object = codec_object(stats, "hub")};
    collect(stats, &workspaces, &servers);
    buf_add_cstr(text, "# HELP gloss_info Version.\n# TYPE gloss_info gauge\n"
                       "gloss_info{version=\"" GLOSS_VERSION "\"} 1\n");
    add_process(text);
    add_table(text, hub_metrics, ARRAY_LEN(hub_metrics), &hub);
    add_states(text, &workspaces);
    add_table(text, workspace_metrics, ARRAY_LEN(workspace_metrics), &workspaces);
    add_table(text, server_metrics, ARRAY_LEN(server_metrics), &servers);
    subjects_finish(&hub);
    subjects_finish(&workspaces);
    subjects_finish(&servers);
}
