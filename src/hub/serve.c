/* Why: every request passes one gate, in one order, before anything else looks at it: Host, Origin,
 * method and upgrade, token. Invariant: what is refused is answered with the reason and the
 * connection ends; no upgrade of libwebsockets' own (h2c, CONNECT) is ever reached. HTTP answers
 * always end the connection, so there is no second request on it to be mistaken for a body. */
#include "hub/serve.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/utf.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define SERVE_HEADER_BYTES_MAX 512 // of one that we look at
#define SERVE_PATH_BYTES_MAX 8192
#define SERVE_ANSWER_S 30      // for a question to the index
#define SERVE_UPGRADE_BYTES 9  // "websocket"
#define SERVE_CLOSE_CODES 5000 // there are so many

/* ---- exchanges ---- */

void
exchange_answer(struct exchange *x, unsigned status, const char *type, struct str body)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {429, "Too Many Requests"},
                   {503, "Service Unavailable"}};
    const char *reason = "Internal Server Error";
    struct buf *b = &x->response;
    assert(!x->is_answered);
    x->is_answered = true;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            reason = reasons[i].text;
    message_begin(b);
    buf_printf(b, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
               reason, type, body.n);
    if (status == 405)
        buf_add_cstr(b, "Allow: GET, HEAD\r\n");
    if (status == 503 || status == 429)
        buf_add_cstr(b, "Retry-After: 1\r\n");
    buf_add_cstr(
        b, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
           "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
           "frame-ancestors 'none'\r\n"
           "Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n");
    if (!x->is_head)
        buf_add_str(b, body);
    if (x->wsi)
        lws_callback_on_writable(x->wsi);
}

void
exchange_problem(struct exchange *x, enum problem p, const char *detail)
{
    AUTO(buf_finish) struct buf body = {0};
    problem_add(&body, p, detail);
    exchange_answer(x, problem_status(p), SERVE_PROBLEM, buf_str(&body));
}

bool
exchange_argument(const struct exchange *x, const char *name, char *ret_value,
                  size_t size)
{
    char argument[SERVE_HEADER_BYTES_MAX * 3];
    size_t name_size = strlen(name);
    for (int i = 0;; i++) {
        int n = lws_hdr_copy_fragment(x->wsi, argument, sizeof(argument),
                                      WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n < 0)
            return false;
        struct str text = str_slice(argument, (size_t)n);
        if (text.n <= name_size || text.p[name_size] != '=' ||
            memcmp(text.p, name, name_size) != 0)
            continue;
        if (text.n - name_size > size)
            return false;
        memcpy(ret_value, text.p + name_size + 1, text.n - name_size - 1);
        ret_value[text.n - name_size - 1] = '\0';
        return true;
    }
}

static void
exchange_destroy(struct exchange *x)
{
    if (!x)
        return;
    ask_abandon(x->ask);
    buf_finish(&x->response);
    free(x->path);
    free(x);
}

/* What is ready goes out in one write; then the connection ends. */
static int
exchange_write(struct exchange *x)
{
    struct buf *b = &x->response;
    int n = (int)(b->n - LWS_PRE);
    if (lws_write(x->wsi, (unsigned char *)b->p + LWS_PRE, (size_t)n,
                  LWS_WRITE_HTTP_FINAL) < n)
        log_debug("an HTTP client was gone before its answer");
    return -1;
}

/* ---- the gate ---- */

static bool
copy_header(struct lws *wsi, enum lws_token_indexes token, char *text,
            struct str *ret_value)
{
    int n = lws_hdr_copy(wsi, text, SERVE_HEADER_BYTES_MAX, token);
    *ret_value = n > 0 ? str_slice(text, (size_t)n) : STR_NONE;
    return n >= 0;
}

/* Answers at once and ends the connection. */
static int
refuse(struct hub *h, struct lws *wsi, enum problem p, const char *detail)
{
    struct exchange x = {.hub = h, .wsi = wsi};
    h->stats.refused++;
    exchange_problem(&x, p, detail);
    int r = exchange_write(&x);
    buf_finish(&x.response);
    return r;
}

static int
check_place(struct hub *h, struct lws *wsi)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value;
    if (!copy_header(wsi, WSI_TOKEN_HOST, text, &value) || !gate_host_is_ours(value))
        return refuse(h, wsi, PROBLEM_FORBIDDEN,
                      "the Host header must name 127.0.0.1, localhost or [::1], once");
    if (!copy_header(wsi, WSI_TOKEN_ORIGIN, text, &value) ||
        (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0 &&
         !gate_origin_is_ours(value, h->port, h->origins.v, h->origins.n)))
        return refuse(
            h, wsi, PROBLEM_FORBIDDEN,
            "this Origin is not allowed; an editor allows its own with gloss/dashboard");
    return 0;
}

/* We take no request body, and a length that libwebsockets reads differently than a proxy would is
 * how a second request is smuggled in. */
static int
check_body(struct hub *h, struct lws *wsi)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return refuse(h, wsi, PROBLEM_BAD_REQUEST, "a request body is not taken here");
    if (!copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, &value) ||
        (value.n > 0 && !str_eq_c(value, "0")))
        return refuse(h, wsi, PROBLEM_BAD_REQUEST, "a request body is not taken here");
    return 0;
}

static int
check_token(struct hub *h, struct lws *wsi, struct str token)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value;
    if (!copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, text, &value))
        value = STR_NONE;
    if (value.n > 0)
        token = gate_bearer(value);
    if (!secret_eq(token, str_of(h->token)))
        return refuse(
            h, wsi, PROBLEM_FORBIDDEN,
            "the token of engine.json is missing or wrong: send it as Authorization: "
            "Bearer, or as the subprotocol bearer.<token>");
    return 0;
}

/* ---- HTTP ---- */

static int
on_http(struct peer *peer, const char *uri, size_t uri_size)
{
    struct hub *h = peer->hub;
    char *ignored;
    int ignored_size;
    int method = lws_http_get_uri_and_method(peer->wsi, &ignored, &ignored_size);
    int r = check_place(h, peer->wsi);
    if (r == 0 && method != LWSHUMETH_GET && method != LWSHUMETH_HEAD)
        return refuse(h, peer->wsi, PROBLEM_METHOD_NOT_ALLOWED,
                      "only GET and HEAD are served");
    if (r == 0)
        r = check_body(h, peer->wsi);
    if (r < 0)
        return r;
    if (uri_size > SERVE_PATH_BYTES_MAX || memchr(uri, '\0', uri_size))
        return refuse(h, peer->wsi, PROBLEM_BAD_REQUEST,
                      "the path is too long, or has a NUL");
    if (peer->exchange) // a second request: our answers end connections, so this is none of ours
        return -1;

    struct exchange *x = xnew(struct exchange);
    peer->exchange = x;
    x->hub = h;
    x->wsi = peer->wsi;
    x->is_head = method == LWSHUMETH_HEAD;
    x->path = xstrndup(uri, uri_size);
    const struct route *route = route_find(str_of(x->path), x->params);
    if (!route || !route->is_open) {
        r = check_token(h, peer->wsi, STR_NONE);
        if (r < 0)
            return r;
    }
    h->stats.requests++;
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SERVE_ANSWER_S);
    if (!route)
        exchange_problem(x, PROBLEM_NOT_FOUND, "there is nothing at this address");
    else if (!route->serve)
        exchange_problem(x, PROBLEM_BAD_REQUEST, "this address is a WebSocket's");
    else
        route->serve(x);
    return 0;
}

/* ---- WebSocket ---- */

/* The workspace of /v1/workspaces/{id}/ws. */
static int
find_home(struct hub *h, struct lws *wsi, struct workspace **ret_home, bool *ret_wants)
{
    char *uri = NULL, value[16];
    int n = 0;
    struct str params[MATCH_PARAMS_MAX] = {0};
    if (lws_http_get_uri_and_method(wsi, &uri, &n) != LWSHUMETH_GET || n <= 0)
        return refuse(h, wsi, PROBLEM_METHOD_NOT_ALLOWED, "an upgrade begins with GET");
    struct str path = str_slice(uri, strnlen(uri, (size_t)n));
    const struct route *route = route_find(path, params);
    if (!route || route->serve)
        return refuse(h, wsi, PROBLEM_NOT_FOUND, "there is no WebSocket at this address");
    if (params[0].n > 0) {
        struct exchange x = {.wsi = wsi};
        *ret_home = hub_find_workspace(h, params[0]);
        if (!*ret_home)
            return refuse(h, wsi, PROBLEM_NOT_FOUND, "no workspace of this id is open");
        *ret_wants = !exchange_argument(&x, "subscribe", value, sizeof(value)) ||
                     strcmp(value, "none") != 0;
    }
    return 0;
}

/* `in` may be freed memory here (libwebsockets 4.1 answers an unknown upgrade by itself first), and
 * h2c would open its HTTP/2 code: only the header that is still there counts. */
static int
on_upgrade(struct peer *peer)
{
    struct hub *h = peer->hub;
    struct lws *wsi = peer->wsi;
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value;
    struct gate_offer offer;
    struct workspace *home = NULL;
    bool wants_subscription = false;

    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) != SERVE_UPGRADE_BYTES ||
        lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_UPGRADE) != SERVE_UPGRADE_BYTES ||
        strcasecmp(text, "websocket") != 0 || peer->client || peer->exchange)
        return -1;
    int r = check_place(h, wsi);
    if (r == 0)
        r = check_body(h, wsi);
    if (r < 0)
        return r;
    if (!copy_header(wsi, WSI_TOKEN_PROTOCOL, text, &value) ||
        gate_read_offer(value, &offer) < 0)
        return refuse(h, wsi, PROBLEM_BAD_REQUEST,
                      "Sec-WebSocket-Protocol cannot be read");
    r = check_token(h, wsi, offer.token);
    if (r < 0)
        return r;
    /* What is longer than this is dropped by libwebsockets without a word. */
    if (!offer.has_gloss || value.n > 126)
        return refuse(h, wsi, PROBLEM_BAD_REQUEST,
                      "offer the subprotocol " GATE_SUBPROTOCOL
                      " (the whole list at most 126 bytes)");
    r = find_home(h, wsi, &home, &wants_subscription);
    if (r < 0)
        return r;
    if (h->n_clients >= h->connections_max || h->is_closing)
        return refuse(h, wsi, PROBLEM_OVERLOADED, "there are too many connections");
    peer->client = hub_client_create(h, wsi, home, wants_subscription);
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

static bool
is_full(const struct hub *h)
{
    return h->is_closing || h->n_peers >= h->connections_max + HUB_SOCKETS_SPARE;
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
        return peer && !h->is_ending ? on_upgrade(peer) : -1;
    case LWS_CALLBACK_HTTP:
        peer = peer_of(wsi);
        return peer && !h->is_ending ? on_http(peer, in, n) : -1;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        peer = peer_of(wsi);
        if (peer && peer->exchange && peer->exchange->is_answered)
            return exchange_write(peer->exchange);
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        peer = peer_of(wsi);
        if (peer)
            exchange_destroy(steal(peer->exchange));
        return 0;
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
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
