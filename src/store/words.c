/* What a word is. The text index cuts by SQLite's unicode61; a file that waits to get into it is
 * searched here, and must give the same answers, so this cuts and folds alike: letters and digits
 * make words, case does not count, for ASCII, Latin-1, Greek and Cyrillic. */
#include "store/words.h"

#include "base/hash.h"
#include "base/utf.h"

#define FEW_WORDS 20 // a word among so many others counts half

static bool
is_ascii_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(uint32_t c)
{
    if (c < 0x80)
        return is_ascii_word(c);
    if (c < 0xC0)
        return c == 0xAA || c == 0xB5 || c == 0xBA || c == 0xB2 || c == 0xB3 ||
               c == 0xB9 || (c >= 0xBC && c <= 0xBE);
    if (c == 0xD7 || c == 0xF7 || c == 0xFFFD)
        return false;
    return !((c >= 0x2000 && c <= 0x206F) || (c >= 0x20A0 && c <= 0x20CF) ||
             (c >= 0x2190 && c <= 0x245F) || (c >= 0x2500 && c <= 0x2775) ||
             (c >= 0x2794 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3004) ||
             (c >= 0x3008 && c <= 0x3020) || (c >= 0xE000 && c <= 0xF8FF) ||
             (c >= 0xFF01 && c <= 0xFF0F) || (c >= 0x1F000 && c <= 0x1FAFF));
}

static uint32_t
fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    return c;
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
