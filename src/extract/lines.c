/* Where lines begin, and for text that is not ASCII a mark every kilobyte with the UTF-16 units
 * before it: a position costs two searches and at most one short count, however long its line. */
#include "extract/lines.h"

#include "base/utf.h"

#define MARK_STRIDE_BYTES 1024
#define NEAR_LINES 8

static void
set_marks(struct lines *l)
{
    uint32_t units = 0, next = 0, code_point;
    size_t at = 0;
    while (at < l->text.n) {
        if (at >= next) {
            *vec_push(&l->marks) = (struct lines_mark){(uint32_t)at, units};
            next = (uint32_t)at + MARK_STRIDE_BYTES;
        }
        if ((unsigned char)l->text.p[at] < 0x80) {
            at++;
            units++;
            continue;
        }
        at += utf8_decode(str_slice(l->text.p + at, l->text.n - at), &code_point);
        units += code_point >= 0x10000 ? 2 : 1;
    }
}

static bool
is_ascii(const char *p, size_t n)
{
    uint64_t bits = 0, words[4];
    for (; n >= sizeof(words); p += sizeof(words), n -= sizeof(words)) {
        memcpy(words, p, sizeof(words));
        bits |= words[0] | words[1] | words[2] | words[3];
    }
    for (; n > 0; n--)
        bits |= (unsigned char)*p++;
    return (bits & 0x8080808080808080u) == 0;
}

/* The begin of the next line, or the text's end; *ret_is_end: there is none. */
static size_t
next_line(struct str text, size_t at, bool has_returns, bool *ret_is_end)
{
    const char *end = memchr(text.p + at, '\n', text.n - at);
    size_t stop = end ? (size_t)(end - text.p) : text.n;
    const char *back = has_returns ? memchr(text.p + at, '\r', stop - at) : NULL;
    *ret_is_end = !end && !back;
    if (back && back + 1 != end)
        return (size_t)(back - text.p) + 1;
    return end ? stop + 1 : text.n;
}

void
lines_set_text(struct lines *l, struct str text)
{
    bool has_returns = text.n > 0 && memchr(text.p, '\r', text.n) != NULL;
    bool is_all_ascii = is_ascii(text.p, text.n), is_end = text.n == 0;
    size_t at = 0;
    l->text = text;
    l->starts.n = l->marks.n = l->last = 0;
    *vec_push(&l->starts) = (struct lines_start){0, true};
    while (!is_end) {
        size_t next = next_line(text, at, has_returns, &is_end);
        if (!is_all_ascii)
            l->starts.v[l->starts.n - 1].is_ascii = is_ascii(text.p + at, next - at);
        if (!is_end)
            *vec_push(&l->starts) = (struct lines_start){(uint32_t)next, true};
        is_end = is_end || next == text.n;
        at = next;
    }
    if (!is_all_ascii)
        set_marks(l);
}

void
lines_finish(struct lines *l)
{
    vec_finish(&l->starts);
    vec_finish(&l->marks);
}

static uint32_t
units_before(const struct lines *l, uint32_t byte)
{
    size_t low = 0, high = l->marks.n; // the last mark at or before `byte`
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (l->marks.v[mid].byte <= byte)
            low = mid;
        else
            high = mid;
    }
    const struct lines_mark *m = &l->marks.v[low];
    return m->units +
           (uint32_t)utf8_utf16_len(str_slice(l->text.p + m->byte, byte - m->byte));
}

struct position
lines_position(struct lines *l, uint32_t byte)
{
    size_t low = 0, high = l->starts.n;
    if (l->starts.v[l->last].byte <= byte)
        low = l->last;
    if (low + NEAR_LINES < high && l->starts.v[low + NEAR_LINES].byte > byte)
        high = low + NEAR_LINES;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (l->starts.v[mid].byte <= byte)
            low = mid;
        else
            high = mid;
    }
    l->last = low;
    uint32_t start = l->starts.v[low].byte, col = byte - start;
    return (struct position){
        .line = (uint32_t)low,
        .col_byte = col,
        .col_utf16 = l->starts.v[low].is_ascii
                         ? col
                         : units_before(l, byte) - units_before(l, start),
    };
}
