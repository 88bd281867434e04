/* Why: a local port is open to every web page and every program of the machine, so each request
 * proves itself before libwebsockets does anything with it. Invariant: what is not exactly known to
 * be good is refused; a header that came twice arrives joined by a comma and therefore fails. */
#include "hub/gate.h"

#include <ctype.h>
#include <strings.h>

#define GATE_KEY_BYTES 24

static bool
is_equal_nocase(struct str s, const char *text)
{
    return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

static bool
is_port(struct str s)
{
    uint64_t port;
    return s.n > 0 && s.n <= 5 && str_to_u64(s, &port) == 0 && port > 0 &&
           port <= UINT16_MAX;
}

bool
gate_host_is_ours(struct str host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t n = strlen(names[i]);
        if (host.n < n || !is_equal_nocase(str_slice(host.p, n), names[i]))
            continue;
        struct str rest = str_slice(host.p + n, host.n - n);
        if (rest.n == 0 ||
            (rest.p[0] == ':' && is_port(str_slice(rest.p + 1, rest.n - 1))))
            return true;
    }
    return false;
}

bool
gate_origin_is_ours(struct str origin, uint16_t port, char *const *allowed,
                    size_t n_allowed)
{
    char ours[64];
    snprintf(ours, sizeof(ours), "http://127.0.0.1:%u", port);
    if (str_eq_c(origin, ours))
        return true;
    snprintf(ours, sizeof(ours), "http://localhost:%u", port);
    if (str_eq_c(origin, ours))
        return true;
    for (size_t i = 0; i < n_allowed; i++)
        if (str_eq_c(origin, allowed[i]))
            return true;
    return false;
}

struct str
gate_bearer(struct str authorization)
{
    static const char scheme[] = "bearer ";
    size_t n = sizeof(scheme) - 1;
    if (authorization.n <= n || strncasecmp(authorization.p, scheme, n) != 0)
        return STR_NONE;
    return str_trim(str_slice(authorization.p + n, authorization.n - n));
}

bool
gate_connection_upgrades(struct str connection)
{
    struct str part;
    while (str_split(&connection, ',', &part))
        if (is_equal_nocase(str_trim(part), "upgrade"))
            return true;
    return false;
}

bool
gate_key_is_wellformed(struct str key)
{
    static const char last[] = "AQgw"; // of two bits, none of the four below is set
    if (key.n != GATE_KEY_BYTES || key.p[22] != '=' || key.p[23] != '=' ||
        !strchr(last, key.p[21]))
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!isalnum((unsigned char)key.p[i]) && key.p[i] != '+' && key.p[i] != '/')
            return false;
    return true;
}

int
gate_read_offer(struct str list, struct gate_offer *ret_offer)
{
    struct gate_offer offer = {0};
    struct str part;
    while (str_split(&list, ',', &part)) {
        struct str name = str_trim(part);
        if (name.n == 0)
            return -EINVAL;
        if (str_eq_c(name, GATE_SUBPROTOCOL) || str_eq_c(name, GATE_SUBPROTOCOL_LINES)) {
            offer.has_gloss = true;
        } else if (str_starts_with(name, STR("bearer."))) {
            if (offer.token.n > 0)
                return -EINVAL;
            offer.token = str_slice(name.p + 7, name.n - 7);
        }
    }
    *ret_offer = offer;
    return 0;
}

bool
gate_origin_is_wellformed(struct str origin)
{
    ssize_t at = str_find(origin, STR("://"));
    if (at <= 0 || origin.n > GATE_ORIGIN_BYTES_MAX || (size_t)at + 3 == origin.n)
        return false;
    for (size_t i = 0; i < origin.n; i++) {
        char c = origin.p[i];
        if (c <= ' ' || c >= 0x7f || c == ',' || (c == '/' && i > (size_t)at + 2))
            return false;
    }
    return true;
}
