/* One pattern against one path, as gitignore(5) has it. It exists because fnmatch(3)
 * knows no "**" and may take exponential time.
 * Invariant: only the last "*" and the last "**" are ever taken back. That is enough:
 * what follows a "*" is best matched as early as possible, since a later star can take
 * up the rest, and a "*" never crosses a slash. So a match costs at most pattern × path
 * per "**", whatever the pattern. */
#include <ctype.h>

#include "scan/rules.h"

enum one { ONE_MISS, ONE_HIT, ONE_BAD };

static const struct {
    const char *name;
    int (*is_member)(int c);
} classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* p is behind "[:". True with *ret_end behind ":]" when this is a class at all. */
static bool
find_class_end(const char *p, const char **ret_end)
{
    const char *bracket = strchr(p, ']');
    if (!bracket || bracket == p || bracket[-1] != ':')
        return false;
    *ret_end = bracket + 1;
    return true;
}

static enum one
match_named_class(const char *name, size_t n, unsigned char c)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0)
            return c < 0x80 && classes[i].is_member(c) ? ONE_HIT : ONE_MISS;
    return ONE_BAD;
}

/* The member at p, perhaps escaped; 0 when the pattern ends. */
static unsigned char
take_member(const char **p)
{
    if (**p == '\\')
        (*p)++;
    unsigned char c = (unsigned char)**p;
    if (c)
        (*p)++;
    return c;
}

/* *pattern is behind "["; on ONE_HIT and ONE_MISS it is left behind the "]". */
static enum one
match_set(const char **pattern, unsigned char c)
{
    const char *p = *pattern;
    bool is_negated = *p == '!' || *p == '^';
    bool is_hit = false;
    if (is_negated)
        p++;
    const char *first = p;
    unsigned char low = 0; // what a range may start from
    while (*p != ']' || p == first) {
        const char *end;
        if (p[0] == '[' && p[1] == ':' && !strchr(p + 2, ']'))
            return ONE_BAD;
        if (p[0] == '[' && p[1] == ':' && find_class_end(p + 2, &end)) {
            enum one r = match_named_class(p + 2, (size_t)(end - p) - 4, c);
            if (r == ONE_BAD)
                return r;
            is_hit |= r == ONE_HIT;
            p = end;
            low = 0;
        } else if (*p == '-' && low && p[1] && p[1] != ']') {
            p++;
            unsigned char high = take_member(&p);
            if (!high)
                return ONE_BAD;
            is_hit |= low <= c && c <= high;
            low = 0;
        } else {
            low = take_member(&p);
            if (!low)
                return ONE_BAD;
            is_hit |= low == c;
        }
    }
    *pattern = p + 1;
    return is_hit != is_negated && c != '/' ? ONE_HIT : ONE_MISS;
}

/* One element that is not a star. */
static enum one
match_one(const char **pattern, unsigned char c)
{
    const char *p = (*pattern)++;
    switch (*p) {
    case '?': return c != '/' ? ONE_HIT : ONE_MISS;
    case '[': return match_set(pattern, c);
    case '\\':
        if (!p[1])
            return ONE_BAD;
        (*pattern)++;
        return (unsigned char)p[1] == c ? ONE_HIT : ONE_MISS;
    default: return (unsigned char)*p == c ? ONE_HIT : ONE_MISS;
    }
}

bool
glob_matches(const char *pattern, struct str text)
{
    const char *p = pattern, *t = text.p, *end = text.p + text.n;
    const char *star_p = NULL, *star_t = NULL; // behind the last "*", where it ends
    const char *deep_p = NULL, *deep_t = NULL; // behind the last "**" and its slash

    for (;;) {
        if (*p == '*') {
            const char *run = p;
            bool is_at_start = p == pattern || p[-1] == '/';
            while (*p == '*')
                p++;
            bool is_deep = p - run >= 2 && is_at_start;
            if (is_deep && !*p)
                return true;
            if (is_deep && *p == '/') {
                deep_p = ++p;
                deep_t = t;
                star_p = NULL;
                continue;
            }
            if (is_deep && p[0] == '\\' && p[1] == '/') {
                /* An escaped slash has to be there: at least one folder. */
                deep_p = p + 2;
                deep_t = t;
                star_p = NULL;
            } else {
                star_p = p;
                star_t = t;
                continue;
            }
        } else if (t == end && !*p) {
            return true;
        } else if (t < end && *p) {
            enum one r = match_one(&p, (unsigned char)*t);
            if (r == ONE_BAD)
                return false;
            if (r == ONE_HIT) {
                t++;
                continue;
            }
        }

        if (star_p && star_t < end && *star_t != '/') {
            p = star_p;
            t = ++star_t;
            continue;
        }
        const char *slash = deep_p ? memchr(deep_t, '/', (size_t)(end - deep_t)) : NULL;
        if (!slash)
            return false;
        star_p = NULL;
        p = deep_p;
        t = deep_t = slash + 1;
    }
}
