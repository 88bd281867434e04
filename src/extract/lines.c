/* Where lines begin, and for text that is not ASCII a mark every kilobyte with the UTF-16 units
 * before it: a position costs two searches and at most one short count, however long its line. */
#include "extract/lines.h"

#include "base/utf.h"

#define MARK_STRIDE_BYTES 1024

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
        at += utf8_decode(str_slice(l->text.p + at, l->text.n - at), &code_point);
        units += code_point >= 0x10000 ? 2 : 1;
    }
}

void
lines_set_text(struct lines *l, struct str text)
{
    unsigned char line = 0, all = 0; // bits of any byte
    l->text = text;
    l->starts.n = l->marks.n = 0;
    *vec_push(&l->starts) = (struct lines_start){0, true};
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        line |= c;
        if (c == '\n' || (c == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'))) {
            l->starts.v[l->starts.n - 1].is_ascii = line < 0x80;
            *vec_push(&l->starts) = (struct lines_start){(uint32_t)i + 1, true};
            all |= line;
            line = 0;
        }
    }
    l->starts.v[l->starts.n - 1].is_ascii = line < 0x80;
    if ((all | line) >= 0x80)
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
lines_position(const struct lines *l, uint32_t byte)
{
    size_t low = 0, high = l->starts.n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (l->starts.v[mid].byte <= byte)
            low = mid;
        else
            high = mid;
    }
    uint32_t start = l->starts.v[low].byte, col = byte - start;
    return (struct position){
        .line = (uint32_t)low,
        .col_byte = col,
        .col_utf16 = l->starts.v[low].is_ascii
                         ? col
                         : units_before(l, byte) - units_before(l, start),
    };
}
