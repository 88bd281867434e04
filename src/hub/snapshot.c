/* A snapshot is many short reads and not one long one, which would hold the log of the database. So its rows are not of
 * one moment; but each is at least as new as `head`, which was read first, and everything after `head` follows as
 * events: who applies an event only to a row whose rev is smaller ends with the truth.
 * Invariant: at most SNAPSHOTS_MAX of a hub hold a list of files, and each at most one page of rows. */
#include "hub/snapshot.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/filter.h"
#include "workspace/workspace.h"

enum stage { STAGE_BEGIN, STAGE_TURN, STAGE_FILES, STAGE_ROWS, STAGE_END, STAGE_OVER };

struct snapshot {
    struct hub_client *client;
    struct workspace *workspace;
    char sub[24];
    int64_t head;
    bool has_rows;
    const struct filter *filter;
    enum stage stage;
    bool has_turn;
    struct ask *ask;
    struct query_result *files, *page;
    size_t next_file, next_row;
    uint64_t n_rows; // sent
    int error;
    struct buf frame, data;
};

struct snapshot *
snapshot_open(struct hub_client *c, struct workspace *w,
              const struct snapshot_options *options)
{
    struct snapshot *s = xnew(struct snapshot);
    s->client = c;
    s->workspace = w;
    snprintf(s->sub, sizeof(s->sub), "%s", options->sub);
    s->head = options->head;
    s->has_rows = options->has_rows;
    s->filter = options->filter;
    return s;
}

/* Whose turn it is finds out by asking again. */
static void
give_turn(struct snapshot *s)
{
    struct hub *h = s->client->hub;
    if (!s->has_turn)
        return;
    s->has_turn = false;
    h->n_snapshots--;
    list_for_each (it, &h->clients)
        hub_client_wake(list_entry(it, struct hub_client, link));
}

void
snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    ask_abandon(s->ask);
    give_turn(s);
    query_result_destroy(s->files);
    query_result_destroy(s->page);
    buf_finish(&s->frame);
    buf_finish(&s->data);
    free(s);
}

/* ---- reads ---- */

static void
on_read(struct ask *ask, struct query_result **result)
{
    struct snapshot *s = ask->owner;
    s->ask = NULL;
    s->error = (*result)->r;
    if (s->stage == STAGE_FILES) {
        s->files = steal(*result);
        s->stage = STAGE_ROWS;
    } else {
        s->next_file += (*result)->n_paths;
        s->next_row = 0;
        s->page = steal(*result);
    }
    hub_client_wake(s->client);
}

/* The next page, or the list of files first. */
static void
read_on(struct snapshot *s)
{
    struct query *q = workspace_query(s->workspace);
    if (s->ask)
        return;
    if (!q) {
        s->error = -ECANCELED;
        return;
    }
    s->ask = ask_open(s->client->hub, s->workspace, (struct asker){0}, on_read, s);
    if (s->stage == STAGE_FILES)
        s->ask->ticket = query_files(q, ask_on_done, s->ask);
    else
        s->ask->ticket =
            query_entities(q, s->files->paths + s->next_file,
                           MIN(s->files->n_paths - s->next_file, (size_t)SNAPSHOT_FILES),
                           SNAPSHOT_ROWS, ask_on_done, s->ask);
}

/* ---- messages ---- */

static enum snapshot_next
say(struct snapshot *s, const char *event_type, struct str *ret_frame)
{
    struct codec_wire_event event = {
        .event_type = event_type, .time_ms = clock_wall_ms(), .data = buf_str(&s->data)};
    buf_reset(&s->frame);
    message_begin(&s->frame);
    codec_add_wire_event(&s->frame, &event, str_of(workspace_epoch(s->workspace)),
                         str_of(workspace_id(s->workspace)), str_of(s->sub));
    *ret_frame = str_slice(s->frame.p + LWS_PRE, s->frame.n - LWS_PRE);
    return SNAPSHOT_FRAME;
}

/* As many rows of the page as one message takes; false: none of them was wanted. */
static bool
put_rows(struct snapshot *s)
{
    AUTO(buf_finish) struct buf row = {0};
    size_t n = 0;
    buf_reset(&s->data);
    buf_add_cstr(&s->data, "{\"rows\":[");
    for (; s->next_row < s->page->n_rows && n < SNAPSHOT_ROWS; s->next_row++) {
        buf_reset(&row);
        codec_add_entity(&row, &s->page->rows[s->next_row], CODEC_WITH_HOVER);
        if (s->filter && !filter_accepts(s->filter, buf_str(&row)))
            continue;
        if (n > 0 && s->data.n + row.n > HUB_FRAME_BYTES_MAX / 2)
            break;
        if (n++ > 0)
            buf_add_char(&s->data, ',');
        buf_add_str(&s->data, buf_str(&row));
    }
    buf_add_cstr(&s->data, "]}");
    s->n_rows += n;
    if (s->next_row == s->page->n_rows)
        query_result_destroy(steal(s->page));
    return n > 0;
}

static bool
take_turn(struct snapshot *s)
{
    struct hub *h = s->client->hub;
    if (h->n_snapshots >= SNAPSHOTS_MAX)
        return false;
    h->n_snapshots++;
    s->has_turn = true;
    return true;
}

static enum snapshot_next
end(struct snapshot *s, struct str *ret_frame)
{
    give_turn(s);
    query_result_destroy(steal(s->files));
    s->stage = STAGE_OVER;
    buf_reset(&s->data);
    buf_printf(&s->data, "{\"head\":%" PRId64 ",\"rows\":%" PRIu64 "}", s->head,
               s->n_rows);
    return say(s, "snapshot.end", ret_frame);
}

enum snapshot_next
snapshot_next(struct snapshot *s, struct str *ret_frame, const char **ret_why)
{
    if (s->error < 0) {
        *ret_why = err_text(s->error);
        return SNAPSHOT_FAILED;
    }
    switch (s->stage) {
    case STAGE_BEGIN:
        s->stage = s->has_rows ? STAGE_TURN : STAGE_END;
        buf_printf(&s->data, "{\"head\":%" PRId64 "}", s->head);
        return say(s, "snapshot.begin", ret_frame);
    case STAGE_TURN:
        if (!take_turn(s))
            return SNAPSHOT_WAITS;
        s->stage = STAGE_FILES;
        read_on(s);
        return SNAPSHOT_WAITS;
    case STAGE_FILES: return SNAPSHOT_WAITS;
    case STAGE_ROWS:
        while (s->page)
            if (put_rows(s))
                return say(s, "snapshot.rows", ret_frame);
        if (s->next_file == s->files->n_paths)
            return end(s, ret_frame);
        read_on(s);
        return SNAPSHOT_WAITS;
    case STAGE_END: return end(s, ret_frame);
    case STAGE_OVER: return SNAPSHOT_OVER;
    }
    return SNAPSHOT_OVER;
}
