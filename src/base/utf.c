/* Columns in three encodings. It exists because tree-sitter counts bytes, LSP counts
 * UTF-16 units by default and files are not always UTF-8. Invariant: every byte
 * belongs to exactly one sequence, so offsets and columns agree in both directions
 * whatever the bytes are. */
#include "base/utf.h"

#define REPLACEMENT 0xFFFDu

static bool
is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Length of the well-formed sequence at s and its code point; 0 when it is not one:
 * overlong, a surrogate, above U+10FFFF, cut off, or no lead byte. */
static size_t
decode_multibyte(struct str s, uint32_t *ret_code_point)
{
    unsigned char lead = (unsigned char)s.p[0];
    size_t n;
    uint32_t cp, min;

    if (lead >= 0xC2 && lead <= 0xDF) {
        n = 2, cp = lead & 0x1Fu, min = 0x80;
    } else if ((lead & 0xF0) == 0xE0) {
        n = 3, cp = lead & 0x0Fu, min = 0x800;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        n = 4, cp = lead & 0x07u, min = 0x10000;
    } else {
        return 0;
    }
    if (s.n < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(s.p[i]))
            return 0;
        cp = cp << 6 | ((unsigned char)s.p[i] & 0x3Fu);
    }
    if (cp < min || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        return 0;
    *ret_code_point = cp;
    return n;
}

size_t
utf8_decode(struct str s, uint32_t *ret_code_point)
{
    if (s.n == 0)
        return 0;
    if ((unsigned char)s.p[0] < 0x80) {
        *ret_code_point = (unsigned char)s.p[0];
        return 1;
    }
    size_t n = decode_multibyte(s, ret_code_point);
    if (n)
        return n;
    *ret_code_point = REPLACEMENT;
    return 1;
}

/* Cut one sequence off *s: its length, 0 at the end. */
static size_t
next_sequence(struct str *s)
{
    uint32_t cp;
    size_t n = utf8_decode(*s, &cp);
    if (n)
        *s = str_slice(s->p + n, s->n - n);
    return n;
}

/* A pair is needed for what takes four bytes, and for nothing else. */
static size_t
units_of_sequence(size_t n_bytes)
{
    return n_bytes == 4 ? 2 : 1;
}

/* Bytes at the start of s that are valid. */
static size_t
valid_prefix(struct str s)
{
    size_t at = 0;
    while (at < s.n) {
        uint32_t cp;
        uint64_t word;
        if (s.n - at >= sizeof(word)) {
            memcpy(&word, s.p + at, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        size_t n = utf8_decode(str_slice(s.p + at, s.n - at), &cp);
        if (n == 1 && cp == REPLACEMENT)
            break;
        at += n;
    }
    return at;
}

bool
utf8_is_valid(struct str s)
{
    return valid_prefix(s) == s.n;
}

size_t
utf8_utf16_len(struct str s)
{
    size_t units = 0, n;
    while ((n = next_sequence(&s)))
        units += units_of_sequence(n);
    return units;
}

size_t
utf8_utf32_len(struct str s)
{
    size_t points = 0;
    while (next_sequence(&s))
        points++;
    return points;
}

size_t
utf8_offset_of_utf16(struct str line, size_t col_utf16)
{
    size_t offset = 0, n;
    while (col_utf16 && (n = next_sequence(&line))) {
        size_t units = units_of_sequence(n);
        if (units > col_utf16)
            break;
        col_utf16 -= units;
        offset += n;
    }
    return offset;
}

size_t
utf8_offset_of_utf32(struct str line, size_t col_utf32)
{
    size_t offset = 0, n;
    for (; col_utf32 && (n = next_sequence(&line)); col_utf32--)
        offset += n;
    return offset;
}

void
utf8_add_valid(struct buf *b, struct str s)
{
    buf_reserve(b, s.n);
    while (s.n) {
        size_t n = valid_prefix(s);
        buf_add(b, s.p, n);
        if (n < s.n) {
            buf_add_str(b, STR("\xEF\xBF\xBD"));
            n++;
        }
        s = str_slice(s.p + n, s.n - n);
    }
}
