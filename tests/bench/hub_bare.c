/* What the hub is compared with: a broadcast of libwebsockets alone, on libuv as the hub is. bench_hub_bare PORT
 * MESSAGES SIZE RATE: with RATE 0 all MESSAGES of SIZE bytes are there from the start, and a client gets them from the
 * first on; else so many come into being each second, and a client gets those behind its subscription. To
 * gloss.v1.ndjson up to 256 of them go in one frame. It knows neither workspaces nor filters, keeps no log,
 * and each message is text that was made once.
 * Invariant: libwebsockets is asked for a writable callback once until it came, else it would stand still. */
#include <libwebsockets.h> // before base: base bans names that it uses
#include <uv.h>

#include "base/base.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "hub_message.h"

#define TURN_MS 2
#define LINES_MAX 256
#define FRAME_BYTES (128u << 10)
#define RING_MESSAGES 65536

struct bare;

struct client {
    struct client *next;
    struct lws *wsi;
    bool is_subscribed, is_pending, owes_answer, has_lines;
    uint64_t cursor;
};

struct bare {
    size_t size;
    uint64_t rate, n_messages; // that there are so far
    int64_t began_ns;
    unsigned char *ring; // each behind LWS_PRE bytes
    size_t n_ring;
    struct client *clients;
    unsigned char *frame;
};

static unsigned char *
message_at(const struct bare *b, uint64_t number)
{
    return b->ring + (number % b->n_ring) * (LWS_PRE + b->size) + LWS_PRE;
}

static void
make_message(struct bare *b)
{
    hub_message_make((char *)message_at(b, b->n_messages), b->size, b->n_messages + 1);
    b->n_messages++;
}

static void
wake(struct client *c)
{
    if (c->is_pending)
        return;
    c->is_pending = true;
    lws_callback_on_writable(c->wsi);
}

static void
on_turn(uv_timer_t *timer)
{
    struct bare *b = timer->data;
    double seconds = (double)(clock_mono_ns() - b->began_ns) / 1e9;
    uint64_t wanted = (uint64_t)(seconds * (double)b->rate);
    if (b->n_messages >= wanted)
        return;
    while (b->n_messages < wanted)
        make_message(b);
    for (struct client *c = b->clients; c; c = c->next)
        if (c->is_subscribed)
            wake(c);
}

static int
send_answer(struct client *c)
{
    static const char answer[] =
        "{\"type\":\"response\",\"request_id\":\"s\",\"success\":true,\"data\":{}}";
    unsigned char text[LWS_PRE + sizeof(answer)];
    memcpy(text + LWS_PRE, answer, sizeof(answer) - 1);
    c->owes_answer = false;
    wake(c);
    return lws_write(c->wsi, text + LWS_PRE, sizeof(answer) - 1, LWS_WRITE_TEXT) < 0 ? -1
                                                                                     : 0;
}

static int
on_writable(struct bare *b, struct client *c)
{
    c->is_pending = false;
    if (c->owes_answer)
        return send_answer(c);
    if (!c->is_subscribed || c->cursor >= b->n_messages)
        return 0;
    if (c->cursor + b->n_ring < b->n_messages) // overtaken
        return -1;
    unsigned char *at = message_at(b, c->cursor);
    size_t n = b->size;
    if (c->has_lines) {
        at = b->frame + LWS_PRE;
        n = 0;
        for (size_t i = 0;
             i < LINES_MAX && c->cursor < b->n_messages && n + b->size + 1 <= FRAME_BYTES;
             i++, c->cursor++) {
            if (i > 0)
                at[n++] = '\n';
            memcpy(at + n, message_at(b, c->cursor), b->size);
            n += b->size;
        }
    } else {
        c->cursor++;
    }
    if (c->cursor < b->n_messages)
        wake(c);
    return lws_write(c->wsi, at, n, LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

static void
forget(struct bare *b, struct client *c)
{
    for (struct client **at = &b->clients; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            return;
        }
    }
}

static int
on_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
            void *in UNUSED, size_t n UNUSED)
{
    struct bare *b = lws_context_user(lws_get_context(wsi));
    struct client *c = user;
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        c->wsi = wsi;
        c->has_lines = strcmp(lws_get_protocol(wsi)->name, "gloss.v1.ndjson") == 0;
        c->next = b->clients;
        b->clients = c;
        return 0;
    case LWS_CALLBACK_RECEIVE:
        if (!c->is_subscribed) {
            c->is_subscribed = c->owes_answer = true;
            c->cursor = b->rate > 0 ? b->n_messages : 0;
            wake(c);
        }
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(b, c);
    case LWS_CALLBACK_CLOSED: forget(b, c); return 0;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "gloss.v1",
     .callback = on_callback,
     .per_session_data_size = sizeof(struct client),
     .tx_packet_size = FRAME_BYTES + LWS_PRE},
    {.name = "gloss.v1.ndjson",
     .callback = on_callback,
     .per_session_data_size = sizeof(struct client),
     .tx_packet_size = FRAME_BYTES + LWS_PRE},
    {0},
};

int
main(int argc, char **argv)
{
    struct bare b = {0};
    uint64_t port, n_messages, size;
    if (argc != 5 || str_to_u64(str_of(argv[1]), &port) < 0 ||
        str_to_u64(str_of(argv[2]), &n_messages) < 0 ||
        str_to_u64(str_of(argv[3]), &size) < 0 ||
        str_to_u64(str_of(argv[4]), &b.rate) < 0)
        return 2;
    b.size = size;
    b.n_ring = b.rate > 0 ? RING_MESSAGES : n_messages;
    b.ring = xcalloc(b.n_ring, LWS_PRE + b.size);
    b.frame = xmalloc(LWS_PRE + FRAME_BYTES);
    for (uint64_t i = 0; b.rate == 0 && i < n_messages; i++)
        make_message(&b);

    uv_loop_t *loop = uv_default_loop();
    void *loops[] = {loop};
    struct lws_context_creation_info info = {
        .port = (int)port,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6,
        .protocols = protocols,
        .foreign_loops = loops,
        .user = &b,
    };
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (!context)
        return 1;
    uv_timer_t timer = {.data = &b};
    uv_timer_init(loop, &timer);
    b.began_ns = clock_mono_ns();
    if (b.rate > 0)
        uv_timer_start(&timer, on_turn, TURN_MS, TURN_MS);
    fprintf(stdout, "ready\n");
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
