/* A snapshot is many short reads and not one long one, which would hold the log of the database. So its rows are not of
 * one moment; but each is at least as new as `head`, which was read first, and everything after `head` follows as
 * events: who applies an event only to a row whose rev is smaller ends with the truth.
 * Invariant: at most SNAPSHOT_READS_MAX of a hub read at once and SNAPSHOT_PAGES_MAX hold a page of rows, in the order
 * in which they asked for it; between two pages a snapshot holds a list of SNAPSHOT_PATHS paths and nobody up. */
#include "hub/snapshot.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/filter.h"
#include "workspace/workspace.h"

#define REJECTED_ROWS_MAX 128 // looked at in one go,
#define REJECTED_BYTES_MAX (64u << 10)

enum stage { STAGE_BEGIN, STAGE_ROWS, STAGE_END, STAGE_OVER };
enum turn { TURN_NONE, TURN_WAITING, TURN_READING, TURN_HOLDING };

struct snapshot {
    struct list link; // of the hub's waiting or holding ones
    struct hub_client *client;
    struct workspace *workspace;
    char sub[24];
    int64_t head;
    bool has_rows;
    const struct filter *filter;
    enum stage stage;
    enum turn turn;
    int64_t held_ms; // since when it has its page
    struct ask *ask;
    struct query_result *paths, *page;
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
    list_init(&s->link);
    s->client = c;
    s->workspace = w;
    snprintf(s->sub, sizeof(s->sub), "%s", options->sub);
    s->head = options->head;
    s->has_rows = options->has_rows;
    s->filter = options->filter;
    return s;
}

/* ---- turns ---- */

static void read_on(struct snapshot *s);

void
snapshot_turns_init(struct snapshot_turns *t)
{
    *t = (struct snapshot_turns){0};
    list_init(&t->waiting);
    list_init(&t->holding);
}

static void
serve_waiting(struct snapshot_turns *t)
{
    while (!list_is_empty(&t->waiting) && t->n_reading < SNAPSHOT_READS_MAX &&
           t->n_holding < SNAPSHOT_PAGES_MAX) {
        struct snapshot *s = list_first(&t->waiting, struct snapshot, link);
        list_remove(&s->link);
        list_add(&t->holding, &s->link);
        t->n_holding++;
        t->n_reading++;
        s->turn = TURN_READING;
        read_on(s);
    }
}

static void
ask_for_turn(struct snapshot *s)
{
    struct snapshot_turns *t = &s->client->hub->snapshots;
    assert(s->turn == TURN_NONE);
    s->turn = TURN_WAITING;
    list_add(&t->waiting, &s->link);
    serve_waiting(t);
}

static void
stop_reading(struct snapshot *s)
{
    s->turn = TURN_HOLDING;
    s->held_ms = clock_mono_ms();
    s->client->hub->snapshots.n_reading--;
}

static void
leave_turn(struct snapshot *s)
{
    struct snapshot_turns *t = &s->client->hub->snapshots;
    if (s->turn == TURN_READING)
        stop_reading(s);
    if (s->turn == TURN_HOLDING)
        t->n_holding--;
    s->turn = TURN_NONE;
    list_remove(&s->link);
    query_result_destroy(steal(s->page));
}

static void
give_turn(struct snapshot *s)
{
    leave_turn(s);
    serve_waiting(&s->client->hub->snapshots);
}

static void
fail(struct snapshot *s, int error)
{
    s->error = error;
    leave_turn(s);
    hub_client_wake(s->client);
}

void
snapshot_on_tick(struct hub *h, int64_t now_ms)
{
    struct snapshot_turns *t = &h->snapshots;
    if (list_is_empty(&t->waiting) || t->n_holding < SNAPSHOT_PAGES_MAX)
        return;
    list_for_each_safe (it, &t->holding) {
        struct snapshot *s = list_entry(it, struct snapshot, link);
        if (s->turn != TURN_HOLDING || now_ms - s->held_ms < SNAPSHOT_PAGE_MS)
            continue;
        fail(s, -ETIMEDOUT);
        hub_client_close_slow(s->client, "slow consumer: others wait for their turn");
    }
    serve_waiting(t);
}

void
snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    ask_abandon(s->ask);
    give_turn(s);
    query_result_destroy(s->paths);
    buf_finish(&s->frame);
    buf_finish(&s->data);
    free(s);
}

static size_t
memory_of(const struct query_result *result)
{
    return result ? sizeof(*result) + result->arena.total_bytes : 0;
}

size_t
snapshot_memory(const struct snapshot *s)
{
    return sizeof(*s) + memory_of(s->paths) + memory_of(s->page) + s->frame.cap +
           s->data.cap;
}

/* ---- reads ---- */

static bool
is_last_list(const struct snapshot *s)
{
    return s->paths && s->paths->n_paths < SNAPSHOT_PATHS;
}

static void
on_read(struct ask *ask, struct query_result **result)
{
    struct snapshot *s = ask->owner;
    struct snapshot_turns *t = &s->client->hub->snapshots;
    bool is_of_paths = !s->paths;
    s->ask = NULL;
    if ((*result)->r < 0) {
        fail(s, (*result)->r);
        serve_waiting(t);
        return;
    }
    if (is_of_paths) {
        s->paths = steal(*result);
        s->next_file = 0;
        if (s->paths->n_paths > 0) { // the same turn: it has nothing to send yet
            read_on(s);
            return;
        }
        leave_turn(s);
    } else {
        s->next_file += (*result)->n_paths;
        s->next_row = 0;
        s->page = steal(*result);
        stop_reading(s);
    }
    serve_waiting(t);
    hub_client_wake(s->client);
}

/* The next page, or the next list of files first. */
static void
read_on(struct snapshot *s)
{
    struct query *q = workspace_query(s->workspace);
    if (!q) { // it closes
        fail(s, -ECANCELED);
        return;
    }
    s->ask = ask_open(s->client->hub, s->workspace, (struct asker){0}, on_read, s);
    if (s->paths && s->next_file < s->paths->n_paths) {
        size_t n = MIN(s->paths->n_paths - s->next_file, (size_t)SNAPSHOT_FILES);
        s->ask->ticket = query_entities(q, s->paths->paths + s->next_file, n,
                                        SNAPSHOT_ROWS, ask_on_done, s->ask);
        return;
    }
    struct query_result *before = steal(s->paths);
    struct str after = before ? before->paths[before->n_paths - 1] : STR_NONE;
    s->ask->ticket = query_files_after(q, after, 0, SNAPSHOT_PATHS, ask_on_done, s->ask);
    query_result_destroy(before);
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

/* As many rows of the page as one message takes, and as may be looked at in one go. False: none of these was wanted. */
static bool
put_rows(struct snapshot *s)
{
    AUTO(buf_finish) struct buf row = {0};
    size_t n = 0, n_rejected = 0, rejected_bytes = 0;
    buf_reset(&s->data);
    buf_add_cstr(&s->data, "{\"rows\":[");
    for (; s->next_row < s->page->n_rows && n < SNAPSHOT_ROWS &&
           n_rejected < REJECTED_ROWS_MAX && rejected_bytes < REJECTED_BYTES_MAX;
         s->next_row++) {
        buf_reset(&row);
        codec_add_entity(&row, &s->page->rows[s->next_row], CODEC_WITH_HOVER);
        if (s->filter && !filter_accepts(s->filter, buf_str(&row))) {
            n_rejected++;
            rejected_bytes += row.n;
            continue;
        }
        if (n > 0 && s->data.n + row.n > HUB_FRAME_BYTES_MAX / 2)
            break;
        if (n++ > 0)
            buf_add_char(&s->data, ',');
        buf_add_str(&s->data, buf_str(&row));
    }
    buf_add_cstr(&s->data, "]}");
    s->n_rows += n;
    return n > 0;
}

/* Of the page that is there. */
static enum snapshot_next
next_rows(struct snapshot *s, struct str *ret_frame)
{
    bool is_any = put_rows(s);
    if (s->next_row == s->page->n_rows)
        give_turn(s);
    return is_any ? say(s, "snapshot.rows", ret_frame) : SNAPSHOT_BUSY;
}

static enum snapshot_next
end(struct snapshot *s, struct str *ret_frame)
{
    query_result_destroy(steal(s->paths));
    s->stage = STAGE_OVER;
    buf_reset(&s->data);
    buf_printf(&s->data, "{\"head\":%" PRId64 ",\"rows\":%" PRIu64 "}", s->head,
               s->n_rows);
    return say(s, "snapshot.end", ret_frame);
}

static bool
is_read(const struct snapshot *s)
{
    return is_last_list(s) && s->next_file == s->paths->n_paths;
}

enum snapshot_next
snapshot_next(struct snapshot *s, struct str *ret_frame, const char **ret_why)
{
    switch (s->stage) {
    case STAGE_BEGIN:
        s->stage = s->has_rows ? STAGE_ROWS : STAGE_END;
        buf_printf(&s->data, "{\"head\":%" PRId64 "}", s->head);
        return say(s, "snapshot.begin", ret_frame);
    case STAGE_ROWS:
        if (s->turn == TURN_HOLDING && s->page)
            return next_rows(s, ret_frame);
        if (s->turn == TURN_NONE && s->error == 0 && is_read(s))
            return end(s, ret_frame);
        if (s->turn == TURN_NONE && s->error == 0)
            ask_for_turn(s);
        if (s->error == 0)
            return SNAPSHOT_WAITS;
        *ret_why = err_text(s->error);
        return SNAPSHOT_FAILED;
    case STAGE_END: return end(s, ret_frame);
    case STAGE_OVER: return SNAPSHOT_OVER;
    }
    return SNAPSHOT_OVER;
}
