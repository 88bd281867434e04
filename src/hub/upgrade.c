/* Why: an upgrade is looked at before libwebsockets switches, which takes more for one than RFC 6455 does. Invariant:
 * what is refused is answered with the reason, as any other request, and the connection ends. */
#include "hub/client.h"
#include "hub/cloudevents.h"
#include "hub/door.h"
#include "hub/serve.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define UPGRADE_BYTES 9 // "websocket"

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
    if (door_has_nul(uri, path.n))
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
    char text[DOOR_HEADER_BYTES_MAX], *ignored;
    int ignored_size;
    struct str value;
    if (lws_http_get_uri_and_method(wsi, &ignored, &ignored_size) != LWSHUMETH_GET)
        return refusal(PROBLEM_METHOD_NOT_ALLOWED, "an upgrade begins with GET");
    if (!door_copy_header(wsi, WSI_TOKEN_CONNECTION, text, &value) ||
        !gate_connection_upgrades(value))
        return refusal(PROBLEM_BAD_REQUEST, "an upgrade says Connection: Upgrade");
    if (!door_copy_header(wsi, WSI_TOKEN_KEY, text, &value) ||
        !gate_key_is_wellformed(value))
        return refusal(PROBLEM_BAD_REQUEST,
                       "Sec-WebSocket-Key must be 16 bytes in base64, once");
    if (!door_copy_header(wsi, WSI_TOKEN_VERSION, text, &value) || !str_eq_c(value, "13"))
        return refusal(PROBLEM_UPGRADE, "Sec-WebSocket-Version must be 13");
    return refusal(PROBLEM_BAD_REQUEST, NULL);
}

/* Up to the token; *ret_offered is the list of subprotocols. */
static struct refusal
check_upgrader(struct hub *h, struct lws *wsi, struct str *ret_offered,
               char text[DOOR_HEADER_BYTES_MAX], struct gate_offer *offer)
{
    struct body_frame frame = {0};
    struct refusal why = door_check_place(h, wsi, NULL);
    if (why.detail)
        return why;
    if (door_check_framing(wsi, &frame).detail || frame.framing != BODY_FRAMING_NONE)
        return refusal(PROBLEM_BAD_REQUEST, "a request body is not taken here");
    why = check_switch(wsi);
    if (why.detail)
        return why;
    if (!door_copy_header(wsi, WSI_TOKEN_PROTOCOL, text, ret_offered) ||
        gate_read_offer(*ret_offered, offer) < 0)
        return refusal(PROBLEM_BAD_REQUEST, "Sec-WebSocket-Protocol cannot be read");
    return door_check_token(h, wsi, offer->token);
}

static struct refusal
check_upgrade(struct hub *h, struct lws *wsi, struct place *place)
{
    char text[DOOR_HEADER_BYTES_MAX];
    struct str value = STR_NONE;
    struct gate_offer offer = {0};
    struct refusal why = check_upgrader(h, wsi, &value, text, &offer);
    if (why.detail)
        return door_count_stranger(h, why);
    /* What is longer than this is dropped by libwebsockets without a word. */
    if (!offer.has_gloss || value.n > 126)
        return refusal(PROBLEM_BAD_REQUEST, "offer the subprotocol " GATE_SUBPROTOCOL
                                            " (the whole list at most 126 bytes)");
    why = read_place(h, wsi, place);
    if (why.detail)
        return why;
    if (hub_has_place(h))
        return why;
    h->stats.full++;
    return refusal(PROBLEM_OVERLOADED, "there are too many connections");
}

/* `in` may be freed memory here (libwebsockets 4.1 answers an unknown upgrade by itself first), and
 * h2c would open its HTTP/2 code: only the header that is still there counts. */
int
upgrade_begin(struct peer *peer)
{
    struct hub *h = peer->hub;
    struct lws *wsi = peer->wsi;
    char text[DOOR_HEADER_BYTES_MAX];
    struct place place = {0};

    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) != UPGRADE_BYTES ||
        lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_UPGRADE) != UPGRADE_BYTES ||
        strcasecmp(text, "websocket") != 0 || peer->client || peer->exchange)
        return -1;
    struct refusal why = check_upgrade(h, wsi, &place);
    if (why.detail)
        return refuse(h, wsi, why);
    peer->client = hub_client_create(h, wsi, place.home, place.wants_subscription);
    peer->client->is_cloudevents = place.is_cloudevents;
    return 0;
}
