/* Part of test_hub.c: where a body ends. */
#include "hub/body.h"

/* ---- headers ---- */

static void
test_framing(void **state UNUSED)
{
    static const struct {
        const char *encoding, *length;
        int framing; // -1: refused
        uint64_t size_bytes;
    } cases[] = {
        {"", "", BODY_FRAMING_NONE, 0},
        {"", "0", BODY_FRAMING_NONE, 0},
        {"", "5", BODY_FRAMING_LENGTH, 5},
        {"", "00005", BODY_FRAMING_LENGTH, 5},
        {"", "1125899906842624", BODY_FRAMING_LENGTH, UINT64_C(1) << 50},
        {"chunked", "", BODY_FRAMING_CHUNKED, 0},
        {"Chunked", "", BODY_FRAMING_CHUNKED, 0},
        {"chunked", "5", -1, 0},
        {"chunked", "0", -1, 0},
        {"identity", "5", -1, 0},
        {"identity", "", -1, 0},
        {"gzip, chunked", "", -1, 0},
        {"chunked, chunked", "", -1, 0},
        {"chunked,chunked", "", -1, 0},
        {"chunked ", "", -1, 0},
        {"\x0b"
         "chunked",
         "", -1, 0},
        {"xchunked", "", -1, 0},
        {"", "-1", -1, 0},
        {"", "+5", -1, 0},
        {"", "5,5", -1, 0},
        {"", "5, 5", -1, 0},
        {"", "0x5", -1, 0},
        {"", "5 6", -1, 0},
        {"", "5;", -1, 0},
        {"", "1e3", -1, 0},
        {"", "1125899906842625", -1, 0},
        {"", "18446744073709551616", -1, 0},
        {"", "99999999999999999999999999", -1, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct body_frame frame = {.size_bytes = 77};
        int r =
            body_read_framing(str_of(cases[i].encoding), str_of(cases[i].length), &frame);
        if (r != (cases[i].framing < 0 ? -EINVAL : 0) ||
            (r == 0 && ((int)frame.framing != cases[i].framing ||
                        frame.size_bytes != cases[i].size_bytes)))
            fail_msg("\"%s\" \"%s\"", cases[i].encoding, cases[i].length);
    }
}

static void
test_body_types(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum body_type type;
    } cases[] = {
        {"", BODY_TYPE_NONE},
        {"application/json", BODY_TYPE_JSON},
        {"Application/JSON", BODY_TYPE_JSON},
        {"application/json; charset=utf-8", BODY_TYPE_JSON},
        {"application/json;charset=\"UTF-8\"", BODY_TYPE_JSON},
        {"application/json;", BODY_TYPE_JSON},
        {"application/x-ndjson", BODY_TYPE_LINES},
        {"application/x-ndjson ; charset=UTF-8", BODY_TYPE_LINES},
        {"application/json; charset=latin-1", BODY_TYPE_OTHER},
        {"application/json, text/plain", BODY_TYPE_OTHER},
        {"text/plain", BODY_TYPE_OTHER},
        {"text/plain; application/json", BODY_TYPE_OTHER},
        {"application/x-www-form-urlencoded", BODY_TYPE_OTHER},
        {"multipart/form-data; boundary=x", BODY_TYPE_OTHER},
        {";", BODY_TYPE_OTHER},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (body_read_type(str_of(cases[i].text)) != cases[i].type)
            fail_msg("\"%s\"", cases[i].text);
}

/* ---- chunks ---- */

/* Decodes it in pieces of n bytes; -EPROTO, 0 (more is wanted) or BODY_E_END, then what is left of it. */
static int
decode(struct str text, size_t n, struct buf *ret_body, size_t *ret_left)
{
    struct body_decoder decoder = {0};
    int r = 0;
    buf_reset(ret_body);
    while (text.n > 0 && r == 0) {
        struct str part = str_slice(text.p, MIN(n, text.n)), piece;
        size_t before = part.n;
        while (r == 0 && part.n > 0) {
            r = body_decode(&decoder, &part, &piece);
            if (r >= 0)
                buf_add_str(ret_body, piece);
        }
        text = str_slice(text.p + (before - part.n), text.n - (before - part.n));
    }
    *ret_left = text.n;
    return r;
}

static void
test_chunks(void **state UNUSED)
{
    static const struct {
        const char *text, *body;
        int r;
        size_t left;
    } cases[] = {
        {"0\r\n\r\n", "", BODY_E_END, 0},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", BODY_E_END, 0},
        {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", BODY_E_END, 0},
        {"00a\r\n0123456789\r\n000\r\n\r\n", "0123456789", BODY_E_END, 0},
        {"A\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "0123456789", BODY_E_END, 16},
        {"2;a=b;c=\"d e\"\r\nhi\r\n0;last\r\n\r\n", "hi", BODY_E_END, 0},
        {"2 \t\r\nhi\r\n0\r\n\r\n", "hi", BODY_E_END, 0},
        {"2\r\nhi\r\n0\r\nDigest: x\r\nOther:\r\n\r\n", "hi", BODY_E_END, 0},
        {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", BODY_E_END, 0},
        {"5\r\nhel", "hel", 0, 0},
        {"5\r\nhello\r\n0\r\n", "hello", 0, 0},
        {"", "", 0, 0},
        {"\r\n", "", -EPROTO, 0},
        {"g\r\n", "", -EPROTO, 0},
        {" 5\r\nhello\r\n", "", -EPROTO, 0},
        {"-5\r\nhello\r\n", "", -EPROTO, 0},
        {"+5\r\nhello\r\n", "", -EPROTO, 0},
        {"0x5\r\nhello\r\n", "", -EPROTO, 0},
        {";a\r\nhello\r\n", "", -EPROTO, 0},
        {"5\nhello\n0\n\n", "", -EPROTO, 0},
        {"5\rhello", "", -EPROTO, 0},
        {"5\r\nhelloX\r\n0\r\n\r\n", "hello", -EPROTO, 0},
        {"5\r\nhello\n0\r\n\r\n", "hello", -EPROTO, 0},
        {"5;a\nhello\r\n", "", -EPROTO, 0},
        {"5;a\x01\r\nhello\r\n", "", -EPROTO, 0},
        {"0\r\nA: b\nB: c\r\n\r\n", "", -EPROTO, 0},
        {"0\r\n\rX", "", -EPROTO, 0},
        {"4000000000001\r\nx", "", -EPROTO, 0},
        {"ffffffffffffffff\r\nx", "", -EPROTO, 0},
        {"10000000000000005\r\nhello", "", -EPROTO, 0},
    };
    AUTO(buf_finish) struct buf body = {0};
    size_t left;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_of(cases[i].text);
        for (size_t n = 1; n <= text.n + 1; n++) {
            int r = decode(text, n, &body, &left);
            if (r != cases[i].r || !str_eq_c(buf_str(&body), cases[i].body) ||
                (r == BODY_E_END && left != cases[i].left))
                fail_msg("case %zu in pieces of %zu: %d, %zu left", i, n, r, left);
        }
    }
}

/* Framing without content must come to an end. */
static void
test_chunk_limits(void **state UNUSED)
{
    AUTO(buf_finish) struct buf text = {0}, body = {0};
    size_t left;
    for (int i = 0; i < BODY_LINE_BYTES_MAX; i++)
        buf_add_char(&text, '0');
    buf_add_cstr(&text, "\r\n");
    assert_int_equal(decode(buf_str(&text), 7, &body, &left), -EPROTO);

    buf_reset(&text);
    buf_add_cstr(&text, "1;");
    for (int i = 0; i < BODY_LINE_BYTES_MAX; i++)
        buf_add_char(&text, 'a');
    buf_add_cstr(&text, "\r\nx");
    assert_int_equal(decode(buf_str(&text), 7, &body, &left), -EPROTO);

    /* one byte in each chunk, and much around it */
    buf_reset(&text);
    for (int i = 0; i < BODY_EXTENSION_BYTES_MAX / 100 + 2; i++)
        buf_printf(&text, "1;%0100d\r\nx\r\n", 0);
    buf_add_cstr(&text, "0\r\n\r\n");
    assert_int_equal(decode(buf_str(&text), 1000, &body, &left), -EPROTO);

    buf_reset(&text);
    buf_add_cstr(&text, "0\r\n");
    for (int i = 0; i < BODY_TRAILER_BYTES_MAX / 100 + 1; i++)
        buf_printf(&text, "A: %0100d\r\n", 0);
    buf_add_cstr(&text, "\r\n");
    assert_int_equal(decode(buf_str(&text), 1000, &body, &left), -EPROTO);

    /* and many small chunks are no harm */
    buf_reset(&text);
    for (int i = 0; i < 10000; i++)
        buf_add_cstr(&text, "1\r\nx\r\n");
    buf_add_cstr(&text, "0\r\n\r\n");
    assert_int_equal(decode(buf_str(&text), 1000, &body, &left), BODY_E_END);
    assert_int_equal(body.n, 10000);
}
