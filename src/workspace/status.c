/* The status object: one encoding for `gloss status`, gloss/status and /v1/stats. */
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "workspace/internal.h"

#define LETTERS_SHOWN 50

static void
add_number(struct buf *json, const char *key, uint64_t value)
{
    buf_printf(json, ",\"%s\":%" PRIu64, key, value);
}

static void
add_text(struct buf *json, const char *key, const char *value)
{
    buf_printf(json, ",\"%s\":", key);
    codec_add_text(json, value);
}

static void
add_hovers(struct buf *json, const struct store_counts *c)
{
    buf_printf(json,
               ",\"hovers\":{\"known\":%" PRIu64 ",\"empty\":%" PRIu64
               ",\"unknown\":%" PRIu64 ",\"stale\":%" PRIu64 ",\"reused\":%" PRIu64 "}",
               c->hovers[HOVER_KNOWN], c->hovers[HOVER_EMPTY], c->hovers[HOVER_UNKNOWN],
               c->stale, c->reused);
}

static void
add_counts(struct buf *json, const struct store_counts *c)
{
    buf_add_cstr(json, ",\"files\":{");
    for (size_t i = 0; i < FILE_STATE_COUNT; i++)
        buf_printf(json, "%s\"%s\":%" PRIu64, i ? "," : "",
                   file_state_name((enum file_state)i), c->files[i]);
    buf_add_char(json, '}');
    add_number(json, "entities", c->entities);
    add_number(json, "edges", c->edges);
    add_hovers(json, c);
    buf_add_cstr(json, ",\"reasons\":{");
    for (size_t i = HOVER_REASON_NONE + 1; i < HOVER_REASON_COUNT; i++)
        buf_printf(json, "%s\"%s\":%" PRIu64, i > HOVER_REASON_NONE + 1 ? "," : "",
                   hover_reason_name((enum hover_reason)i), c->reasons[i]);
    buf_add_char(json, '}');
    buf_printf(json, ",\"past\":{\"contents\":%" PRIu64 ",\"size_bytes\":%" PRIu64 "}",
               c->past_contents, c->past_bytes);
    add_number(json, "size_bytes", c->size_bytes);
}

static void
add_lane(struct buf *json, const char *key, const struct writer_lane *lane)
{
    buf_printf(json, ",\"%s\":{\"wait_us\":", key);
    histogram_add_json(json, &lane->wait);
    buf_add_cstr(json, ",\"latency_us\":");
    histogram_add_json(json, &lane->latency);
    buf_add_char(json, '}');
}

static void
add_queue(struct buf *json, const struct workspace *w, const struct writer_stats *stats)
{
    const struct writer_stats s = *stats;

    buf_printf(
        json,
        ",\"queue\":{\"depth\":%zu,\"depth_max\":%zu,\"waiting\":%zu,\"working\":%zu,"
        "\"commits\":%" PRIu64 ",\"commands\":%" PRIu64 ",\"retries\":%" PRIu64
        ",\"failed\":%" PRIu64 ",\"commit_us_max\":%" PRIu64,
        s.depth, s.depth_max, w->n_waiting, w->n_working, s.commits, s.commands,
        s.retries, s.failed, s.commit_us_max);
    buf_add_cstr(json, ",\"commit_us\":");
    histogram_add_json(json, &s.commit);
    add_lane(json, "interactive", &s.interactive);
    add_lane(json, "bulk", &s.bulk);
    buf_add_cstr(json, ",\"flushes\":{");
    for (size_t i = 0; i < WRITER_CAUSE_COUNT; i++)
        buf_printf(json, "%s\"%s\":%" PRIu64, i ? "," : "",
                   writer_cause_name((enum writer_cause)i), s.causes[i]);
    buf_add_cstr(json, "}}");
}

static void
add_letter(struct buf *json, const struct dead_letter *l)
{
    char time[CLOCK_ISO_BYTES];

    clock_iso8601(l->time_ms, time);
    buf_printf(json, "{\"id\":%" PRId64 ",\"what\":\"%s\",\"path\":", l->id,
               dead_what_name(l->what));
    codec_add_string(json, l->path);
    buf_add_cstr(json, ",\"error\":");
    codec_add_string(json, l->error);
    buf_printf(json, ",\"time\":\"%s\",\"size_bytes\":%zu,\"in_memory\":%s}", time,
               l->payload.n, l->is_kept ? "false" : "true");
}

static void
add_letters(struct buf *json, const struct workspace *w, const struct writer_stats *s)
{
    const struct dead_letter *l;

    buf_printf(json,
               ",\"dead_letters\":{\"count\":%zu,\"in_memory\":%zu,\"size_bytes\":%zu,"
               "\"dropped\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"newest\":[",
               s->letters, s->letters_in_memory, s->letters_bytes, s->letters_dropped,
               s->letters_replayed);
    for (size_t i = 0;
         i < LETTERS_SHOWN && w->writer && (l = writer_letter_at(w->writer, i)); i++) {
        if (i > 0)
            buf_add_char(json, ',');
        add_letter(json, l);
    }
    buf_add_cstr(json, "]}");
}

static void
add_jobs(struct buf *json, const struct workspace *w)
{
    struct jobs_counts n = workspace_jobs_counts(w);

    buf_printf(json,
               ",\"jobs\":{\"pending\":%zu,\"running\":%zu,\"failed\":%zu,\"ended\":%zu"
               ",\"completed_ever\":%" PRIu64 ",\"failed_ever\":%" PRIu64
               ",\"cancelled_ever\":%" PRIu64 "}",
               n.pending, n.running, n.failed, n.ended, n.completed_ever, n.failed_ever,
               n.cancelled_ever);
}

/* What is under retention, and how much of it there may be. */
static void
add_store(struct buf *json, const struct workspace *w, const struct store_gauges *g)
{
    buf_printf(json,
               ",\"store\":{\"wal_bytes\":%" PRIu64 ",\"checkpoints\":%" PRIu64
               ",\"checkpoint_us_max\":%" PRIu64 ",\"events\":{\"rows\":%" PRId64
               ",\"rows_max\":%d,\"size_bytes\":%" PRIu64
               ",\"size_bytes_max\":%lld,\"age_ms_max\":%lld}",
               g->wal_bytes, g->checkpoints, g->checkpoint_us_max,
               MAX(w->info.head - w->info.first_seq + 1, 0), STORE_EVENTS_MAX,
               g->event_bytes, STORE_EVENTS_BYTES, STORE_EVENTS_AGE_MS);
    buf_printf(json,
               ",\"past\":{\"rows\":%" PRIu64 ",\"rows_max\":%d,\"size_bytes\":%" PRIu64
               ",\"size_bytes_max\":%lld}}",
               g->past_rows, STORE_PAST_ROWS, g->past_bytes, STORE_PAST_BYTES);
}

static void
add_servers(struct buf *json, const struct workspace *w)
{
    struct enrich_server_status s;

    buf_add_cstr(json, ",\"servers\":[");
    for (size_t i = 0; w->enrich && enrich_server_at(w->enrich, i, &s); i++) {
        buf_add_cstr(json, i ? ",{\"name\":" : "{\"name\":");
        codec_add_string(json, str_of(s.name));
        add_text(json, "program", s.program);
        add_text(json, "root", s.root);
        add_text(json, "state", s.state);
        add_text(json, "why", s.why);
        add_text(json, "version", s.version);
        add_number(json, "pid", (uint64_t)s.pid);
        add_number(json, "rss_bytes", s.rss_bytes);
        add_number(json, "requests", s.requests);
        add_number(json, "answers", s.answers);
        add_number(json, "timeouts", s.timeouts);
        add_number(json, "errors", s.errors);
        add_number(json, "restarts", s.restarts);
        add_number(json, "pending", s.pending);
        add_number(json, "window", s.window);
        add_number(json, "latency_us", s.best_us);
        buf_add_char(json, '}');
    }
    buf_add_char(json, ']');
}

void
workspace_add_status(struct buf *json, const struct workspace *w)
{
    struct workspace_progress p = workspace_progress(w);
    struct writer_stats s =
        w->writer ? writer_stats(w->writer) : (struct writer_stats){0};
    struct scan_counts seen = w->scan ? scan_counts(w->scan) : (struct scan_counts){0};
    AUTO(free)
    char *root_why =
        w->root_r < 0 ? xasprintf("the folder cannot be read: %s", strerror(-w->root_r))
                      : NULL;

    buf_add_cstr(json, "{\"id\":");
    codec_add_string(json, str_of(w->id));
    add_text(json, "name", w->name);
    add_text(json, "root", w->root);
    add_text(json, "index", w->shown);
    add_text(json, "state", workspace_state_name(workspace_state(w)));
    add_text(json, "why", w->why ? w->why : w->following ? following_why(w) : root_why);
    add_text(json, "epoch", w->info.epoch);
    add_number(json, "head", (uint64_t)w->info.head);
    add_number(json, "first_seq", (uint64_t)w->info.first_seq);
    add_counts(json, &w->counts);
    buf_printf(json, ",\"progress\":{\"done\":%" PRIu64 ",\"total\":%" PRIu64 "}",
               p.files_done, p.files_total);
    buf_printf(json, ",\"enrichment\":{\"done\":%" PRIu64 ",\"total\":%" PRIu64 "}",
               p.hover_files_done, p.hover_files_total);
    add_queue(json, w, &s);
    add_letters(json, w, &s);
    add_jobs(json, w);
    add_store(json, w, &s.gauges);
    add_servers(json, w);
    buf_printf(json, ",\"handed\":{\"taken\":%" PRIu64 ",\"dropped\":%" PRIu64 "}",
               w->n_handed, w->n_handed_dropped);
    add_number(json, "open_documents", map_count(w->docs));
    add_number(json, "watched", seen.watched);
    add_number(json, "unwatched", seen.unwatched);
    add_number(json, "max_watches", w->all->watches.n_max);
    buf_add_char(json, '}');
}

void
workspace_add_brief(struct buf *json, const struct workspace *w)
{
    add_number(json, "files", w->counts.files[FILE_INDEXED]);
    add_number(json, "entities", w->counts.entities);
    add_hovers(json, &w->counts);
}

void
workspaces_add_status(struct buf *json, const struct workspaces *all)
{
    bool is_first = true;

    buf_add_cstr(json, "{\"workspaces\":[");
    list_for_each (it, &all->all) {
        if (!is_first)
            buf_add_char(json, ',');
        is_first = false;
        workspace_add_status(json, list_entry(it, struct workspace, link));
    }
    buf_add_cstr(json, "],\"closed\":");
    workspaces_add_closed(json, all);
    buf_add_char(json, '}');
}

void
workspace_add_summary(struct buf *json, const struct workspace_summary *s)
{
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    buf_printf(json,
               "{\"files\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"failed\":%" PRIu64
               ",\"unchanged\":%" PRIu64 ",\"removed\":%" PRIu64 ",\"ignored\":%" PRIu64
               ",\"reasons\":{",
               s->files, s->skipped, s->failed, s->unchanged, s->removed, s->ignored);
    for (size_t i = FILE_REASON_NONE + 1; i < FILE_REASON_COUNT; i++)
        buf_printf(json, "%s\"%s\":%" PRIu64, i > FILE_REASON_NONE + 1 ? "," : "",
                   file_reason_name((enum file_reason)i), s->reasons[i]);
    buf_printf(json, "},\"entities\":%" PRIu64 ",\"edges\":%" PRIu64, s->counts.entities,
               s->counts.edges);
    buf_printf(json,
               ",\"hovers\":{\"known\":%" PRIu64 ",\"empty\":%" PRIu64
               ",\"unknown\":%" PRIu64 "}",
               s->counts.hovers[HOVER_KNOWN], s->counts.hovers[HOVER_EMPTY],
               s->counts.hovers[HOVER_UNKNOWN]);
    buf_printf(json,
               ",\"seconds\":%" PRId64 ".%03" PRId64 ",\"peak_rss_bytes\":%" PRIu64
               ",\"epoch\":\"%s\",\"seq\":%" PRId64 "}",
               s->took_ms / 1000, s->took_ms % 1000, (uint64_t)usage.ru_maxrss * 1024,
               s->info.epoch, s->info.head);
}

void
status_publish(struct workspace *w)
{
    struct workspace_progress p = workspace_progress(w);
    AUTO(event_unref) struct event *e = NULL;
    char data[WORKSPACE_STATUS_BYTES];

    snprintf(data, sizeof(data),
             "{\"state\":\"%s\",\"files\":{\"done\":%" PRIu64 ",\"total\":%" PRIu64
             "},\"hover_files\":{\"done\":%" PRIu64 ",\"total\":%" PRIu64 "}}",
             workspace_state_name(workspace_state(w)), p.files_done, p.files_total,
             p.hover_files_done, p.hover_files_total);
    if (w->is_closing || strcmp(data, w->status_told) == 0)
        return;
    memcpy(w->status_told, data, sizeof(data));
    e = event_create(EVENT_STATUS_UPDATE, 0, clock_wall_ms(), STR_NONE, str_of(data));
    bus_publish(w->bus, e);
}
