/* Why: one WebSocket, in which nothing piles up: replies up to a limit, above which nothing more is
 * read; of events only the cursors of its subscriptions, one message on its way at a time. Invariant:
 * libwebsockets is asked for a writable callback at most once until it came (is_pending): asking
 * again would take back what epoll already said about other sockets. */
#include "hub/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/cloudevents.h"
#include "hub/feed.h"
#include "hub/parcel.h"
#include "hub/progress.h"
#include "hub/serve.h"
#include "hub/sub.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

struct reply {
    struct list link;
    struct buf text; // behind LWS_PRE bytes
};

/* ---- sending ---- */

void
message_begin(struct buf *b)
{
    static const char room[LWS_PRE];
    buf_add(b, room, sizeof(room));
}

void
hub_client_wake(struct hub_client *c)
{
    if (!c->is_open || c->is_pending)
        return;
    c->is_pending = true;
    c->progress_ms = clock_mono_ms();
    lws_callback_on_writable(c->wsi);
}

static bool
has_room(const struct hub_client *c)
{
    return !c->read && c->reply_bytes < HUB_REPLY_BYTES_MAX &&
           c->n_asks < HUB_PENDING_MAX;
}

/* Reading goes on when there is room again, and stops when there is none: the peer's own send
 * buffer is the queue. */
static void
steer_reading(struct hub_client *c)
{
    bool pause = !has_room(c) || c->lines.n > 0;
    if (pause == c->is_paused || !c->is_open)
        return;
    c->is_paused = pause;
    lws_rx_flow_control(c->wsi, !pause);
}

void
hub_client_send(struct hub_client *c, struct buf *message)
{
    struct reply *reply = xnew(struct reply);
    reply->text = *message;
    *message = (struct buf){0};
    c->reply_bytes += reply->text.n;
    list_add(&c->replies, &reply->link);
    steer_reading(c);
    hub_client_wake(c);
}

static void
reply_destroy(struct hub_client *c, struct reply *reply)
{
    c->reply_bytes -= reply->text.n;
    list_remove(&reply->link);
    buf_finish(&reply->text);
    free(reply);
}

void
hub_client_close(struct hub_client *c, uint16_t code, const char *why)
{
    if (c->close_code)
        return;
    c->close_code = code;
    c->close_why = why;
    c->close_ms = clock_mono_ms();
    hub_client_wake(c);
}

/* What its subscriptions had still to send. */
static uint64_t
count_undelivered(const struct hub_client *c)
{
    uint64_t n = 0;
    list_for_each (it, &c->owner.subs) {
        const struct sub *s = sub_of_owner_link(it);
        int64_t head = bus_head(workspace_bus(feed_workspace(sub_feed(s))));
        n += (uint64_t)MAX(head - sub_cursor(s), (int64_t)0);
    }
    return n;
}

void
hub_client_close_slow(struct hub_client *c, const char *why)
{
    if (c->close_code == HUB_CLOSE_SLOW)
        return;
    c->hub->stats.slow_closed++;
    c->hub->stats.events_undelivered += count_undelivered(c);
    c->close_code = 0; // it would wait for what is not read
    hub_client_close(c, HUB_CLOSE_SLOW, why);
}

/* What had to be said is said. Not from here: a build of libwebsockets with its assertions, as
 * Debian's is, closes twice when a writable callback asks for it, and the close frame is lost. */
static void
end_soon(struct hub_client *c)
{
    c->is_ending = true;
    if (!timer_is_armed(c->hub->end_timer))
        timer_start(c->hub->end_timer, 0, 0);
}

void
hub_client_end_all(struct hub *h)
{
    list_for_each_safe (it, &h->clients) {
        struct hub_client *c = list_entry(it, struct hub_client, link);
        if (!c->is_ending || c->is_ended)
            continue;
        c->is_ended = true;
        lws_close_reason(c->wsi, (enum lws_close_status)c->close_code,
                         (unsigned char *)(uintptr_t)c->close_why, strlen(c->close_why));
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    }
    lws_cancel_service(
        h->context); // its timers are only looked at after something else happened
}

static void
close_lost(struct hub_client *c)
{
    hub_client_close_slow(c, "slow consumer: the log no longer has what comes next");
    end_soon(c);
}

static int
write_bytes(struct hub_client *c, struct str bytes, enum lws_write_protocol protocol)
{
    unsigned char *at =
        (unsigned char *)(uintptr_t)bytes.p; // it writes into the room before
    if (lws_write(c->wsi, at, bytes.n, protocol) < (int)bytes.n)
        return -1;
    /* Called again when all of it is with the kernel, so that a stuck peer is seen. */
    if (lws_partial_buffered(c->wsi))
        hub_client_wake(c);
    return 0;
}

static int
write_frame(struct hub_client *c, struct str message)
{
    return write_bytes(c, message, LWS_WRITE_TEXT);
}

/* As a CloudEvent, when the address asked for them. */
static void
view_event(struct hub_client *c, struct str *frame)
{
    struct buf *view = &c->hub->view;
    if (!c->is_cloudevents)
        return;
    buf_reset(view);
    message_begin(view);
    cloudevents_add(view, *frame, c->hub->next_view++);
    *frame = str_slice(view->p + LWS_PRE, view->n - LWS_PRE);
}

/* One event, the subscriptions taking turns. */
static enum sub_next
next_event(struct hub_client *c, struct str *ret_frame)
{
    for (size_t i = 0; i < c->owner.n_subs; i++) {
        struct list *link = c->owner.subs.next;
        struct sub *s = sub_of_owner_link(link);
        list_remove(link);
        list_add(&c->owner.subs, link);
        switch (sub_next_frame(s, ret_frame)) {
        case SUB_FRAME:
            c->hub->stats.events_sent++;
            view_event(c, ret_frame);
            return SUB_FRAME;
        case SUB_QUIET: break;
        case SUB_BUSY: return SUB_BUSY;
        case SUB_LOST: close_lost(c); return SUB_LOST;
        }
    }
    return SUB_QUIET;
}

/* Of the subscription that next_event() asked last. */
static void
note_sent(struct hub_client *c)
{
    const struct sub *s = sub_of_owner_link(c->owner.subs.prev);
    feed_note_sent(sub_feed(s), sub_place(s)->seq);
}

/* Several in a row: to be called anew for each costs more than to send it. What the kernel does not take at once is
 * with libwebsockets, and then nothing more is given to it. */
static int
write_frames(struct hub_client *c, size_t *ret_n)
{
    size_t n = 0, n_bytes = 0;
    enum sub_next next = SUB_QUIET;
    while (list_is_empty(&c->replies) && !c->close_code && n < HUB_FRAMES_MAX &&
           n_bytes < HUB_FRAMES_BYTES_MAX) {
        struct str frame;
        next = next_event(c, &frame);
        if (next != SUB_FRAME)
            break;
        if (n == 0) // of the others it is no longer
            note_sent(c);
        n_bytes += frame.n;
        *ret_n = ++n;
        if (n == 2)
            progress_hold(lws_get_socket_fd(c->wsi), true);
        if (write_frame(c, frame) < 0)
            return -1;
        if (lws_partial_buffered(c->wsi)) // it wakes us
            return 0;
    }
    if (next == SUB_FRAME || next == SUB_BUSY)
        hub_client_wake(c);
    return 0;
}

static int
write_events(struct hub_client *c)
{
    size_t n = 0;
    int r = write_frames(c, &n);
    if (n > 1)
        progress_hold(lws_get_socket_fd(c->wsi), false);
    return r;
}

/* The one whose events come next from what is made once for all; NULL: they come one by one. */
static struct sub *
sub_of_parcels(const struct hub_client *c)
{
    if (c->is_cloudevents || c->close_code || c->owner.n_subs != 1 ||
        !list_is_empty(&c->replies))
        return NULL;
    struct sub *s = sub_of_owner_link(c->owner.subs.next);
    return sub_is_running(s) ? s : NULL;
}

/* False: the socket took no more, or the connection is to end: *ret_r. */
static bool
give_parcel(struct hub_client *c, struct parcel *parcel, int *ret_r)
{
    struct str bytes = parcel_bytes(parcel);
    size_t n = parcel_send(parcel, lws_get_socket_fd(c->wsi));
    c->hub->stats.events_sent += parcel->n_messages;
    if (n == bytes.n)
        return true;
    *ret_r = write_bytes(c, str_slice(bytes.p + n, bytes.n - n), LWS_WRITE_RAW);
    return *ret_r == 0 && !lws_partial_buffered(c->wsi);
}

/* Several in a row, as long as the socket takes them: with one in a turn a thousand clients got 15 % fewer. */
static int
write_parcels(struct hub_client *c, struct sub *s)
{
    enum sub_next next = SUB_FRAME;
    size_t n_bytes = 0;
    int r = 0;
    for (bool is_taken = true; is_taken && n_bytes < HUB_PARCELS_BYTES_MAX;) {
        struct parcel *parcel;
        next = parcel_next(s, c->has_lines, &parcel);
        if (next != SUB_FRAME)
            break;
        if (n_bytes == 0) // of the others it is no longer
            feed_note_sent(sub_feed(s), parcel->seq);
        n_bytes += parcel_bytes(parcel).n;
        is_taken = give_parcel(c, parcel, &r);
    }
    if (next == SUB_LOST)
        close_lost(c);
    if (next == SUB_FRAME || next == SUB_BUSY)
        hub_client_wake(c);
    return r;
}

static void
add_line(struct buf *lines, struct str message)
{
    if (lines->n > LWS_PRE)
        buf_add_char(lines, '\n');
    buf_add_str(lines, message);
}

/* Replies, then events, a line each. It exists because a frame costs a send and a wake-up on either side: with a
 * thousand subscribers these are most of the work. */
static int
write_lines(struct hub_client *c)
{
    struct buf *lines = &c->hub->lines;
    enum sub_next next = SUB_QUIET;
    size_t n = 0;
    buf_reset(lines);
    message_begin(lines);
    while (!list_is_empty(&c->replies) && n < HUB_LINES_MAX) {
        struct reply *reply = list_first(&c->replies, struct reply, link);
        if (n > 0 && lines->n + reply->text.n > HUB_FRAME_BYTES_MAX)
            break;
        add_line(lines, str_slice(reply->text.p + LWS_PRE, reply->text.n - LWS_PRE));
        reply_destroy(c, reply);
        n++;
    }
    /* An event cannot be put back: the last one may be as large as what is before it. */
    while (list_is_empty(&c->replies) && !c->close_code && n < HUB_LINES_MAX &&
           lines->n < HUB_FRAME_BYTES_MAX / 2) {
        struct str event;
        next = next_event(c, &event);
        if (next != SUB_FRAME)
            break;
        if (n == 0) // of the others it is no longer
            note_sent(c);
        add_line(lines, event);
        n++;
    }
    if (n > 0 || next == SUB_BUSY)
        hub_client_wake(c);
    else if (c->close_code)
        end_soon(c);
    return n > 0 ? write_frame(c, str_slice(lines->p + LWS_PRE, lines->n - LWS_PRE)) : 0;
}

static int
write_message(struct hub_client *c)
{
    if (list_is_empty(&c->replies) && c->close_code) {
        end_soon(c);
        return 0;
    }
    if (list_is_empty(&c->replies))
        return write_events(c);
    struct reply *reply = list_first(&c->replies, struct reply, link);
    hub_client_wake(c);
    int r = write_frame(c, str_slice(reply->text.p + LWS_PRE, reply->text.n - LWS_PRE));
    reply_destroy(c, reply);
    return r;
}

static void dispatch_lines(struct hub_client *c);

int
hub_client_on_writable(struct hub_client *c)
{
    c->is_pending = false;
    c->progress_ms = clock_mono_ms();
    if (!c->is_open || c->is_ending)
        return 0;
    /* libwebsockets ends it: nothing comes behind its close frame. */
    if (lws_get_close_length(c->wsi) > 0)
        return 0;
    if (c->close_code == HUB_CLOSE_SLOW) { // nothing more is sent
        end_soon(c);
        return 0;
    }
    struct sub *s = sub_of_parcels(c);
    int r = s ? write_parcels(c, s) : c->has_lines ? write_lines(c) : write_message(c);
    if (r < 0)
        return r;
    dispatch_lines(c);
    steer_reading(c);
    return 0;
}

/* ---- keeping an eye on it ---- */

/* Its timer is only looked at after something else happened. */
static void
cut(struct hub_client *c)
{
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(lws_get_context(c->wsi));
}

/* One that reads a byte now and then is no better than one that reads none: who is to be closed has a while to take
 * what is on its way, and the close. */
static bool
is_overdue(const struct hub_client *c, int64_t now_ms)
{
    int64_t grace_ms = c->close_code == HUB_CLOSE_SLOW
                           ? HUB_STUCK_GRACE_MS
                           : HUB_STUCK_MS + HUB_STUCK_GRACE_MS;
    return c->close_code && now_ms - c->close_ms >= grace_ms;
}

void
hub_client_on_tick(struct hub_client *c, int64_t now_ms)
{
    if (!c->is_open || !c->is_pending)
        return;
    if (is_overdue(c, now_ms)) {
        cut(c);
        return;
    }
    uint64_t acked = progress_acked_bytes(lws_get_socket_fd(c->wsi));
    if (acked != c->acked_bytes) {
        c->acked_bytes = acked;
        c->progress_ms = now_ms;
        return;
    }
    if (now_ms - c->progress_ms < HUB_STUCK_MS || c->close_code == HUB_CLOSE_SLOW)
        return;
    log_info("client %s does not read: closing it", c->id);
    hub_client_close_slow(c, "slow consumer");
}

static void
send_heartbeat(struct hub_client *c, struct workspace *w, const char *sub, int64_t cursor)
{
    struct buf message = {0};
    AUTO(buf_finish) struct buf data = {0}, native = {0};
    int64_t head = w ? bus_head(workspace_bus(w)) : 0;
    if (w)
        buf_printf(&data, "{\"head\":%" PRId64 ",\"lag\":%" PRId64 "}", head,
                   cursor < head ? head - cursor : 0);
    struct codec_wire_event event = {
        .event_type = event_type_name(EVENT_HEARTBEAT),
        .time_ms = clock_wall_ms(),
        .data = buf_str(&data),
    };
    codec_add_wire_event(&native, &event, str_of(w ? workspace_epoch(w) : ""),
                         str_of(w ? workspace_id(w) : ""), str_of(sub));
    message_begin(&message);
    if (c->is_cloudevents)
        cloudevents_add(&message, buf_str(&native), c->hub->next_view++);
    else
        buf_add_str(&message, buf_str(&native));
    hub_client_send(c, &message);
}

void
hub_client_heartbeat(struct hub_client *c)
{
    if (!c->is_open || c->is_pending ||
        c->close_code) // it is busy: it has no need of a sign of life
        return;
    if (c->owner.n_subs == 0)
        send_heartbeat(c, c->home, NULL, c->home ? bus_head(workspace_bus(c->home)) : 0);
    list_for_each (it, &c->owner.subs) {
        struct sub *s = sub_of_owner_link(it);
        AUTO(free) char *name = xasprintf("[\"%s\"]", sub_id(s));
        send_heartbeat(c, feed_workspace(sub_feed(s)), name, sub_cursor(s));
    }
}

/* ---- receiving ---- */

static void
dispatch_tree(struct hub_client *c, struct str text, const struct tree *tree,
              int64_t wait_ms)
{
    action_dispatch(c, text, tree, wait_ms);
    if (c->n_bad >= HUB_BAD_MAX)
        hub_client_close(c, HUB_CLOSE_FLOOD, "too many bad requests");
}

static void
on_tree(void *owner, struct buf *text, struct tree *tree)
{
    struct hub_client *c = owner;
    c->read = NULL;
    if (!c->close_code)
        dispatch_tree(c, buf_str(text), tree, c->read_wait_ms);
    dispatch_lines(c);
    steer_reading(c);
}

/* A large one is read first, while others are served, and then it is its turn. */
static void
dispatch_soon(struct hub_client *c, struct str text, int64_t wait_ms)
{
    if (text.n <= TREE_AT_ONCE_BYTES) {
        struct tree tree = tree_make(text, HUB_VALUES_MAX);
        dispatch_tree(c, text, &tree, wait_ms);
        tree_finish(&tree);
        return;
    }
    struct buf copy = {0};
    buf_add_str(&copy, text);
    c->read_wait_ms = wait_ms;
    c->read = tree_read_begin(c->hub, &copy, HUB_VALUES_MAX, on_tree, c);
}

/* Who goes on asking while it is told to wait has no use for the answers. */
static void
dispatch(struct hub_client *c, struct str text)
{
    static const struct rate_limit requests = {1000000 / HUB_RATE, HUB_RATE_BURST};
    int64_t now_us = clock_mono_ns() / 1000, wait_us;
    c->hub->stats.requests++;
    if (rate_take(&c->requests, &requests, now_us, &wait_us)) {
        dispatch_soon(c, text, 0);
        return;
    }
    c->hub->stats.throttled++;
    dispatch_soon(c, text, wait_us / 1000 + 1);
    if (!rate_take(&c->floods, &requests, now_us, NULL)) {
        c->hub->stats.flood_closed++;
        hub_client_close(c, HUB_CLOSE_RATE, "more requests than the limits say");
    }
}

/* As many as there is room for; the rest when a reply was sent. */
static void
dispatch_lines(struct hub_client *c)
{
    while (c->lines_at < c->lines.n && !c->close_code && has_room(c)) {
        struct str rest = str_slice(c->lines.p + c->lines_at, c->lines.n - c->lines_at);
        struct str line;
        str_split(&rest, '\n', &line);
        c->lines_at = c->lines.n - rest.n;
        if (str_trim(line).n > 0) // whoever writes lines ends the last one too
            dispatch(c, line);
    }
    if (c->lines_at < c->lines.n && !c->close_code)
        return;
    buf_finish(&c->lines);
    c->lines_at = 0;
}

static void
take_lines(struct hub_client *c, struct str text)
{
    struct str rest = text, line;
    size_t n = 0;
    while (str_split(&rest, '\n', &line))
        n += str_trim(line).n > 0;
    if (n > HUB_LINES_MAX) {
        hub_client_close(c, 1009, "a message has at most 256 lines");
        return;
    }
    if (c->lines.n > 0)
        buf_add_char(&c->lines, '\n');
    buf_add_str(&c->lines, text);
    dispatch_lines(c);
}

int
hub_client_on_bytes(struct hub_client *c, struct str bytes)
{
    if (c->close_code) // what still comes is thrown away, so that the close frame arrives
        return 0;
    if (lws_frame_is_binary(c->wsi)) {
        hub_client_close(c, 1003, "messages are text");
        return 0;
    }
    if (c->in.n + bytes.n + lws_remaining_packet_payload(c->wsi) >
        HUB_MESSAGE_BYTES_MAX) {
        hub_client_close(c, 1009, "a message has at most 1048576 bytes");
        buf_finish(&c->in);
        return 0;
    }
    if (c->read) { // nothing is read while it is there: a message that comes all the same is lost
        hub_client_close(c, HUB_CLOSE_OVERLOADED, "a message is being read");
        return 0;
    }
    buf_add_str(&c->in, bytes);
    if (lws_remaining_packet_payload(c->wsi) > 0 || !lws_is_final_fragment(c->wsi))
        return 0;
    struct buf text = c->in;
    c->in = (struct buf){0};
    if (c->has_lines)
        take_lines(c, buf_str(&text));
    else
        dispatch(c, buf_str(&text));
    buf_finish(&text);
    steer_reading(c);
    return 0;
}

/* ---- what its subscriptions tell ---- */

static struct hub_client *
client_of_owner(struct sub_owner *owner)
{
    return container_of(owner, struct hub_client, owner);
}

static void
on_sub_wake(struct sub_owner *owner)
{
    hub_client_wake(client_of_owner(owner));
}

static void
on_sub_begin(struct sub_owner *owner, struct sub *s, const struct sub_begin *begin)
{
    AUTO(buf_finish) struct buf data = {0};
    struct workspace *w = feed_workspace(sub_feed(s));
    struct asker asker = {.client = client_of_owner(owner),
                          .request_id = (char *)(uintptr_t)begin->request_id};
    if (!begin->request_id)
        return;
    buf_printf(&data, "{\"sub\":\"%s\",\"workspace\":\"%s\",\"recovered\":%s", sub_id(s),
               workspace_id(w), begin->reason ? "false" : "true");
    if (begin->reason)
        buf_printf(&data, ",\"reason\":\"%s\"", begin->reason);
    if (begin->has_snapshot)
        buf_add_cstr(&data, ",\"snapshot\":true");
    buf_printf(&data, ",\"from\":%" PRId64 ",\"head\":%" PRId64 ",\"epoch\":\"%s\"}",
               begin->from, begin->head, workspace_epoch(w));
    asker_data(&asker, buf_str(&data));
}

static void
on_sub_refused(struct sub_owner *owner, const char *request_id, enum problem p,
               const char *detail)
{
    struct asker asker = {.client = client_of_owner(owner),
                          .request_id = (char *)(uintptr_t)request_id};
    if (request_id)
        asker_problem(&asker, p, detail);
}

static void
on_sub_broken(struct sub_owner *owner, const char *why)
{
    hub_client_close(client_of_owner(owner), HUB_CLOSE_OVERLOADED, why);
}

static void
init_owner(struct hub_client *c)
{
    sub_owner_init(&c->owner, c->hub);
    c->owner.client = c;
    c->owner.wake = on_sub_wake;
    c->owner.on_begin = on_sub_begin;
    c->owner.on_refused = on_sub_refused;
    c->owner.on_broken = on_sub_broken;
}

size_t
hub_client_memory(const struct hub_client *c)
{
    size_t bytes = sizeof(*c) + c->in.cap + c->lines.cap + c->reply_bytes;
    list_for_each (it, &c->owner.subs)
        bytes += sub_memory(sub_of_owner_link(it));
    return bytes;
}

/* ---- life ---- */

struct hub_client *
hub_client_create(struct hub *h, struct lws *wsi, struct workspace *home,
                  bool wants_subscription)
{
    struct hub_client *c = xnew(struct hub_client);
    c->hub = h;
    c->wsi = wsi;
    c->home = home;
    c->wants_subscription = wants_subscription;
    list_init(&c->replies);
    init_owner(c);
    list_init(&c->asks);
    snprintf(c->id, sizeof(c->id), "c-%" PRIx64, h->next_client++);
    list_add(&h->clients, &c->link);
    h->n_clients++;
    return c;
}

void
hub_client_destroy(struct hub_client *c)
{
    if (!c)
        return;
    struct hub *h = c->hub;
    if (c->is_open)
        histogram_add(&h->connection_ms, (uint64_t)(clock_mono_ms() - c->open_ms));
    c->is_open = false;
    list_for_each_safe (it, &c->owner.subs)
        sub_close(sub_of_owner_link(it));
    list_for_each_safe (it, &c->asks)
        ask_abandon(list_entry(it, struct ask, owner_link));
    tree_read_abandon(c->read);
    list_for_each_safe (it, &c->replies)
        reply_destroy(c, list_entry(it, struct reply, link));
    buf_finish(&c->in);
    buf_finish(&c->lines);
    list_remove(&c->link);
    free(c);
    h->n_clients--;
    hub_tell_clients(h);
}

static void
send_hello(struct hub_client *c)
{
    struct buf m = {0};
    struct workspace *w = c->home ? c->home : hub_only_workspace(c->hub);
    message_begin(&m);
    buf_add_cstr(&m, "{\"type\":\"system\",\"message\":\"Connected to ");
    buf_printf(&m, c->home ? "workspace %s" : "%s",
               c->home ? workspace_id(c->home) : "gloss");
    buf_printf(
        &m,
        "\",\"connection_id\":\"%s\",\"protocol\":\"1.0\",\"version\":\"" GLOSS_VERSION
        "\"",
        c->id);
    if (w) {
        buf_printf(&m, ",\"workspace\":\"%s\",\"epoch\":\"%s\"", workspace_id(w),
                   workspace_epoch(w));
        buf_printf(&m, ",\"head\":%" PRId64 ",\"first_seq\":%" PRId64,
                   bus_head(workspace_bus(w)), workspace_first_seq(w));
    }
    buf_add_char(&m, ',');
    asker_add_workspaces(&m, c->hub);
    buf_printf(
        &m,
        ",\"features\":[\"replay\",\"filter\",\"batch\",\"snapshot\"],\"limits\":{\"max_"
        "message\":%u,\"max_subs\":%"
        "u,\"max_pending\":%u,\"rate\":%u,\"burst\":%u}",
        HUB_MESSAGE_BYTES_MAX, HUB_SUBSCRIPTIONS_MAX, HUB_PENDING_MAX, HUB_RATE,
        HUB_RATE_BURST);
    buf_printf(&m, ",\"heartbeat_s\":%u}", HUB_HEARTBEAT_MS / 1000);
    hub_client_send(c, &m);
}

void
hub_client_on_open(struct hub_client *c)
{
    c->is_open = true;
    c->open_ms = clock_mono_ms();
    c->has_lines = strcmp(lws_get_protocol(c->wsi)->name, GATE_SUBPROTOCOL_LINES) == 0;
    send_hello(c);
    if (c->wants_subscription) {
        struct sub_options options = {.since = {.from = SINCE_NOW}};
        sub_open(&c->owner, c->home, &options);
    }
    hub_tell_clients(c->hub);
}
