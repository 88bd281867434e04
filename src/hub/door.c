/* Why: whoever knocks, for a page or for a WebSocket, is asked the same, and in the same words: Host, Origin, framing,
 * token. Invariant: nothing is answered here; who asks says no, and ends the connection. */
#include "hub/door.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

bool
door_copy_header(struct lws *wsi, enum lws_token_indexes token, char *text,
                 struct str *ret_value)
{
    int n = lws_hdr_copy(wsi, text, DOOR_HEADER_BYTES_MAX, token);
    *ret_value = n > 0 ? str_slice(text, (size_t)n) : STR_NONE;
    return n >= 0;
}

struct refusal
door_check_place(struct hub *h, struct lws *wsi, char **ret_origin)
{
    char text[DOOR_HEADER_BYTES_MAX];
    struct str value;
    if (!door_copy_header(wsi, WSI_TOKEN_HOST, text, &value) || !gate_host_is_ours(value))
        return refusal(PROBLEM_FORBIDDEN,
                       "the Host header must name 127.0.0.1, localhost or [::1], once");
    if (!door_copy_header(wsi, WSI_TOKEN_ORIGIN, text, &value) ||
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
struct refusal
door_check_framing(struct lws *wsi, struct body_frame *frame)
{
    static const char detail[] =
        "the request's Content-Length and Transfer-Encoding do not say how long its body "
        "is";
    char chunked[DOOR_HEADER_BYTES_MAX], length[DOOR_HEADER_BYTES_MAX], version[16];
    struct str chunked_value, length_value;
    if (!door_copy_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, chunked,
                          &chunked_value) ||
        !door_copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, &length_value) ||
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

struct refusal
door_check_token(struct hub *h, struct lws *wsi, struct str token)
{
    char text[DOOR_HEADER_BYTES_MAX];
    struct str value;
    if (!door_copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, text, &value))
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
struct refusal
door_count_stranger(struct hub *h, struct refusal why)
{
    if (rate_take(&h->strangers, &h->stranger_limit, now_us(), NULL))
        return why;
    h->stats.strangers_refused++;
    return refusal(PROBLEM_OVERLOADED, "there are too many requests without the token");
}

/* libwebsockets ends the connection when a path has a NUL, but behind a slash, where it takes one for the end: its own
 * NUL follows, and then the version or the query, of which nothing is left when it is empty. */
bool
door_has_nul(const char *uri, size_t uri_size)
{
    return memchr(uri, '\0', uri_size) ||
           (uri[uri_size - 1] == '/' && uri[uri_size + 1] == '\0');
}
