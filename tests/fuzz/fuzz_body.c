/* CUT '\n' LENGTH '\n' ENCODING '\n' TYPE '\n' BODY: what the headers of a request say of its body, and a body
 * in chunks, decoded at once and cut anywhere: both must come to the same. */
#include "fuzz.h"
#include "hub/body.h"

void
fuzz_init(void)
{
}

/* Decodes pieces of n bytes; ret_taken: up to the end, when there is one. */
static int
decode(struct str text, size_t n, struct buf *body, size_t *ret_taken)
{
    struct body_decoder decoder = {0};
    struct str rest = text;
    int r = 0;
    while (rest.n > 0 && r == 0) {
        struct str part = str_slice(rest.p, MIN(n, rest.n)), whole = part, piece;
        while (r == 0 && part.n > 0) {
            r = body_decode(&decoder, &part, &piece);
            fuzz_check_view(part, whole);
            if (r < 0)
                break;
            fuzz_check_view(piece, whole);
            fuzz_check(r == 0 || r == BODY_E_END);
            fuzz_check(piece.n > 0 || part.n == 0 || r == BODY_E_END);
            buf_add_str(body, piece);
        }
        size_t taken = whole.n - part.n;
        rest = str_slice(rest.p + taken, rest.n - taken);
    }
    *ret_taken = text.n - rest.n;
    return r;
}

void
fuzz_one(struct str input)
{
    AUTO(buf_finish) struct buf at_once = {0}, in_parts = {0};
    struct body_frame frame = {0};
    size_t taken_at_once, taken_in_parts;
    struct str cut = fuzz_part(&input, '\n');
    struct str length = fuzz_part(&input, '\n'), encoding = fuzz_part(&input, '\n');
    struct str type = fuzz_part(&input, '\n');
    if (body_read_framing(encoding, length, &frame) == 0) {
        fuzz_check(frame.size_bytes <= BODY_SIZE_BYTES_MAX);
        fuzz_check((frame.framing == BODY_FRAMING_LENGTH) == (frame.size_bytes > 0));
        fuzz_check(frame.framing != BODY_FRAMING_CHUNKED || length.n == 0);
    }
    fuzz_check((body_read_type(type) == BODY_TYPE_NONE) == (type.n == 0));

    size_t n = cut.n > 0 ? (unsigned char)cut.p[0] % 16 + 1 : 1;
    int r = decode(input, SIZE_MAX, &at_once, &taken_at_once);
    fuzz_check(decode(input, n, &in_parts, &taken_in_parts) == r);
    if (r == BODY_E_END)
        fuzz_check(taken_at_once == taken_in_parts);
    fuzz_check(str_eq(buf_str(&at_once), buf_str(&in_parts)));
    fuzz_check(at_once.n <= input.n);
}
