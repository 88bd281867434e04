/* What of a row's text matched: a line of its doc, hover or signature, with ** around the matches. The
 * index finds rows by words; phrases in quotes are looked for here, among the rows that have their
 * words. Any text is a query: a quote without its partner is a blank. */
#include "query/internal.h"

#define LEAD_BYTES 40 // shown in front of the first match

static bool
is_word_byte(char c)
{
    unsigned char u = (unsigned char)c;
    return (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') ||
           u >= 0x80;
}

/* The next word of *rest; false when there is none. */
static bool
next_word(struct str *rest, struct str *ret_word)
{
    size_t from = 0;
    while (from < rest->n && !is_word_byte(rest->p[from]))
        from++;
    size_t to = from;
    while (to < rest->n && is_word_byte(rest->p[to]))
        to++;
    *ret_word = str_slice(rest->p + from, to - from);
    *rest = str_slice(rest->p + to, rest->n - to);
    return to > from;
}

static void
add_term(struct text_terms *t, struct str term)
{
    if (t->n < SNIPPET_TERMS_MAX)
        t->all[t->n++] = term;
}

static void
add_words(struct text_terms *t, struct str text)
{
    struct str word;
    while (next_word(&text, &word))
        add_term(t, word);
}

static size_t
count_words(struct str text)
{
    struct str word;
    size_t n = 0;
    while (next_word(&text, &word))
        n++;
    return n;
}

void
text_terms_init(struct text_terms *t, struct str query)
{
    *t = (struct text_terms){.n = 0};
    while (query.n > 0) {
        ssize_t open = str_find_char(query, '"');
        struct str rest = str_slice(query.p + open + 1, query.n - (size_t)open - 1);
        ssize_t close = open < 0 ? -1 : str_find_char(rest, '"');
        if (close < 0) {
            add_words(t, query);
            return;
        }
        struct str phrase = str_slice(rest.p, (size_t)close);
        add_words(t, str_slice(query.p, (size_t)open));
        if (count_words(phrase) > 1) {
            add_term(t, phrase);
            t->has_phrase = true;
        } else {
            add_words(t, phrase);
        }
        query = str_slice(rest.p + close + 1, rest.n - (size_t)close - 1);
    }
}

static bool
begins(struct str text, struct str word, bool is_whole)
{
    if (text.n < word.n)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        if (fuzzy_fold(text.p[i]) != fuzzy_fold(word.p[i]))
            return false;
    }
    return !is_whole || text.n == word.n;
}

/* The words of `term` one behind the other from the start of `text` on; the last may go on, as may a
 * single one of more than a letter. Returns the length of what matched, 0: no. */
static size_t
match_here(struct str text, struct str term)
{
    struct str rest = text, word, wanted, next;
    bool has_more = next_word(&term, &wanted);
    while (has_more) {
        has_more = next_word(&term, &next);
        if (!next_word(&rest, &word) || !begins(word, wanted, has_more || wanted.n == 1))
            return 0;
        wanted = next;
    }
    return (size_t)(rest.p - text.p);
}

/* The first place at or behind `from` where a term stands. */
static bool
find_term(struct str text, size_t from, struct str term, size_t *ret_at, size_t *ret_n)
{
    struct str rest = str_slice(text.p + from, text.n - from), word;
    while (next_word(&rest, &word)) {
        size_t at = (size_t)(word.p - text.p);
        size_t n = match_here(str_slice(word.p, text.n - at), term);
        if (n > 0) {
            *ret_at = at;
            *ret_n = n;
            return true;
        }
    }
    return false;
}

static bool
find_any(const struct text_terms *t, struct str text, size_t from, size_t *ret_at,
         size_t *ret_n)
{
    bool has = false;
    for (size_t i = 0; i < t->n; i++) {
        size_t at = 0, n = 0;
        if (!find_term(text, from, t->all[i], &at, &n) || (has && at >= *ret_at))
            continue;
        *ret_at = at;
        *ret_n = n;
        has = true;
    }
    return has;
}

static size_t
fields_of(const struct entity_row *row, struct str ret_fields[4])
{
    ret_fields[0] = row->e.doc;
    ret_fields[1] = row->hover.markdown;
    ret_fields[2] = row->e.signature;
    ret_fields[3] = row->e.qualified_name;
    return 4;
}

bool
text_has_phrases(const struct text_terms *t, const struct entity_row *row)
{
    struct str fields[4];
    size_t n_fields = fields_of(row, fields), at, length;
    for (size_t i = 0; i < t->n; i++) {
        bool has = count_words(t->all[i]) < 2;
        for (size_t k = 0; k < n_fields && !has; k++)
            has = find_term(fields[k], 0, t->all[i], &at, &length);
        if (!has)
            return false;
    }
    return true;
}

/* Views on bytes that are no whole letter are moved inwards. */
static bool
is_inside_letter(struct str text, size_t at)
{
    return at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80;
}

static void
add_line(struct buf *b, struct str text, size_t from, size_t to)
{
    for (; from < to; from++) {
        bool is_blank = (unsigned char)text.p[from] <= ' ';
        if (!is_blank)
            buf_add_char(b, text.p[from]);
        else if (b->n > 0 && b->p[b->n - 1] != ' ')
            buf_add_char(b, ' ');
    }
}

static void
mark(const struct text_terms *t, struct str text, size_t first, struct buf *b)
{
    size_t from = first > LEAD_BYTES ? first - LEAD_BYTES : 0;
    size_t end = MIN(text.n, from + SNIPPET_BYTES_MAX), at, n;
    while (is_inside_letter(text, from))
        from++;
    while (is_inside_letter(text, end))
        end--;
    for (size_t i = from; from > 0 && i < first; i++) {
        if (text.p[i] == ' ' || text.p[i] == '\n') {
            from = i + 1; // a whole word
            break;
        }
    }
    if (from > 0)
        buf_add_cstr(b, "… ");
    while (find_any(t, text, from, &at, &n) && at + n <= end) {
        add_line(b, text, from, at);
        buf_add_cstr(b, "**");
        add_line(b, text, at, at + n);
        buf_add_cstr(b, "**");
        from = at + n;
    }
    add_line(b, text, from, end);
    if (end < text.n)
        buf_add_cstr(b, " …");
}

struct str
text_snippet(const struct text_terms *t, const struct entity_row *row, struct arena *a)
{
    AUTO(buf_finish) struct buf b = {0};
    struct str fields[4], best = STR_NONE;
    size_t first = 0, most = 0, at, length;
    (void)fields_of(row, fields);
    for (size_t k = 0; k < 3; k++) { // the name stands in the row anyway
        size_t n = 0;
        for (size_t i = 0; i < t->n; i++)
            n += find_term(fields[k], 0, t->all[i], &at, &length);
        if (n > most && find_any(t, fields[k], 0, &first, &length)) {
            most = n;
            best = fields[k];
        }
    }
    if (most == 0)
        return STR_NONE;
    find_any(t, best, 0, &first, &length);
    mark(t, best, first, &b);
    return arena_str(a, buf_str(&b));
}
