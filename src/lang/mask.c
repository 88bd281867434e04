/* What a grammar stumbles over is hidden from it: macros that are no part of its language, as the
 * rules of languages.json ("masks") name them. What the parser is given has every byte at its place,
 * only others there, so that a tree of it fits the text as it is. */
#include "lang/lang.h"

#include "registry.h"

#define ARGUMENT_BYTES_MAX 2000 // how far the end of a macro's parentheses is looked for
#define LINE_WORD "^"           // the rule for macros that have a line of their own
#define CONDITION_WORD "#"      // the rule for #if and its like

struct place {
    uint32_t start, end; // of the word
    uint32_t open;       // its parenthesis, and behind the one that closes it; 0: none
    uint32_t close;
};

static bool
is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static uint32_t
skip_blanks(struct str text, uint32_t at)
{
    while (at < text.n && is_blank(text.p[at]))
        at++;
    return at;
}

/* Behind the parenthesis that closes the one at `at`, or 0. */
static uint32_t
closed_at(struct str text, uint32_t at)
{
    uint32_t end = MIN((uint32_t)text.n, at + ARGUMENT_BYTES_MAX), depth = 0;
    for (; at < end; at++) {
        depth += text.p[at] == '(';
        if (text.p[at] == ')' && --depth == 0)
            return at + 1;
    }
    return 0;
}

static struct place
place_of(struct str text, uint32_t start, uint32_t end)
{
    struct place p = {.start = start, .end = end};
    uint32_t open = skip_blanks(text, end);
    if (open < text.n && text.p[open] == '(') {
        p.close = closed_at(text, open);
        p.open = p.close > 0 ? open : 0;
    }
    return p;
}

/* Line ends stay, the rest becomes spaces. */
static void
blank(char *out, uint32_t from, uint32_t to)
{
    for (; from < to; from++)
        if (out[from] != '\n' && out[from] != '\r')
            out[from] = ' ';
}

/* TEXT(2): the word becomes TEXT, of its arguments the second stays; TEXT(*): all of them. A typedef
 * before it goes with it. */
static bool
keep_arguments(char *out, struct str text, struct place p, struct str as)
{
    char which = as.p[as.n - 2];
    struct str word = str_slice(as.p, as.n - 3), typedef_word = STR("typedef");
    uint32_t from = p.open + 1, to = p.close - 1, start = p.start;
    if (p.open == 0)
        return false;
    for (char n = '1'; which != '*' && n <= which; n++) {
        struct str rest = str_slice(text.p + from, p.close - 1 - from);
        ssize_t comma = str_find_char(rest, ',');
        to = comma < 0 ? p.close - 1 : from + (uint32_t)comma;
        if (n == which)
            break;
        if (comma < 0)
            return false;
        from = to + 1;
    }
    uint32_t before = start;
    while (before > 0 && (is_blank(text.p[before - 1]) || text.p[before - 1] == '\n'))
        before--;
    if (before < start && str_ends_with(str_slice(text.p, before), typedef_word))
        start = before - (uint32_t)typedef_word.n;
    if (from - start <= word.n || memchr(text.p + start, '\n', word.n))
        return false;
    blank(out, start, from);
    blank(out, to, p.close);
    memcpy(out + start, word.p, word.n);
    return true;
}

/* In capitals, with nothing else on its lines but arguments and a semicolon, and no body behind. */
static bool
has_own_line(struct str text, struct place p, uint32_t *ret_end)
{
    bool has_bar = false;
    if (p.start > 0 && text.p[p.start - 1] != '\n')
        return false;
    for (uint32_t i = p.start; i < p.end; i++) {
        if (text.p[i] >= 'a' && text.p[i] <= 'z')
            return false;
        has_bar = has_bar || text.p[i] == '_';
    }
    uint32_t end = skip_blanks(text, p.open > 0 ? p.close : p.end);
    if (end < text.n && text.p[end] == ';')
        end = skip_blanks(text, end + 1);
    uint32_t next = end;
    while (next < text.n && (is_blank(text.p[next]) || text.p[next] == '\n'))
        next++;
    *ret_end = end;
    return has_bar && (end == text.n || text.p[end] == '\n') &&
           (next == text.n || !strchr("{},=", text.p[next]));
}

/* A macro that has its line alone becomes a comment: what stands above it still documents what
 * follows. */
static void
comment_line(char *out, struct str text, uint32_t start, uint32_t end)
{
    uint32_t line_end = skip_blanks(text, end);
    bool is_alone = (start == 0 || text.p[start - 1] == '\n') &&
                    (line_end == text.n || text.p[line_end] == '\n');
    if (is_alone && !memchr(text.p + start, '\n', end - start))
        memset(out + start, '/', 2);
}

static bool
apply(const struct grammar_mask *mask, char *out, struct str text, struct place p)
{
    struct str as = str_of(mask->as);
    uint32_t end = p.end;
    if (strcmp(mask->word, LINE_WORD) == 0) {
        if (!has_own_line(text, p, &end))
            return false;
        as = STR_NONE;
    } else if (str_eq_c(as, "()")) {
        if (p.open == 0)
            return false;
        end = p.close;
        as = STR_NONE;
    } else if (as.n > 3 && as.p[as.n - 1] == ')') {
        return keep_arguments(out, text, p, as);
    }
    if (as.n > end - p.start)
        return false;
    blank(out, p.start, end);
    if (as.n > 0)
        memcpy(out + p.start, as.p, as.n);
    else
        comment_line(out, text, p.start, end);
    return true;
}

static bool
is_meant(const struct grammar_mask *mask, struct str word)
{
    const char *of = mask->word;
    if (of[0] == '*')
        return str_ends_with(word, str_of(of + 1));
    return strcmp(of, LINE_WORD) == 0 || str_eq_c(word, of);
}

/* Where a grammar takes no #if: from a line that begins with one of the rule's words to one that begins
 * with the last of them. A word that ends with { holds bodies, in which directives stay. */
struct region {
    struct str begins, end; // as in the rule, and its last word
    bool is_inside, has_bodies, is_comment;
    uint32_t depth; // braces
};

static bool
begins_region(struct region *r, struct str line)
{
    struct str rest = r->begins, word;
    while (str_split(&rest, ' ', &word)) {
        bool has_bodies = word.n > 0 && word.p[word.n - 1] == '{';
        word.n -= has_bodies;
        if (!str_starts_with(line, word) || str_ends_with(str_trim(line), STR(";")))
            continue;
        r->has_bodies = has_bodies;
        r->depth = 0;
        return true;
    }
    return false;
}

static void
count_braces(struct region *r, struct str line)
{
    char quote = '\0';
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i], next = i + 1 < line.n ? line.p[i + 1] : '\0';
        if (r->is_comment) {
            r->is_comment = !(c == '*' && next == '/');
            i += !r->is_comment;
        } else if (quote != '\0') {
            if (c == '\\')
                i++;
            else if (c == quote)
                quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '/' && next == '/') {
            return;
        } else if (c == '/' && next == '*') {
            r->is_comment = true;
            i++;
        } else if (c == '{') {
            r->depth++;
        } else if (c == '}' && r->depth > 0) {
            r->depth--;
        }
    }
}

static bool
is_condition(struct str line)
{
    static const char *const words[] = {"if", "el", "endif"}; // ifdef, else, elif, …
    size_t i = skip_blanks(line, skip_blanks(line, 0) + 1);
    line = str_slice(line.p + i, line.n - i);
    for (size_t w = 0; w < ARRAY_LEN(words); w++)
        if (str_starts_with(line, str_of(words[w])))
            return true;
    return false;
}

/* A line at depth 0 of its own, whatever braces a branch before left open. */
static bool
begins_member(const struct region *r, struct str line)
{
    return r->has_bodies && (line.p[0] == '-' || line.p[0] == '+' || line.p[0] == '}');
}

static struct region
read_region(struct str words)
{
    struct region r = {.is_inside = words.n == 0}; // everywhere
    size_t last = words.n;
    while (last > 0 && words.p[last - 1] != ' ')
        last--;
    if (last > 0) {
        r.begins = str_slice(words.p, last - 1);
        r.end = str_slice(words.p + last, words.n - last);
    }
    return r;
}

static bool
hide_conditions(struct str words, struct str text, struct buf *space, bool is_masked)
{
    struct region region = read_region(words), *r = &region;
    uint32_t start = 0;
    struct str rest = text, line;
    for (; str_split(&rest, '\n', &line); start = (uint32_t)(rest.p - text.p)) {
        uint32_t indent = skip_blanks(line, 0);
        if (indent == line.n)
            continue;
        if (r->end.n > 0) {
            bool is_end = str_starts_with(line, r->end);
            r->is_inside = !is_end && (r->is_inside || begins_region(r, line));
        }
        if (!r->is_inside)
            continue;
        if (!r->is_comment && begins_member(r, line))
            r->depth = 0;
        if (line.p[indent] != '#' || r->is_comment) {
            if (r->end.n > 0)
                count_braces(r, line);
        } else if (r->has_bodies ? r->depth == 0 && is_condition(line)
                                 : r->depth > 0 || is_condition(line)) {
            if (!is_masked)
                buf_add_str(space, text);
            is_masked = true;
            blank(space->p, start, start + (uint32_t)line.n);
        }
    }
    return is_masked;
}

struct str
lang_mask(const struct lang *l, struct str text, struct buf *space)
{
    const struct grammar_mask *masks = l->source->masks;
    bool is_masked = false, has_small = false;
    buf_reset(space);
    if (!masks || text.n > UINT32_MAX - 1)
        return text;
    for (const struct grammar_mask *m = masks; m->word; m++)
        has_small = has_small || (m->word[0] >= 'a' && m->word[0] <= 'z');
    for (uint32_t at = 0, end; at < text.n; at = MAX(end, at + 1)) {
        for (end = at; end < text.n && is_word_byte(text.p[end]); end++)
            ;
        if (end - at < LANG_MASK_BYTES_MIN ||
            (!has_small && (text.p[at] < 'A' || text.p[at] > 'Z')))
            continue;
        struct str word = str_slice(text.p + at, end - at);
        for (const struct grammar_mask *m = masks; m->word; m++) {
            if (!is_meant(m, word))
                continue;
            if (!is_masked)
                buf_add_str(space, text);
            is_masked = true;
            if (apply(m, space->p, text, place_of(text, at, end)))
                break;
        }
    }
    for (const struct grammar_mask *m = masks; m->word; m++)
        if (strcmp(m->word, CONDITION_WORD) == 0)
            is_masked = hide_conditions(str_of(m->as), text, space, is_masked);
    return is_masked ? buf_str(space) : text;
}
