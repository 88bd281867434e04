/* Frames of the base protocol: "Content-Length: N" CRLF CRLF and N bytes. Pure. Strict
 * enough that a program's chatter on its stdout is seen at its first line, lenient in
 * what real peers differ in: case of names, white space, LF alone, other headers.
 * Invariant: never looks past `bytes`, and a header that can no longer become a good one
 * is refused before its end has come. */
#include "lsp/wire/wire.h"

/* RFC 9110 token: what a header's name is made of. */
static bool
is_token_char(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
eq_ignoring_case(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        char c = a.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != b.p[i])
            return false;
    }
    return true;
}

/* Length of the name before the colon; -EPROTO when the line, whole or not, cannot be a
 * header. */
static ssize_t
name_length(struct str line, bool is_whole)
{
    size_t i = 0;
    while (i < line.n && is_token_char(line.p[i]))
        i++;
    if (i == line.n)
        return is_whole ? -EPROTO : (ssize_t)i;
    return line.p[i] == ':' && i > 0 ? (ssize_t)i : -EPROTO;
}

static int
parse_length(struct str value, uint64_t *length, bool *has_length)
{
    uint64_t n;
    int r = str_to_u64(str_trim(value), &n);
    if (r == -ERANGE)
        return -EMSGSIZE;
    if (r < 0 || (*has_length && *length != n))
        return -EPROTO;
    if (n > WIRE_MESSAGE_BYTES_MAX)
        return -EMSGSIZE;
    *length = n;
    *has_length = true;
    return 0;
}

int
wire_frame_parse(struct str bytes, struct str *ret_body, size_t *ret_used)
{
    uint64_t length = 0;
    bool has_length = false;
    size_t at = 0;

    for (;;) {
        struct str rest = str_slice(bytes.p + at, bytes.n - at);
        ssize_t end = str_find_char(rest, '\n');
        if (end < 0) {
            if (bytes.n > WIRE_HEADER_BYTES_MAX)
                return -EMSGSIZE;
            if (rest.n > 0 && rest.p[0] != '\r' && name_length(rest, false) < 0)
                return -EPROTO;
            return WIRE_E_MORE;
        }
        at += (size_t)end + 1;
        if (at > WIRE_HEADER_BYTES_MAX)
            return -EMSGSIZE;
        struct str line = str_slice(rest.p, (size_t)end);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0)
            break;
        ssize_t name = name_length(line, true);
        if (name < 0)
            return -EPROTO;
        if (!eq_ignoring_case(str_slice(line.p, (size_t)name), STR("content-length")))
            continue;
        struct str value = str_slice(line.p + name + 1, line.n - (size_t)name - 1);
        int r = parse_length(value, &length, &has_length);
        if (r < 0)
            return r;
    }
    if (!has_length)
        return -EPROTO;
    if (bytes.n - at < length)
        return WIRE_E_MORE;
    *ret_body = str_slice(bytes.p + at, (size_t)length);
    *ret_used = at + (size_t)length;
    return 0;
}

void
wire_frame_add(struct buf *b, struct str body)
{
    buf_reserve(b, body.n + 40);
    buf_printf(b, "Content-Length: %zu\r\n\r\n", body.n);
    buf_add_str(b, body);
}
