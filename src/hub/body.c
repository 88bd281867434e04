/* Why: where a body ends is where the next request begins, so two readers that count differently are
 * a way in. Invariant: only what RFC 9112 writes is read, by the letter: no bare LF, no sign, no
 * blank before a size, no second framing; and every part that is not body has a limit, or bytes of
 * framing could be sent for ever without one of content. */
#include "hub/body.h"

#include <strings.h>

static bool
is_equal_nocase(struct str s, const char *text)
{
    return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

/* ---- headers ---- */

int
body_read_framing(struct str transfer_encoding, struct str content_length,
                  struct body_frame *ret_frame)
{
    struct body_frame frame = {.framing = BODY_FRAMING_NONE};
    if (transfer_encoding.n > 0) {
        if (content_length.n > 0 || !is_equal_nocase(transfer_encoding, "chunked"))
            return -EINVAL;
        frame.framing = BODY_FRAMING_CHUNKED;
    } else if (content_length.n > 0) {
        for (size_t i = 0; i < content_length.n; i++)
            if (content_length.p[i] < '0' || content_length.p[i] > '9')
                return -EINVAL;
        if (str_to_u64(content_length, &frame.size_bytes) < 0 ||
            frame.size_bytes > BODY_SIZE_BYTES_MAX)
            return -EINVAL;
        if (frame.size_bytes > 0)
            frame.framing = BODY_FRAMING_LENGTH;
    }
    *ret_frame = frame;
    return 0;
}

enum body_type
body_read_type(struct str content_type)
{
    struct str part, type = STR_NONE;
    if (!str_split(&content_type, ';', &type))
        return BODY_TYPE_NONE;
    while (str_split(&content_type, ';', &part)) {
        part = str_trim(part);
        if (part.n > 0 && !is_equal_nocase(part, "charset=utf-8") &&
            !is_equal_nocase(part, "charset=\"utf-8\""))
            return BODY_TYPE_OTHER;
    }
    type = str_trim(type);
    if (is_equal_nocase(type, "application/json"))
        return BODY_TYPE_JSON;
    if (is_equal_nocase(type, "application/x-ndjson"))
        return BODY_TYPE_LINES;
    return BODY_TYPE_OTHER;
}

/* ---- chunks ---- */

static void
begin_size(struct body_decoder *d)
{
    d->at = BODY_AT_SIZE;
    d->left = 0;
    d->n_digits = d->line_bytes = 0;
}

static int
read_size(struct body_decoder *d, char c)
{
    int digit = hex_value(c);
    if (++d->line_bytes > BODY_LINE_BYTES_MAX)
        return -EPROTO;
    if (digit >= 0) {
        d->left = d->left * 16 + (unsigned)digit;
        d->n_digits++;
        return d->left > BODY_SIZE_BYTES_MAX ? -EPROTO : 0;
    }
    if (d->n_digits == 0)
        return -EPROTO;
    if (c == '\r')
        d->at = BODY_AT_SIZE_LF;
    else if (c == ';' || c == ' ' || c == '\t')
        d->at = BODY_AT_EXTENSION;
    else
        return -EPROTO;
    return 0;
}

static bool
is_text(char c)
{
    return c == '\t' || (unsigned char)c >= ' ';
}

static int
read_extension(struct body_decoder *d, char c)
{
    if (++d->line_bytes > BODY_LINE_BYTES_MAX ||
        ++d->extension_bytes > BODY_EXTENSION_BYTES_MAX)
        return -EPROTO;
    if (c == '\r')
        d->at = BODY_AT_SIZE_LF;
    return c == '\r' || is_text(c) ? 0 : -EPROTO;
}

static int
read_trailer(struct body_decoder *d, char c)
{
    bool begins = d->at == BODY_AT_TRAILER;
    if (++d->trailer_bytes > BODY_TRAILER_BYTES_MAX)
        return -EPROTO;
    if (c == '\r')
        d->at = begins ? BODY_AT_LAST_LF : BODY_AT_TRAILER_LF;
    else
        d->at = BODY_AT_TRAILER_REST;
    return c == '\r' || is_text(c) ? 0 : -EPROTO;
}

/* A byte that is no body. */
static int
read_framing(struct body_decoder *d, char c)
{
    switch (d->at) {
    case BODY_AT_SIZE: return read_size(d, c);
    case BODY_AT_EXTENSION: return read_extension(d, c);
    case BODY_AT_SIZE_LF: d->at = d->left > 0 ? BODY_AT_DATA : BODY_AT_TRAILER; break;
    case BODY_AT_DATA_CR: d->at = BODY_AT_DATA_LF; return c == '\r' ? 0 : -EPROTO;
    case BODY_AT_DATA_LF: begin_size(d); break;
    case BODY_AT_TRAILER:
    case BODY_AT_TRAILER_REST: return read_trailer(d, c);
    case BODY_AT_TRAILER_LF: d->at = BODY_AT_TRAILER; break;
    case BODY_AT_LAST_LF: d->at = BODY_AT_END; break;
    case BODY_AT_DATA:
    case BODY_AT_END: return -EPROTO;
    }
    return c == '\n' ? 0 : -EPROTO;
}

int
body_decode(struct body_decoder *d, struct str *bytes, struct str *ret_piece)
{
    *ret_piece = STR_NONE;
    while (d->at != BODY_AT_END && bytes->n > 0) {
        if (d->at == BODY_AT_DATA) {
            size_t n = (size_t)MIN((uint64_t)bytes->n, d->left);
            *ret_piece = str_slice(bytes->p, n);
            *bytes = str_slice(bytes->p + n, bytes->n - n);
            d->left -= n;
            if (d->left == 0)
                d->at = BODY_AT_DATA_CR;
            return 0;
        }
        int r = read_framing(d, bytes->p[0]);
        if (r < 0)
            return r;
        *bytes = str_slice(bytes->p + 1, bytes->n - 1);
    }
    return d->at == BODY_AT_END ? BODY_E_END : 0;
}
