/* Path globs as fnmatch(3) without flags: '*' and '?' match '/' too, [a-z], [!a], backslash quotes. Our
 * own, because a search asks it of every file: what stands before the first and behind the last
 * star is compared as bytes first. Pure. */
#include "query/names.h"
#include "query/query.h"

/* How long the class at the pattern's beginning is, 0 when it has no end, and whether c is of it. */
static size_t
match_class(struct str p, char c, bool *ret_fits)
{
    size_t i = 1;
    bool is_not = i < p.n && (p.p[i] == '!' || p.p[i] == '^'), is_in = false;
    i += is_not;
    for (size_t first = i; i < p.n && (p.p[i] != ']' || i == first); i++) {
        if (p.p[i] == '\\' && i + 1 < p.n)
            i++;
        unsigned char low = (unsigned char)p.p[i], high = low;
        if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
            high = (unsigned char)p.p[i + 2];
            i += 2;
        }
        is_in |= (unsigned char)c >= low && (unsigned char)c <= high;
    }
    *ret_fits = is_in != is_not;
    return i < p.n ? i + 1 : 0;
}

/* One place of the pattern against c: how much of it was used, 0 when it does not fit. */
static size_t
match_one(struct str p, char c)
{
    if (p.p[0] == '?')
        return 1;
    if (p.p[0] == '\\' && p.n > 1)
        return p.p[1] == c ? 2 : 0;
    if (p.p[0] != '[')
        return p.p[0] == c ? 1 : 0;
    bool fits;
    size_t n = match_class(p, c, &fits);
    if (n == 0) // a plain '['
        return c == '[' ? 1 : 0;
    return fits ? n : 0;
}

static bool
matches(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0;
    while (t < text.n) {
        size_t used = 0;
        if (p < pattern.n && pattern.p[p] == '*') {
            star = ++p;
            star_t = t;
            continue;
        }
        if (p < pattern.n)
            used = match_one(str_slice(pattern.p + p, pattern.n - p), text.p[t]);
        if (used > 0) {
            p += used;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++star_t;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

const char *
query_glob_fault(struct str pattern)
{
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] == '\\') {
            if (++i == pattern.n)
                return "a pattern cannot end in a backslash; write \\\\ for one";
            continue;
        }
        if (pattern.p[i] != '[')
            continue;
        bool fits;
        size_t n = match_class(str_slice(pattern.p + i, pattern.n - i), 'x', &fits);
        if (n == 0)
            return "a [ without its ]; write \\[ for the character itself";
        i += n - 1;
    }
    return NULL;
}

static bool
is_special(char c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

void
glob_init(struct glob *g, struct str pattern)
{
    size_t head = 0, tail = 0;
    while (head < pattern.n && !is_special(pattern.p[head]))
        head++;
    while (tail < pattern.n - head && !is_special(pattern.p[pattern.n - 1 - tail]) &&
           pattern.p[pattern.n - 1 - tail] != ']')
        tail++;
    if (tail + 1 < pattern.n && pattern.p[pattern.n - 1 - tail] == '\\')
        tail = 0;
    *g = (struct glob){.pattern = pattern,
                       .head = str_slice(pattern.p, head),
                       .tail = str_slice(pattern.p + pattern.n - tail, tail)};
}

bool
glob_fits(const struct glob *g, struct str path)
{
    return str_starts_with(path, g->head) && str_ends_with(path, g->tail) &&
           matches(g->pattern, path);
}
