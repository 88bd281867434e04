/* Why: libwebsockets comes up on our loop, and goes down from it, in the only order that works.
 * Invariant: it listens on 127.0.0.1 and nowhere else, which is looked up, not believed; after
 * on_closed no handle of it is on the loop; between the two times that it closes one descriptor the
 * number is nobody's but ours. */
#include "hub/internal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/feed.h"
#include "hub/follow.h"
#include "hub/ingest.h"
#include "hub/serve.h"
#include "hub/snapshot.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define HUB_DESCRIPTORS 4096 // libwebsockets' tables have this size
#define HUB_HEADER_BYTES_MAX 16384
#define HUB_TICK_MS 1000
#define HUB_PING_S 20
#define HUB_SILENCE_S 30

/* ---- what libwebsockets says ---- */

static char last_words[256]; // of libwebsockets while a context is made

static void
on_lws_log(int level, const char *line)
{
    struct str text = str_trim(str_of(line));
    snprintf(last_words, sizeof(last_words), "%.*s", STR_ARG(text));
    /* What strangers send is in there, and they can make any number of them. */
    log_debug("libwebsockets (%d): %s", level, last_words);
}

/* ---- handles that were not on the loop before ---- */

struct handle_set {
    VEC(const void *) handles;
};

static void
on_handle_before(uv_handle_t *handle, void *ctx)
{
    struct handle_set *before = ctx;
    *vec_push(&before->handles) = handle;
}

struct listen_look {
    struct hub *hub;
    const struct handle_set *before;
    size_t n_static, n_listening;
    int r;
};

static bool
was_there(const struct handle_set *before, const void *handle)
{
    for (size_t i = 0; i < before->handles.n; i++)
        if (before->handles.v[i] == handle)
            return true;
    return false;
}

/* -EADDRNOTAVAIL when it listens anywhere but on loopback. */
static int
look_at_socket(struct hub *h, int fd, bool *ret_listens)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof(at);
    int listens = 0;
    socklen_t listens_size = sizeof(listens);
    *ret_listens = false;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) < 0 ||
        !listens)
        return 0;
    if (getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        return -errno;
    const struct sockaddr_in *in = (const void *)&at;
    if (at.ss_family != AF_INET || in->sin_addr.s_addr != htonl(INADDR_LOOPBACK))
        return -EADDRNOTAVAIL;
    h->port = ntohs(in->sin_port);
    *ret_listens = true;
    return 0;
}

static void
on_handle_after(uv_handle_t *handle, void *ctx)
{
    struct listen_look *look = ctx;
    uv_os_fd_t fd;
    bool listens;
    if (was_there(look->before, handle))
        return;
    if (handle->type == UV_IDLE || handle->type == UV_TIMER) {
        if (look->n_static < ARRAY_LEN(look->hub->static_handles))
            look->hub->static_handles[look->n_static++] = handle;
    } else if (handle->type == UV_POLL && uv_fileno(handle, &fd) == 0) {
        int r = look_at_socket(look->hub, fd, &listens);
        if (r < 0)
            look->r = r;
        else if (listens)
            look->n_listening++;
        else
            look->hub->event_fd = fd;
    }
}

/* ---- coming up ---- */

/* Its tables follow the limit, and a descriptor above it breaks its service: the limit is set once,
 * before, and the number of connections stays well below. A quarter is left to the indexes. */
static void
limit_descriptors(struct hub *h)
{
    struct rlimit limit = {.rlim_cur = HUB_DESCRIPTORS, .rlim_max = HUB_DESCRIPTORS};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = MIN((rlim_t)HUB_DESCRIPTORS, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    h->connections_max = MIN((size_t)HUB_CONNECTIONS_MAX, (size_t)limit.rlim_cur / 2);
    h->descriptors_max = (size_t)(limit.rlim_cur - limit.rlim_cur / 4);
}

/* What is no WebSocket may become one that is watched by a copy of its descriptor. */
bool
hub_has_descriptors(const struct hub *h, int n_connections)
{
    int64_t n = 2 * ((int64_t)h->n_peers + n_connections) - (int64_t)h->n_clients;
    return n <= (int64_t)h->descriptors_max;
}

bool
hub_has_place(const struct hub *h)
{
    return !h->is_closing && h->n_clients + h->n_followers < h->connections_max &&
           hub_has_descriptors(h, HUB_SOCKETS_TOLD);
}

/* The context first and what listens after, because a context that cannot listen comes back half
 * destroyed. */
static bool
create_context(struct hub *h, uint16_t port)
{
    static const lws_retry_bo_t policy = {
        .secs_since_valid_ping = HUB_PING_S,
        .secs_since_valid_hangup = HUB_SILENCE_S,
    };
    void *loops[] = {&h->loop->uv};
    struct lws_context_creation_info info = {
        .port = port,
        .iface = "127.0.0.1", // only with IPv6 off: else 4.1 listens everywhere
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
                   LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .protocols = serve_protocols,
        .foreign_loops = loops,
        .user = h,
        .max_http_header_data =
            HUB_HEADER_BYTES_MAX, // a browser sends every cookie of localhost
        .timeout_secs = 5,
        .timeout_secs_ah_idle = 10,
        .keepalive_timeout = 5,
        .retry_and_idle_policy = &policy,
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    h->context = lws_create_context(&info);
    return h->context && lws_create_vhost(h->context, &info);
}

static int
open_context(struct hub *h, uint16_t port, char **ret_why)
{
    struct handle_set before = {0};
    struct listen_look look = {.hub = h, .before = &before};
    int r = 0;
    limit_descriptors(h);
    last_words[0] = '\0';
    uv_walk(&h->loop->uv, on_handle_before, &before);
    bool listens = create_context(h, port);
    if (h->context)
        uv_walk(&h->loop->uv, on_handle_after, &look);
    vec_finish(&before.handles);
    if (!h->context) {
        *ret_why = xasprintf("libwebsockets cannot start (%s); it needs its libuv part: "
                             "apt-get install libwebsockets-evlib-uv",
                             last_words[0] ? last_words : "no reason given");
        return err_trace(-ENOPKG);
    }
    if (look.r < 0) {
        r = look.r;
        *ret_why =
            xstrdup("libwebsockets listens on more than 127.0.0.1; it was stopped");
    } else if (!listens || look.n_listening == 0) {
        r = -EADDRINUSE;
        *ret_why =
            xasprintf("port %u of 127.0.0.1 is taken; choose another with --port", port);
    } else if (look.n_listening != 1 || look.n_static != ARRAY_LEN(h->static_handles)) {
        r = -ENOTRECOVERABLE;
        *ret_why = xstrdup(
            "this libwebsockets is not one that gloss knows; build with 4.1 to 4.3");
    }
    return err_trace(r);
}

static void
on_wake(void *ctx)
{
    feed_wake_all(ctx);
}

static void
on_end(void *ctx)
{
    hub_client_end_all(ctx);
}

static void
on_tick(void *ctx)
{
    struct hub *h = ctx;
    int64_t now_ms = clock_mono_ms();
    bool is_heartbeat = now_ms >= h->next_heartbeat_ms;
    if (is_heartbeat)
        h->next_heartbeat_ms = now_ms + HUB_HEARTBEAT_MS;
    list_for_each_safe (it, &h->clients) {
        struct hub_client *c = list_entry(it, struct hub_client, link);
        if (is_heartbeat)
            hub_client_heartbeat(c);
        hub_client_on_tick(c, now_ms);
    }
    serve_on_tick(h, now_ms);
    snapshot_on_tick(h, now_ms);
    feed_trim_all(h);
    follower_tick_all(h, now_ms);
    ingest_look(h); // jobs, and what nobody waits for, make room without a word
}

static void
on_open_failed(void *ctx UNUSED)
{
}

static void
on_failed_shut(void *ctx)
{
    hub_close(ctx, on_open_failed, NULL);
}

/* So many at once, and as many again in that time. */
static struct rate_limit
limit_of(int64_t time_us, uint64_t n)
{
    return (struct rate_limit){n ? time_us / (int64_t)n : 0, n ? (int64_t)n : 1};
}

int
hub_open(struct loop *l, const struct hub_options *options, struct workspaces *workspaces,
         struct hub **ret_hub, char **ret_why)
{
    ASSERT_LOOP();
    assert(strlen(options->token) == HUB_TOKEN_HEX);
    struct hub *h = xnew(struct hub);
    h->loop = l;
    h->workspaces = workspaces;
    h->token = xstrdup(options->token);
    h->on_clients = options->on_clients;
    h->ctx = options->ctx;
    list_init(&h->peers);
    list_init(&h->clients);
    list_init(&h->followers);
    list_init(&h->feeds);
    list_init(&h->asks);
    list_init(&h->reads);
    snapshot_turns_init(&h->snapshots);
    list_init(&h->ingests);
    h->bad_token_limit = limit_of(60000000, options->bad_tokens_per_min);
    h->stranger_limit = limit_of(1000000, options->strangers_per_s);
    h->next_client = 1;
    h->event_fd = -1;
    h->wake_timer = timer_open(l, on_wake, h);
    h->end_timer = timer_open(l, on_end, h);
    h->tick_timer = timer_open(l, on_tick, h);
    int r = open_context(h, options->port, ret_why);
    if (r < 0) {
        hub_shut(h, on_failed_shut, h);
        return r;
    }
    h->next_heartbeat_ms = clock_mono_ms() + HUB_HEARTBEAT_MS;
    timer_start(h->tick_timer, HUB_TICK_MS, HUB_TICK_MS);
    log_info("listening on 127.0.0.1:%u", h->port);
    *ret_hub = h;
    return 0;
}

/* ---- going down: clients; then libwebsockets' first step, its handles, its second ---- */

static void
finish(struct hub *h)
{
    void (*on_closed)(void *ctx) = h->on_closed;
    void *ctx = h->closed_ctx;
    for (size_t i = 0; i < h->origins.n; i++)
        free(h->origins.v[i]);
    vec_finish(&h->origins);
    buf_finish(&h->lines);
    buf_finish(&h->view);
    timer_close(h->wake_timer);
    timer_close(h->end_timer);
    timer_close(h->tick_timer);
    timer_close(h->close_timer);
    free(h->token);
    free(h);
    on_closed(ctx);
}

struct static_look {
    const struct hub *hub;
    bool is_there;
};

static void
on_handle_ending(uv_handle_t *handle, void *ctx)
{
    struct static_look *look = ctx;
    for (size_t i = 0; i < ARRAY_LEN(look->hub->static_handles); i++)
        if (handle == look->hub->static_handles[i])
            look->is_there = true;
}

/* libwebsockets 4.1 closes the descriptor it wakes itself with in its first step, and the same number
 * again when libuv let go of its handle. What we put there is what the second close takes. */
static void
put_placeholder(struct hub *h)
{
    struct stat st;
    if (h->event_fd < 0 || fcntl(h->event_fd, F_GETFD) >= 0)
        return;
    int fd = memfd_create("placeholder", MFD_CLOEXEC);
    if (fd < 0)
        return;
    if (fd != h->event_fd) {
        dup3(fd, h->event_fd, O_CLOEXEC);
        close(fd);
    }
    if (fstat(h->event_fd, &st) == 0) {
        h->placeholder_dev = st.st_dev;
        h->placeholder_ino = st.st_ino;
    }
}

/* Of a libwebsockets that closed it once. */
static void
take_placeholder(struct hub *h)
{
    struct stat st;
    if (h->placeholder_ino != 0 && fstat(h->event_fd, &st) == 0 &&
        st.st_dev == h->placeholder_dev && st.st_ino == h->placeholder_ino)
        close(h->event_fd);
}

/* Its memory holds handles until libuv let go of them. */
static void
end_context(void *ctx)
{
    struct hub *h = ctx;
    struct static_look look = {.hub = h};
    uv_walk(&h->loop->uv, on_handle_ending, &look);
    if (look.is_there) {
        loop_defer(h->loop, end_context, h);
        return;
    }
    lws_context_destroy(steal(h->context));
    take_placeholder(h);
    finish(h);
}

static void
destroy_context(void *ctx)
{
    struct hub *h = ctx;
    if (!h->context) {
        finish(h);
        return;
    }
    lws_context_destroy(h->context);
    put_placeholder(h);
    end_context(h);
}

static void
begin_end(void *ctx)
{
    struct hub *h = ctx;
    h->is_ending = true;
    timer_stop(h->close_timer);
    timer_stop(h->end_timer);
    timer_stop(h->tick_timer);
    serve_drop_all(h);
    feed_destroy_all(h);
    list_for_each_safe (it, &h->asks)
        ask_abandon(list_entry(it, struct ask, link));
    h->has_let_go = true;
    hub_check_closing(h);
}

/* Not from within a callback of libwebsockets. */
static void
request_end(void *ctx)
{
    struct hub *h = ctx;
    if (h->is_end_requested)
        return;
    h->is_end_requested = true;
    loop_defer(h->loop, begin_end, h);
}

void
hub_tell_clients(struct hub *h)
{
    if (h->on_clients && !h->is_closing)
        h->on_clients(h->ctx, hub_clients(h));
    hub_check_closing(h);
}

void
hub_check_closing(struct hub *h)
{
    if (!h->is_closing)
        return;
    if (h->n_clients == 0)
        request_end(h);
    if (h->has_let_go && !h->is_shut && list_is_empty(&h->asks) &&
        list_is_empty(&h->reads) && list_is_empty(&h->ingests)) {
        h->is_shut = true;
        h->workspaces = NULL;
        h->on_shut(h->shut_ctx);
    }
}

void
hub_shut(struct hub *h, void (*on_shut)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!h->is_closing);
    h->is_closing = true;
    h->on_shut = on_shut;
    h->shut_ctx = ctx;
    timer_stop(h->wake_timer);
    h->close_timer = timer_open(h->loop, request_end, h);
    timer_start(h->close_timer, HUB_CLOSE_MS, 0);
    list_for_each_safe (it, &h->clients)
        hub_client_close(list_entry(it, struct hub_client, link), 1001,
                         "the engine ends");
    hub_check_closing(h);
}

void
hub_close(struct hub *h, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(h->is_shut && !h->on_closed);
    h->on_closed = on_closed;
    h->closed_ctx = ctx;
    loop_defer(h->loop, destroy_context, h);
}

/* ---- what it is ---- */

uint16_t
hub_port(const struct hub *h)
{
    return h->port;
}

size_t
hub_clients(const struct hub *h)
{
    return h->n_clients + h->n_followers + h->n_ingests;
}

int
hub_allow_origin(struct hub *h, const char *origin)
{
    struct str text = str_of(origin);
    if (!gate_origin_is_wellformed(text))
        return err_trace(-EINVAL);
    for (size_t i = 0; i < h->origins.n; i++)
        if (str_eq_c(text, h->origins.v[i]))
            return 0;
    if (h->origins.n >= GATE_ORIGINS_MAX)
        return err_trace(-ENOSPC);
    *vec_push(&h->origins) = xstrdup(origin);
    return 0;
}

/* It is being deleted: who asks now is not to begin anything with it. */
static bool
is_going(const struct workspace *w)
{
    return workspace_state(w) == WORKSPACE_CLOSING;
}

struct workspace *
hub_find_workspace(const struct hub *h, struct str id_or_root)
{
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(h->workspaces, i)); i++)
        if (str_eq_c(id_or_root, workspace_id(w)) ||
            str_eq_c(id_or_root, workspace_root(w)))
            return is_going(w) ? NULL : w;
    return workspaces_acquire_pushed(h->workspaces, id_or_root, false, &w) == 0 ? w
                                                                                : NULL;
}

struct workspace *
hub_only_workspace(const struct hub *h)
{
    struct workspace *w, *only = NULL;
    for (size_t i = 0; (w = workspaces_at(h->workspaces, i)); i++) {
        if (is_going(w))
            continue;
        if (only)
            return NULL;
        only = w;
    }
    return only;
}

struct sums {
    size_t subs, asks, waiting_bytes, bytes, bytes_max;
    int64_t lag_max;
};

static void
add_client(struct sums *sums, const struct hub_client *c)
{
    size_t bytes = hub_client_memory(c);
    sums->subs += c->owner.n_subs;
    sums->asks += c->n_asks;
    sums->waiting_bytes += c->reply_bytes;
    sums->bytes += bytes;
    sums->bytes_max = MAX(sums->bytes_max, bytes);
    list_for_each (it, &c->owner.subs) {
        const struct sub *s = sub_of_owner_link(it);
        int64_t head = bus_head(workspace_bus(feed_workspace(sub_feed(s))));
        sums->lag_max = MAX(sums->lag_max, head - sub_cursor(s));
    }
}

void
hub_add_stats(struct buf *json, const struct hub *h)
{
    struct sums sums = {0};
    const struct hub_stats *n = &h->stats;
    list_for_each (it, &h->clients)
        add_client(&sums, list_entry(it, struct hub_client, link));
    list_for_each (it, &h->followers)
        sums.subs += list_entry(it, struct follower, link)->owner.n_subs;
    buf_printf(json,
               "\"clients\":%zu,\"followers\":%zu,\"subscriptions\":%zu,\"sockets\":%zu,"
               "\"connections\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"requests\":%" PRIu64
               ",\"events_sent\":%" PRIu64 ",\"events_coalesced\":%" PRIu64
               ",\"slow_closed\":%" PRIu64,
               h->n_clients, h->n_followers, sums.subs, h->n_peers, n->connections,
               n->refused, n->requests, n->events_sent, n->events_coalesced,
               n->slow_closed);
    buf_printf(json,
               ",\"events_undelivered\":%" PRIu64 ",\"throttled\":%" PRIu64
               ",\"flood_closed\":%" PRIu64 ",\"bad_tokens\":%" PRIu64
               ",\"strangers_refused\":%" PRIu64 ",\"full\":%" PRIu64
               ",\"silent_closed\":%" PRIu64 ",\"asking\":%zu,\"waiting_bytes\":%zu"
               ",\"memory_bytes\":%zu,\"client_bytes_max\":%zu,\"lag_max\":%" PRId64
               ",\"snapshots\":{\"holding\":%zu,\"waiting\":%s}",
               n->events_undelivered, n->throttled, n->flood_closed, n->bad_tokens,
               n->strangers_refused, n->full, n->silent_closed, sums.asks,
               sums.waiting_bytes, sums.bytes, sums.bytes_max, sums.lag_max,
               h->snapshots.n_holding,
               list_is_empty(&h->snapshots.waiting) ? "false" : "true");
    buf_add_cstr(json, ",\"ingest\":");
    ingest_add_stats(json, h);
    buf_add_cstr(json, ",\"connection_ms\":");
    histogram_add_json(json, &h->connection_ms);
    buf_add_cstr(json, ",\"event_us\":");
    histogram_add_json(json, &h->event_us);
    buf_add_cstr(json, ",\"request_us\":");
    histogram_add_json(json, &h->request_us);
}
