/* What a word is, to the text indexes and to the walk over what waits to get into them, so that both give
 * the same answers: letters and digits make words, case does not count, for Latin, Greek and
 * Cyrillic. Marks between letters are part of a word. */
#include "store/words.h"

#include "base/hash.h"
#include "base/utf.h"

#define FEW_WORDS 20 // a word among so many others counts half

static bool
is_ascii_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Marks, signs and spaces outside of ASCII and Latin-1 that stand between words. */
static bool
is_between(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x2C2, 0x2C5},   {0x2D2, 0x2DF},     {0x37E, 0x37E},     {0x387, 0x387},
        {0x55A, 0x55F},   {0x589, 0x58A},     {0x5BE, 0x5BE},     {0x5C0, 0x5C0},
        {0x5C3, 0x5C3},   {0x5F3, 0x5F4},     {0x606, 0x60F},     {0x61B, 0x61F},
        {0x66A, 0x66D},   {0x6D4, 0x6D4},     {0x964, 0x965},     {0xE3F, 0xE3F},
        {0xE5A, 0xE5B},   {0x2000, 0x206F},   {0x207A, 0x207E},   {0x208A, 0x208E},
        {0x20A0, 0x20CF}, {0x2100, 0x2101},   {0x2103, 0x2106},   {0x2108, 0x2109},
        {0x2114, 0x2114}, {0x2116, 0x2118},   {0x211E, 0x2123},   {0x2140, 0x2144},
        {0x2190, 0x245F}, {0x249C, 0x24E9},   {0x2500, 0x2775},   {0x2794, 0x2BFF},
        {0x2E00, 0x2E2E}, {0x2E30, 0x2E7F},   {0x3000, 0x3004},   {0x3008, 0x3020},
        {0x3030, 0x3030}, {0x303D, 0x303D},   {0x309B, 0x309C},   {0x30A0, 0x30A0},
        {0x30FB, 0x30FB}, {0xE000, 0xF8FF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6B},
        {0xFF01, 0xFF0F}, {0xFF1A, 0xFF20},   {0xFF3B, 0xFF40},   {0xFF5B, 0xFF65},
        {0xFFE0, 0xFFFD}, {0x1F000, 0x1F0FF}, {0x1F10D, 0x1FAFF},
    };
    size_t low = 0, high = ARRAY_LEN(ranges);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ARRAY_LEN(ranges) && c >= ranges[low].first;
}

static bool
is_word(uint32_t c)
{
    if (c < 0x80)
        return is_ascii_word(c);
    if (c < 0xC0)
        return c == 0xAA || c == 0xB5 || c == 0xBA || c == 0xB2 || c == 0xB3 ||
               c == 0xB9 || (c >= 0xBC && c <= 0xBE);
    return c != 0xD7 && c != 0xF7 && !is_between(c);
}

/* Capitals that lie before their small letters, one after the other. */
static bool
is_before_small(uint32_t c)
{
    return (c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) ||
           (c >= 0x14A && c <= 0x177) || (c >= 0x1DE && c <= 0x1EE) ||
           (c >= 0x1F8 && c <= 0x21F) || (c >= 0x222 && c <= 0x233) ||
           (c >= 0x246 && c <= 0x24F) || (c >= 0x3D8 && c <= 0x3EF) ||
           (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) ||
           (c >= 0x4D0 && c <= 0x527);
}

/* The same, but the capitals are odd. */
static bool
is_odd_before_small(uint32_t c)
{
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E) ||
           (c >= 0x1CD && c <= 0x1DC) || (c >= 0x4C1 && c <= 0x4CE);
}

/* Latin letters whose small ones lie elsewhere. */
static uint32_t
fold_far(uint32_t c)
{
    static const uint16_t pairs[][2] = {
        {0x181, 0x253}, {0x182, 0x183}, {0x184, 0x185}, {0x186, 0x254}, {0x187, 0x188},
        {0x189, 0x256}, {0x18A, 0x257}, {0x18B, 0x18C}, {0x18E, 0x1DD}, {0x18F, 0x259},
        {0x190, 0x25B}, {0x191, 0x192}, {0x193, 0x260}, {0x194, 0x263}, {0x196, 0x269},
        {0x197, 0x268}, {0x198, 0x199}, {0x19C, 0x26F}, {0x19D, 0x272}, {0x19F, 0x275},
        {0x1A0, 0x1A1}, {0x1A2, 0x1A3}, {0x1A4, 0x1A5}, {0x1A6, 0x280}, {0x1A7, 0x1A8},
        {0x1A9, 0x283}, {0x1AC, 0x1AD}, {0x1AE, 0x288}, {0x1AF, 0x1B0}, {0x1B1, 0x28A},
        {0x1B2, 0x28B}, {0x1B3, 0x1B4}, {0x1B5, 0x1B6}, {0x1B7, 0x292}, {0x1B8, 0x1B9},
        {0x1BC, 0x1BD}, {0x1C4, 0x1C6}, {0x1C5, 0x1C6}, {0x1C7, 0x1C9}, {0x1C8, 0x1C9},
        {0x1CA, 0x1CC}, {0x1CB, 0x1CC}, {0x1F1, 0x1F3}, {0x1F2, 0x1F3}, {0x1F4, 0x1F5},
        {0x1F6, 0x195}, {0x1F7, 0x1BF}, {0x220, 0x19E}, {0x23B, 0x23C}, {0x23D, 0x19A},
        {0x241, 0x242}, {0x243, 0x180}, {0x244, 0x289}, {0x245, 0x28C},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (pairs[i][0] == c)
            return pairs[i][1];
    return c;
}

static uint32_t
fold_greek(uint32_t c)
{
    if (c == 0x386)
        return 0x3AC;
    if (c >= 0x388 && c <= 0x38A)
        return c + 37;
    if (c == 0x38C)
        return 0x3CC;
    if (c == 0x38E || c == 0x38F)
        return c + 63;
    return c >= 0x391 && c <= 0x3AB ? c + 32 : c;
}

static uint32_t
fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0x386 && c <= 0x3AB)
        return fold_greek(c);
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    if (c == 0x178)
        return 0xFF;
    if (c == 0x4C0)
        return 0x4CF;
    if (is_before_small(c))
        return c | 1;
    if (is_odd_before_small(c))
        return c + (c & 1);
    return c >= 0x180 && c <= 0x24F ? fold_far(c) : c;
}

bool
words_next(struct str *rest, struct str *ret_word)
{
    struct str s = *rest;
    size_t at = 0, begin = 0;
    bool is_in = false;
    while (at < s.n) {
        uint32_t c = 0;
        size_t n = utf8_decode(str_slice(s.p + at, s.n - at), &c);
        if (is_word(c) && !is_in) {
            is_in = true;
            begin = at;
        } else if (!is_word(c) && is_in) {
            break;
        }
        at += n;
    }
    *ret_word = is_in ? str_slice(s.p + begin, at - begin) : STR_NONE;
    *rest = str_slice(s.p + at, s.n - at);
    return is_in;
}

static void
add_utf8(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(b, (char)c);
    } else { // what is folded is Latin-1, Greek or Cyrillic: two bytes
        buf_add_char(b, (char)(0xC0 | c >> 6));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    }
}

void
words_fold(struct buf *b, struct str word)
{
    while (word.n > 0) {
        uint32_t c = 0;
        size_t n = utf8_decode(word, &c);
        if (fold(c) != c)
            add_utf8(b, fold(c));
        else
            buf_add(b, word.p, n);
        word = str_slice(word.p + n, word.n - n);
    }
}

static bool
begins_with(struct str s, struct str word)
{
    bool is_whole = word.n < 2; // one letter stands for itself
    while (word.n > 0) {
        uint32_t a = 0, b = 0;
        size_t n = utf8_decode(s, &a), m = utf8_decode(word, &b);
        if (n == 0 || fold(a) != fold(b))
            return false;
        s = str_slice(s.p + n, s.n - n);
        word = str_slice(word.p + m, word.n - m);
    }
    return !is_whole || s.n == 0;
}

/* Has the text a word that begins with this one (of words_next())? 0 for no; at most 1, more for the whole
 * word and a short text. */
static double
text_score(struct str text, struct str word)
{
    struct str has;
    double best = 0, n = 0;
    for (; words_next(&text, &has); n++) {
        if (best < 1 && begins_with(has, word))
            best = has.n == word.n ? 1 : 0.8;
    }
    return best * FEW_WORDS / (FEW_WORDS + n);
}

void
words_ident(char mark, struct str name, char ret_ident[IDENT_BYTES])
{
    snprintf(ret_ident, IDENT_BYTES, "%c%08" PRIx32, mark, (uint32_t)hash64(name));
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Behind the whole, the parts of words such as runLoop and HTTPServer. '_' and '.' cut words anyway. */
void
words_of_name(struct buf *b, struct str name)
{
    size_t begin = 0;
    buf_add_str(b, name);
    for (size_t i = 1; i < name.n; i++) {
        bool is_hump =
            is_upper(name.p[i]) &&
            (is_lower(name.p[i - 1]) ||
             (is_upper(name.p[i - 1]) && i + 1 < name.n && is_lower(name.p[i + 1])));
        if (!is_hump)
            continue;
        buf_add_char(b, ' ');
        buf_add(b, name.p + begin, i - begin);
        begin = i;
    }
    if (begin > 0) {
        buf_add_char(b, ' ');
        buf_add(b, name.p + begin, name.n - begin);
    }
}

void
words_cut(struct str query, struct words *words)
{
    words->n = 0;
    while (words->n < QUERY_WORDS_MAX && words_next(&query, &words->v[words->n]))
        words->n++;
}

double
words_score(const struct words *words, const struct entity_stored *s, struct buf *name)
{
    double score = 0;
    buf_reset(name);
    words_of_name(name, s->e.qualified_name);
    const struct {
        struct str text;
        double weight;
    } columns[] = {
        {buf_str(name), WEIGHT_NAME},
        {s->e.signature, WEIGHT_SIGNATURE},
        {s->e.doc, WEIGHT_DOC},
        {s->markdown, WEIGHT_HOVER},
    };
    for (size_t i = 0; i < words->n; i++) {
        double best = 0;
        for (size_t k = 0; k < ARRAY_LEN(columns) && best < columns[k].weight; k++) {
            double is = text_score(columns[k].text, words->v[i]);
            best = MAX(best, is * columns[k].weight);
        }
        if (best == 0)
            return 0;
        score += best;
    }
    return score;
}
