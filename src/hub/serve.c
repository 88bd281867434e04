/* Why: libwebsockets' callbacks, and one order in which every request is looked at: Host, Origin, framing, token (all
 * door.c's), address, method, body. Invariant: what is refused is answered with the reason and the connection ends; no
 * upgrade of libwebsockets' own (h2c, CONNECT) is ever reached. */
#include "hub/serve.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf.h"
#include "hub/client.h"
#include "hub/door.h"

#define SERVE_PATH_BYTES_MAX 8192
#define SERVE_CLOSE_CODES 5000 // there are so many

/* ---- HTTP ---- */

/* What a page of another site can make a browser send without asking first is none of these types. */
static struct refusal
check_body(const struct exchange *x)
{
    char text[DOOR_HEADER_BYTES_MAX];
    struct str type, encoding;
    if (x->route->body == BODY_NONE)
        return refusal(PROBLEM_BAD_REQUEST, x->frame.framing == BODY_FRAMING_NONE
                                                ? NULL
                                                : "a request body is not taken here");
    if (!door_copy_header(x->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, text, &type) ||
        body_read_type(type) == BODY_TYPE_OTHER)
        return refusal(PROBLEM_UNSUPPORTED,
                       "Content-Type must be application/json or application/x-ndjson");
    if (!door_copy_header(x->wsi, WSI_TOKEN_HTTP_CONTENT_ENCODING, text, &encoding) ||
        (encoding.n > 0 && !str_eq_c(encoding, "identity")))
        return refusal(PROBLEM_UNSUPPORTED, "a body is taken without Content-Encoding");
    if (x->route->body == BODY_JSON && x->frame.size_bytes > EXCHANGE_BODY_BYTES_MAX)
        return refusal(PROBLEM_TOO_LARGE, "a body has at most 8 MiB here");
    return refusal(PROBLEM_BAD_REQUEST, NULL);
}

static void
read_method(struct exchange *x)
{
    char *ignored;
    int ignored_size;
    x->method = HTTP_OTHER;
    switch (lws_http_get_uri_and_method(x->wsi, &ignored, &ignored_size)) {
    case LWSHUMETH_GET: x->method = HTTP_GET; break;
    case LWSHUMETH_HEAD:
        x->method = HTTP_GET;
        x->is_head = true;
        break;
    case LWSHUMETH_POST:
        x->method = HTTP_POST;
        x->is_read_by_lws = true;
        break;
    case LWSHUMETH_PUT:
    case LWSHUMETH_PATCH: x->is_read_by_lws = true; break;
    case LWSHUMETH_DELETE: x->method = HTTP_DELETE; break;
    case LWSHUMETH_OPTIONS: x->method = HTTP_OPTIONS; break;
    }
}

static void
add_methods(struct exchange *x, const char *header, unsigned methods)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET, HEAD", [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE"};
    AUTO(buf_finish) struct buf list = {0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!(methods & (1u << i)))
            continue;
        buf_add_cstr(&list, list.n > 0 ? ", " : "");
        buf_add_cstr(&list, names[i]);
    }
    exchange_add_header(x, header, list.n > 0 ? list.p : "");
}

/* A browser asks before it sends a page's Authorization; for the origins that are allowed, which is
 * looked at before. */
static void
answer_preflight(struct exchange *x, unsigned methods)
{
    char text[8];
    add_methods(x, "Allow", methods);
    if (x->origin) {
        add_methods(x, "Access-Control-Allow-Methods", methods);
        exchange_add_header(x, "Access-Control-Allow-Headers",
                            "Authorization, Content-Type, Last-Event-ID");
        exchange_add_header(x, "Access-Control-Max-Age", "600");
        if (exchange_header(x, "access-control-request-private-network:", text,
                            sizeof(text)) &&
            strcmp(text, "true") == 0)
            exchange_add_header(x, "Access-Control-Allow-Private-Network", "true");
    }
    exchange_answer(x, 204, NULL, STR_NONE);
}

/* Whose address it is, and what may be sent there; true: it was answered. */
static bool
answer_elsewhere(struct exchange *x)
{
    unsigned methods = 0;
    x->route = route_find(str_of(x->path), x->method, x->params, &methods);
    if (x->method == HTTP_OPTIONS && methods) {
        answer_preflight(x, methods);
    } else if (!methods) {
        exchange_problem(x, PROBLEM_NOT_FOUND, "there is nothing at this address");
    } else if (!x->route) {
        add_methods(x, "Allow", methods);
        exchange_problem(x, PROBLEM_METHOD_NOT_ALLOWED,
                         "this address is not for this method");
    } else if (!x->route->serve) {
        exchange_problem(x, PROBLEM_BAD_REQUEST, "this address is a WebSocket's");
    }
    return x->is_answered;
}

/* The probes and the page; and a browser asks about any address without a token. */
static bool
needs_token(const struct exchange *x)
{
    struct str params[MATCH_PARAMS_MAX];
    unsigned methods = 0;
    const struct route *get = route_find(str_of(x->path), HTTP_GET, params, &methods);
    return x->method != HTTP_OPTIONS && !(get && get->is_open);
}

static struct refusal
check_request(struct exchange *x, const char *uri, size_t uri_size)
{
    struct refusal framing = door_check_framing(x->wsi, &x->frame);
    x->is_read_by_lws |= x->frame.framing == BODY_FRAMING_LENGTH;
    x->is_body_done = !framing.detail && x->frame.framing == BODY_FRAMING_NONE;
    struct refusal why = door_check_place(x->hub, x->wsi, &x->origin);
    if (!why.detail)
        why = framing;
    if (!why.detail &&
        (uri_size == 0 || uri_size > SERVE_PATH_BYTES_MAX || door_has_nul(uri, uri_size)))
        why = refusal(PROBLEM_BAD_REQUEST, "the path is too long, or has a NUL");
    if (why.detail)
        return door_count_stranger(x->hub, why);
    x->path = xstrndup(uri, uri_size);
    if (!needs_token(x))
        return door_count_stranger(x->hub, why);
    why = door_check_token(x->hub, x->wsi, STR_NONE);
    return why.detail ? door_count_stranger(x->hub, why) : why;
}

static int
on_http(struct peer *peer, const char *uri, size_t uri_size)
{
    struct hub *h = peer->hub;
    if (peer->exchange) // a second request: our answers end connections, so this is none of ours
        return -1;
    struct exchange *x = exchange_create(h, peer->wsi);
    peer->exchange = x;
    lws_set_timeout(peer->wsi, NO_PENDING_TIMEOUT, 0); // exchange_on_tick() has its own
    read_method(x);
    struct refusal why = check_request(x, uri, uri_size);
    if (why.detail) {
        h->stats.refused++;
        exchange_problem(x, why.problem, why.detail);
        return 0;
    }
    h->stats.requests++;
    exchange_read_arguments(x);
    if (answer_elsewhere(x))
        return 0;
    why = check_body(x);
    if (why.detail)
        exchange_problem(x, why.problem, why.detail);
    else
        exchange_on_begin(x);
    return 0;
}

/* ---- callbacks ---- */

static struct peer *
peer_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

static void
peer_create(struct hub *h, struct lws *wsi)
{
    struct peer *peer = xnew(struct peer);
    peer->hub = h;
    peer->wsi = wsi;
    peer->since_ms = clock_mono_ms();
    list_add(&h->peers, &peer->link);
    h->n_peers++;
    lws_set_opaque_user_data(wsi, peer);
}

static void
peer_drop(struct peer *peer)
{
    hub_client_destroy(steal(peer->client));
    exchange_destroy(steal(peer->exchange));
}

static void
peer_destroy(struct peer *peer)
{
    if (!peer)
        return;
    peer_drop(peer);
    lws_set_opaque_user_data(peer->wsi, NULL);
    list_remove(&peer->link);
    peer->hub->n_peers--;
    free(peer);
}

void
serve_drop_all(struct hub *h)
{
    list_for_each_safe (it, &h->peers)
        peer_drop(list_entry(it, struct peer, link));
}

/* It did not come as far as the end of its headers, though it had the time. */
static bool
is_silent(const struct peer *peer, int64_t now_ms, int64_t time_ms)
{
    return !peer->client && !peer->exchange && !peer->is_cut &&
           now_ms - peer->since_ms >= time_ms;
}

static void
cut(struct peer *peer)
{
    peer->is_cut = true;
    peer->hub->stats.silent_closed++;
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(
        peer->hub->context); // its timers are looked at when something happens
}

void
serve_on_tick(struct hub *h, int64_t now_ms)
{
    list_for_each_safe (it, &h->peers) {
        struct peer *peer = list_entry(it, struct peer, link);
        if (peer->exchange)
            exchange_on_tick(peer->exchange, now_ms);
        else if (is_silent(peer, now_ms, HUB_SILENT_MS))
            cut(peer);
    }
}

/* Somebody who opens sockets and says nothing takes no place away: the oldest of them goes. */
static bool
make_room(struct hub *h)
{
    int64_t now_ms = clock_mono_ms();
    list_for_each (it, &h->peers) { // in the order in which they came
        struct peer *peer = list_entry(it, struct peer, link);
        if (!is_silent(peer, now_ms, HUB_SILENT_FULL_MS))
            continue;
        cut(peer);
        return true;
    }
    return false;
}

static bool
is_full(struct hub *h)
{
    size_t n_max = h->connections_max + HUB_SOCKETS_SPARE;
    if (h->is_closing)
        return true;
    if (h->n_peers < n_max && hub_has_descriptors(h, 1))
        return false;
    if (h->n_peers < n_max + HUB_SOCKETS_SPARE &&
        hub_has_descriptors(h, -HUB_SOCKETS_CUT) && make_room(h))
        return false;
    h->stats.full++;
    return true;
}

static int
on_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user UNUSED,
                 void *in, size_t n)
{
    struct hub *h = lws_context_user(lws_get_context(wsi));
    struct peer *peer;
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        h->stats.connections++;
        return is_full(h);
    /* Not WSI_CREATE: what is hung on it there is overwritten. */
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        if (!peer_of(wsi))
            peer_create(h, wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: peer_destroy(peer_of(wsi)); return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        peer = peer_of(wsi);
        return peer && !h->is_ending ? upgrade_begin(peer) : -1;
    case LWS_CALLBACK_HTTP:
        peer = peer_of(wsi);
        return peer && !h->is_ending ? on_http(peer, in, n) : -1;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        peer = peer_of(wsi);
        return peer && peer->exchange ? exchange_on_writable(peer->exchange) : 0;
    case LWS_CALLBACK_HTTP_BODY:
        peer = peer_of(wsi);
        return peer && peer->exchange
                   ? exchange_on_bytes(peer->exchange, str_slice(in, n))
                   : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        peer = peer_of(wsi);
        return peer && peer->exchange ? exchange_on_bytes_end(peer->exchange) : -1;
    case LWS_CALLBACK_CLOSED_HTTP:
        peer = peer_of(wsi);
        if (peer)
            exchange_destroy(steal(peer->exchange));
        return 0;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: // a WebSocket without our subprotocol
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RAW_ADOPT: // CONNECT
    case LWS_CALLBACK_RAW_RX: return -1;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        return 0; // anything else would close its pipe
    }
    return 0;
}

/* The client's close frame, with what libwebsockets would send back as it is: half a code, one that nobody can have, or
 * a reason that ends within a letter. */
static int
check_close(struct lws *wsi, const unsigned char *payload, size_t n)
{
    uint16_t status = 0;
    if (n == 1 || (n >= 2 && (payload[0] << 8 | payload[1]) >= SERVE_CLOSE_CODES))
        status = LWS_CLOSE_STATUS_PROTOCOL_ERR;
    else if (n > 2 && !utf8_is_valid(str_slice((const char *)payload + 2, n - 2)))
        status = LWS_CLOSE_STATUS_INVALID_PAYLOAD;
    if (status == 0)
        return 0;
    lws_close_reason(wsi, status, NULL, 0);
    return -1;
}

static int
on_socket_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user UNUSED,
                   void *in, size_t n)
{
    struct peer *peer;
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        peer = peer_of(wsi);
        return peer && peer->client ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
        peer = peer_of(wsi);
        if (!peer || !peer->client)
            return -1;
        hub_client_on_open(peer->client);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        peer = peer_of(wsi);
        return peer && peer->client ? hub_client_on_writable(peer->client) : 0;
    case LWS_CALLBACK_RECEIVE:
        peer = peer_of(wsi);
        return peer && peer->client ? hub_client_on_bytes(peer->client, str_slice(in, n))
                                    : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return check_close(wsi, in, n);
    case LWS_CALLBACK_CLOSED:
        peer = peer_of(wsi);
        if (peer)
            hub_client_destroy(steal(peer->client));
        return 0;
    }
    return 0;
}

/* The first one's name has a blank, so that nobody can ask for it. tx_packet_size: a frame is one
 * send and not many copies. */
const struct lws_protocols serve_protocols[] = {
    {.name = "plain http",
     .callback = on_http_callback,
     .tx_packet_size = HUB_FRAME_BYTES_MAX + LWS_PRE},
    {.name = GATE_SUBPROTOCOL,
     .callback = on_socket_callback,
     .tx_packet_size = HUB_FRAME_BYTES_MAX + LWS_PRE},
    {.name = GATE_SUBPROTOCOL_LINES,
     .callback = on_socket_callback,
     .tx_packet_size = HUB_FRAME_BYTES_MAX + LWS_PRE},
    {0},
};
