/* Why: names from outside are compared in a few small ways that are easy to get wrong by a character.
 * Invariant: linear in practice and bounded in the worst case, since both sides have a limit. */
#include "hub/match.h"

bool
match_pattern(struct str pattern, struct str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;
    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

bool
match_path(const char *route, struct str path, struct str ret_params[MATCH_PARAMS_MAX])
{
    struct str want = str_of(route), want_part, part;
    size_t n = 0;
    /* Of "entities/" a key was forgotten: that is not the address of them all. */
    if (str_ends_with(path, STR("/")) && !str_ends_with(want, STR("/")) &&
        !str_ends_with(want, STR("{*}")))
        return false;
    while (str_split(&want, '/', &want_part)) {
        if (str_eq_c(want_part, "{*}")) {
            if (path.n == 0)
                return false;
            assert(n < MATCH_PARAMS_MAX);
            ret_params[n] = path;
            return true;
        }
        if (!str_split(&path, '/', &part))
            return false;
        if (str_eq_c(want_part, "{}")) {
            if (part.n == 0)
                return false;
            assert(n < MATCH_PARAMS_MAX);
            ret_params[n++] = part;
        } else if (!str_eq(want_part, part)) {
            return false;
        }
    }
    return !str_split(&path, '/', &part);
}

bool
match_epoch_is_wellformed(struct str epoch)
{
    if (epoch.n == 0 || epoch.n > 64)
        return false;
    for (size_t i = 0; i < epoch.n; i++)
        if (epoch.p[i] <= ' ' || epoch.p[i] > '~')
            return false;
    return true;
}

int
match_since(struct str text, struct since *ret_since)
{
    struct since since = {.from = SINCE_CURSOR};
    if (str_eq_c(text, "earliest"))
        since.from = SINCE_START;
    else if (str_eq_c(text, "latest"))
        since.from = SINCE_NOW;
    if (since.from != SINCE_CURSOR) {
        *ret_since = since;
        return 0;
    }
    ssize_t at = str_find_char(text, ':');
    if (at < 0)
        return -EINVAL;
    since.epoch = str_slice(text.p, (size_t)at);
    struct str digits = str_slice(text.p + at + 1, text.n - (size_t)at - 1);
    ssize_t dot = str_find_char(digits, '.');
    if (dot >= 0) {
        uint64_t index;
        struct str rest = str_slice(digits.p + dot + 1, digits.n - (size_t)dot - 1);
        if (str_to_u64(rest, &index) < 0 || index >= UINT32_MAX)
            return -EINVAL;
        since.n_parts = (uint32_t)index + 1;
        digits.n = (size_t)dot;
    }
    if (str_to_i64(digits, &since.seq) < 0 || since.seq < 0)
        return -EINVAL;
    if (!match_epoch_is_wellformed(since.epoch) &&
        !(since.epoch.n == 0 && since.seq == 0))
        return -EINVAL;
    if (since.n_parts > 0 && since.seq-- == 0) // that row is not had whole
        return -EINVAL;
    *ret_since = since;
    return 0;
}
