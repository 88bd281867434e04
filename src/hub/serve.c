/* Why: every request passes one gate, in one order, before anything else looks at it: Host, Origin,
 * framing, token, address, method, body. Invariant: what is refused is answered with the reason and
 * the connection ends; no upgrade of libwebsockets' own (h2c, CONNECT) is ever reached. */
#include "hub/serve.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/cloudevents.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define SERVE_HEADER_BYTES_MAX 512 // of one that we look at
#define SERVE_PATH_BYTES_MAX 8192
#define SERVE_UPGRADE_BYTES 9  // "websocket"
#define SERVE_CLOSE_CODES 5000 // there are so many

/* ---- the gate ---- */

/* Why a request is refused; detail NULL: it is not. */
struct refusal {
    enum problem problem;
    const char *detail;
};

static struct refusal
refusal(enum problem p, const char *detail)
{
    return (struct refusal){.problem = p, .detail = detail};
}

static bool
copy_header(struct lws *wsi, enum lws_token_indexes token, char *text,
            struct str *ret_value)
{
    int n = lws_hdr_copy(wsi, text, SERVE_HEADER_BYTES_MAX, token);
    *ret_value = n > 0 ? str_slice(text, (size_t)n) : STR_NONE;
    return n >= 0;
}

/* Answers an upgrade at once; the connection ends. */
static int
refuse(struct hub *h, struct lws *wsi, struct refusal why)
{
    struct exchange x = {.hub = h};
    h->stats.refused++;
    if (why.problem == PROBLEM_UPGRADE)
        exchange_add_header(&x, "Sec-WebSocket-Version", "13");
    exchange_problem(&x, why.problem, why.detail);
    struct str text = str_slice(x.response.p + LWS_PRE, x.response.n - LWS_PRE);
    if (lws_write(wsi, (unsigned char *)(uintptr_t)text.p, text.n, LWS_WRITE_HTTP_FINAL) <
        (int)text.n)
        log_debug("an HTTP client was gone before its answer");
    buf_finish(&x.headers);
    buf_finish(&x.response);
    return -1;
}

/* *ret_origin: heap; NULL when there is none. */
static struct refusal
check_place(struct hub *h, struct lws *wsi, char **ret_origin)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value;
    if (!copy_header(wsi, WSI_TOKEN_HOST, text, &value) || !gate_host_is_ours(value))
        return refusal(PROBLEM_FORBIDDEN,
                       "the Host header must name 127.0.0.1, localhost or [::1], once");
    if (!copy_header(wsi, WSI_TOKEN_ORIGIN, text, &value) ||
        (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0 &&
         !gate_origin_is_ours(value, h->port, h->origins.v, h->origins.n)))
        return refusal(
            PROBLEM_FORBIDDEN,
            "this Origin is not allowed; an editor allows its own with gloss/dashboard");
    if (ret_origin && value.n > 0)
        *ret_origin = str_dup(value);
    return refusal(PROBLEM_FORBIDDEN, NULL);
}

/* A length that libwebsockets reads differently than a proxy would is how a second request is
 * smuggled in. HTTP/1.0 has no chunks. */
static struct refusal
check_framing(struct lws *wsi, struct body_frame *frame)
{
    static const char detail[] =
        "the request's Content-Length and Transfer-Encoding do not say how long its body "
        "is";
    char chunked[SERVE_HEADER_BYTES_MAX], length[SERVE_HEADER_BYTES_MAX], version[16];
    struct str chunked_value, length_value;
    if (!copy_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, chunked, &chunked_value) ||
        !copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, &length_value) ||
        body_read_framing(chunked_value, str_trim(length_value), frame) < 0)
        return refusal(PROBLEM_BAD_REQUEST, detail);
    if (frame->framing == BODY_FRAMING_CHUNKED &&
        (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP) <= 0 ||
         strcmp(version, "HTTP/1.1") != 0))
        return refusal(PROBLEM_BAD_REQUEST, detail);
    return refusal(PROBLEM_BAD_REQUEST, NULL);
}

static int64_t
now_us(void)
{
    return clock_mono_ns() / 1000;
}

static struct refusal
check_token(struct hub *h, struct lws *wsi, struct str token)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value;
    if (!copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, text, &value))
        value = STR_NONE;
    if (value.n > 0)
        token = gate_bearer(value);
    if (secret_eq(token, str_of(h->token)))
        return refusal(PROBLEM_FORBIDDEN, NULL);
    h->stats.bad_tokens++;
    if (!rate_take(&h->bad_tokens, &h->bad_token_limit, now_us(), NULL))
        return refusal(PROBLEM_TOO_MANY, "there were too many wrong tokens");
    return refusal(PROBLEM_FORBIDDEN,
                   "the token of engine.json is missing or wrong: send it as "
                   "Authorization: Bearer, or as the subprotocol bearer.<token>");
}

/* A request that did not show the token, whatever becomes of it. Nobody who has the token is counted here or above: it
 * opens the door at any time, so that strangers cannot lock the owner out, and a thousand windows come up at once. */
static struct refusal
count_stranger(struct hub *h, struct refusal why)
{
    if (rate_take(&h->strangers, &h->stranger_limit, now_us(), NULL))
        return why;
    h->stats.strangers_refused++;
    return refusal(PROBLEM_OVERLOADED, "there are too many requests without the token");
}

/* libwebsockets ends the connection when a path has a NUL, but behind a slash, where it takes one for the end: its own
 * NUL follows, and then the version or the query, of which nothing is left when it is empty. */
static bool
has_nul(const char *uri, size_t uri_size)
{
    return memchr(uri, '\0', uri_size) ||
           (uri[uri_size - 1] == '/' && uri[uri_size + 1] == '\0');
}

/* What a page of another site can make a browser send without asking first is none of these types. */
static struct refusal
check_body(const struct exchange *x)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str type, encoding;
    if (x->route->body == BODY_NONE)
        return refusal(PROBLEM_BAD_REQUEST, x->frame.framing == BODY_FRAMING_NONE
                                                ? NULL
                                                : "a request body is not taken here");
    if (!copy_header(x->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, text, &type) ||
        body_read_type(type) == BODY_TYPE_OTHER)
        return refusal(PROBLEM_UNSUPPORTED,
                       "Content-Type must be application/json or application/x-ndjson");
    if (!copy_header(x->wsi, WSI_TOKEN_HTTP_CONTENT_ENCODING, text, &encoding) ||
        (encoding.n > 0 && !str_eq_c(encoding, "identity")))
        return refusal(PROBLEM_UNSUPPORTED, "a body is taken without Content-Encoding");
    if (x->route->body == BODY_JSON && x->frame.size_bytes > EXCHANGE_BODY_BYTES_MAX)
        return refusal(PROBLEM_TOO_LARGE, "a body has at most 8 MiB here");
    return refusal(PROBLEM_BAD_REQUEST, NULL);
}

/* ---- HTTP ---- */

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
    struct refusal framing = check_framing(x->wsi, &x->frame);
    x->is_read_by_lws |= x->frame.framing == BODY_FRAMING_LENGTH;
    x->is_body_done = !framing.detail && x->frame.framing == BODY_FRAMING_NONE;
    struct refusal why = check_place(x->hub, x->wsi, &x->origin);
    if (!why.detail)
        why = framing;
    if (!why.detail &&
        (uri_size == 0 || uri_size > SERVE_PATH_BYTES_MAX || has_nul(uri, uri_size)))
        why = refusal(PROBLEM_BAD_REQUEST, "the path is too long, or has a NUL");
    if (why.detail)
        return count_stranger(x->hub, why);
    x->path = xstrndup(uri, uri_size);
    if (!needs_token(x))
        return count_stranger(x->hub, why);
    why = check_token(x->hub, x->wsi, STR_NONE);
    return why.detail ? count_stranger(x->hub, why) : why;
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

/* ---- WebSocket ---- */

/* What the address of a WebSocket says. */
struct place {
    struct workspace *home; // of /v1/workspaces/{id}/ws
    bool wants_subscription, is_cloudevents;
};

static struct refusal
read_place_arguments(struct lws *wsi, struct place *place)
{
    struct exchange x = {.wsi = wsi};
    struct str value;
    bool is_wrong = false;
    exchange_read_arguments(&x);
    if (exchange_argument_view(&x, "format", &value))
        is_wrong = cloudevents_read_format(value, &place->is_cloudevents) < 0;
    place->wants_subscription =
        place->home &&
        !(exchange_argument_view(&x, "subscribe", &value) && str_eq_c(value, "none"));
    buf_finish(&x.args);
    return refusal(PROBLEM_BAD_REQUEST,
                   is_wrong ? "format must be gloss or cloudevents" : NULL);
}

static struct refusal
read_place(struct hub *h, struct lws *wsi, struct place *place)
{
    char *uri = NULL;
    int n = 0;
    unsigned methods = 0;
    struct str params[MATCH_PARAMS_MAX] = {0};
    if (lws_http_get_uri_and_method(wsi, &uri, &n) < 0 || n <= 0)
        return refusal(PROBLEM_BAD_REQUEST, "there is no address");
    struct str path = str_slice(uri, (size_t)n);
    if (has_nul(uri, path.n))
        return refusal(PROBLEM_BAD_REQUEST, "the path has a NUL");
    const struct route *route = route_find(path, HTTP_GET, params, &methods);
    if (!route || route->serve)
        return refusal(PROBLEM_NOT_FOUND, "there is no WebSocket at this address");
    if (params[0].n > 0) {
        place->home = hub_find_workspace(h, params[0]);
        if (!place->home)
            return refusal(PROBLEM_NOT_FOUND, "no workspace of this id is open");
    }
    return read_place_arguments(wsi, place);
}

/* libwebsockets would take another version, half a key, and "up" for an upgrade; or it ends the connection without a
 * word. */
static struct refusal
check_switch(struct lws *wsi)
{
    char text[SERVE_HEADER_BYTES_MAX], *ignored;
    int ignored_size;
    struct str value;
    if (lws_http_get_uri_and_method(wsi, &ignored, &ignored_size) != LWSHUMETH_GET)
        return refusal(PROBLEM_METHOD_NOT_ALLOWED, "an upgrade begins with GET");
    if (!copy_header(wsi, WSI_TOKEN_CONNECTION, text, &value) ||
        !gate_connection_upgrades(value))
        return refusal(PROBLEM_BAD_REQUEST, "an upgrade says Connection: Upgrade");
    if (!copy_header(wsi, WSI_TOKEN_KEY, text, &value) || !gate_key_is_wellformed(value))
        return refusal(PROBLEM_BAD_REQUEST,
                       "Sec-WebSocket-Key must be 16 bytes in base64, once");
    if (!copy_header(wsi, WSI_TOKEN_VERSION, text, &value) || !str_eq_c(value, "13"))
        return refusal(PROBLEM_UPGRADE, "Sec-WebSocket-Version must be 13");
    return refusal(PROBLEM_BAD_REQUEST, NULL);
}

/* Up to the token; *ret_offered is the list of subprotocols. */
static struct refusal
check_upgrader(struct hub *h, struct lws *wsi, struct str *ret_offered,
               char text[SERVE_HEADER_BYTES_MAX], struct gate_offer *offer)
{
    struct body_frame frame = {0};
    struct refusal why = check_place(h, wsi, NULL);
    if (why.detail)
        return why;
    if (check_framing(wsi, &frame).detail || frame.framing != BODY_FRAMING_NONE)
        return refusal(PROBLEM_BAD_REQUEST, "a request body is not taken here");
    why = check_switch(wsi);
    if (why.detail)
        return why;
    if (!copy_header(wsi, WSI_TOKEN_PROTOCOL, text, ret_offered) ||
        gate_read_offer(*ret_offered, offer) < 0)
        return refusal(PROBLEM_BAD_REQUEST, "Sec-WebSocket-Protocol cannot be read");
    return check_token(h, wsi, offer->token);
}

static struct refusal
check_upgrade(struct hub *h, struct lws *wsi, struct place *place)
{
    char text[SERVE_HEADER_BYTES_MAX];
    struct str value = STR_NONE;
    struct gate_offer offer = {0};
    struct refusal why = check_upgrader(h, wsi, &value, text, &offer);
    if (why.detail)
        return count_stranger(h, why);
    /* What is longer than this is dropped by libwebsockets without a word. */
    if (!offer.has_gloss || value.n > 126)
        return refusal(PROBLEM_BAD_REQUEST, "offer the subprotocol " GATE_SUBPROTOCOL
                                            " (the whole list at most 126 bytes)");
    why = read_place(h, wsi, place);
    if (why.detail)
        return why;
    if (hub_clients(h) < h->connections_max && hub_has_descriptors(h, HUB_SOCKETS_TOLD) &&
        !h->is_closing)
        return why;
    h->stats.full++;
    return refusal(PROBLEM_OVERLOADED, "there are too many connections");
}

/* `in` may be freed memory here (libwebsockets 4.1 answers an unknown upgrade by itself first), and
 * h2c would open its HTTP/2 code: only the header that is still there counts. */
static int
on_upgrade(struct peer *peer)
{
    struct hub *h = peer->hub;
    struct lws *wsi = peer->wsi;
    char text[SERVE_HEADER_BYTES_MAX];
    struct place place = {0};

    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) != SERVE_UPGRADE_BYTES ||
        lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_UPGRADE) != SERVE_UPGRADE_BYTES ||
        strcasecmp(text, "websocket") != 0 || peer->client || peer->exchange)
        return -1;
    struct refusal why = check_upgrade(h, wsi, &place);
    if (why.detail)
        return refuse(h, wsi, why);
    peer->client = hub_client_create(h, wsi, place.home, place.wants_subscription);
    peer->client->is_cloudevents = place.is_cloudevents;
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
        return peer && !h->is_ending ? on_upgrade(peer) : -1;
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
