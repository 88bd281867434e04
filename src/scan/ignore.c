/* The rules of one ignore file, and the chain of files that hold for a folder. It
 * exists so that workers can ask without sharing anything that changes.
 * Invariant: but for `refs`, which belongs to the loop, nothing here changes after
 * ignore_parse; a chain goes from the nearest file up to the farthest. */
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "scan/rules.h"

enum rule_kind {
    RULE_LITERAL, // no wildcard at all
    RULE_SUFFIX,  // "*.o"
    RULE_GLOB,
};

struct rule {
    const char *pattern; // in ignore.text, NUL-terminated
    uint32_t n;
    uint32_t n_literal; // bytes before the first wildcard
    enum rule_kind kind;
    bool is_negative;
    bool is_dir_only;
    bool is_name_only; // no slash: matches the last component in any folder
};

struct ignore {
    unsigned refs;
    struct ignore *above;
    char *dir; // relative to the root, "" for the root
    size_t dir_n;
    char *outside; // of a file above the root: from there to the root, with a slash
    size_t outside_n;
    char *text;
    VEC(struct rule) rules;
};

static bool
is_wildcard(char c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

static uint32_t
count_literal(const char *p, uint32_t n)
{
    uint32_t i = 0;
    while (i < n && !is_wildcard(p[i]))
        i++;
    return i;
}

/* Ends the line where its trailing blanks begin; an escaped one stays. */
static void
cut_trailing_blanks(char *line)
{
    char *blank = NULL;
    for (char *p = line; *p; p++) {
        if (*p == ' ') {
            if (!blank)
                blank = p;
            continue;
        }
        if (*p == '\\' && !*++p)
            return;
        blank = NULL;
    }
    if (blank)
        *blank = '\0';
}

/* `line` is NUL-terminated, can be written to, and outlives the rules. */
static void
add_rule(struct ignore *i, char *line)
{
    if (line[0] == '#')
        return;
    cut_trailing_blanks(line);
    struct rule rule = {0};
    if (*line == '!') {
        rule.is_negative = true;
        line++;
    }
    size_t n = strlen(line);
    if (n > 0 && line[n - 1] == '/') {
        rule.is_dir_only = true;
        line[--n] = '\0';
    }
    if (n == 0 || n > PATH_BYTES_MAX || i->rules.n == IGNORE_RULES_MAX)
        return;
    rule.is_name_only = !memchr(line, '/', n);
    if (*line == '/') {
        line++;
        n--;
    }
    rule.pattern = line;
    rule.n = (uint32_t)n;
    rule.n_literal = count_literal(line, rule.n);
    if (rule.n_literal == rule.n)
        rule.kind = RULE_LITERAL;
    else if (rule.is_name_only && *line == '*' &&
             1 + count_literal(line + 1, rule.n - 1) == rule.n)
        rule.kind = RULE_SUFFIX;
    else
        rule.kind = RULE_GLOB;
    *vec_push(&i->rules) = rule;
}

static struct ignore *
parse(struct ignore *above, struct str dir, struct str text)
{
    struct ignore *i = xnew(struct ignore);
    i->refs = 1;
    i->above = above;
    i->dir = str_dup(dir);
    i->dir_n = dir.n;
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_slice(text.p + 3, text.n - 3);
    i->text = str_dup(text);
    for (char *p = i->text, *end = i->text + text.n; p < end;) {
        char *newline = memchr(p, '\n', (size_t)(end - p));
        char *next = newline ? newline + 1 : end;
        char *stop = newline ? newline : end; // the text has a NUL behind its end
        *stop = '\0';
        if (stop > p && stop[-1] == '\r')
            stop[-1] = '\0';
        add_rule(i, p);
        p = next;
    }
    return i;
}

struct ignore *
ignore_parse(struct ignore *above, struct str dir, struct str text)
{
    return parse(above, dir, text);
}

struct ignore *
ignore_parse_outside(struct ignore *above, struct str root_below, struct str text)
{
    struct ignore *i = parse(above, STR_NONE, text);
    if (root_below.n > 0) {
        i->outside = xasprintf("%.*s/", STR_ARG(root_below));
        i->outside_n = root_below.n + 1;
    }
    return i;
}

struct ignore *
ignore_ref(struct ignore *i)
{
    if (i)
        i->refs++;
    return i;
}

void
ignore_unref(struct ignore *i)
{
    while (i && --i->refs == 0) {
        struct ignore *above = i->above;
        vec_finish(&i->rules);
        free(i->text);
        free(i->outside);
        free(i->dir);
        free(i);
        i = above;
    }
}

static bool
matches_whole(const struct rule *rule, struct str text)
{
    switch (rule->kind) {
    case RULE_LITERAL:
        return text.n == rule->n && memcmp(text.p, rule->pattern, text.n) == 0;
    case RULE_SUFFIX:
        return text.n + 1 >= rule->n && memcmp(text.p + text.n - (rule->n - 1),
                                               rule->pattern + 1, rule->n - 1) == 0;
    case RULE_GLOB: return glob_matches(rule->pattern, text);
    }
    return false;
}

static bool
matches_rule(const struct rule *rule, struct str path, struct str name, bool is_dir)
{
    if (rule->is_dir_only && !is_dir)
        return false;
    if (rule->is_name_only)
        return matches_whole(rule, name);
    if (rule->kind == RULE_LITERAL)
        return matches_whole(rule, path);
    /* Git compares what is before the first wildcard as it is and looks at the rest
     * alone, so that "a**" and a slash behind it begins with "**"; so do we. */
    if (path.n < rule->n_literal || memcmp(path.p, rule->pattern, rule->n_literal) != 0)
        return false;
    return glob_matches(rule->pattern + rule->n_literal,
                        str_slice(path.p + rule->n_literal, path.n - rule->n_literal));
}

static struct str
last_component(struct str path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    return slash ? str_slice(slash + 1, (size_t)(path.p + path.n - slash) - 1) : path;
}

/* The path as the rules of `i` see it; false when it is not below them. */
static bool
path_seen_from(const struct ignore *i, struct str path, char *space, struct str *ret_path)
{
    if (i->outside) {
        if (i->outside_n + path.n > PATH_BYTES_MAX)
            return false;
        memcpy(space, i->outside, i->outside_n);
        memcpy(space + i->outside_n, path.p, path.n);
        *ret_path = str_slice(space, i->outside_n + path.n);
        return true;
    }
    if (i->dir_n == 0) {
        *ret_path = path;
        return true;
    }
    if (path.n <= i->dir_n || path.p[i->dir_n] != '/' ||
        memcmp(path.p, i->dir, i->dir_n) != 0)
        return false;
    *ret_path = str_slice(path.p + i->dir_n + 1, path.n - i->dir_n - 1);
    return true;
}

enum verdict
ignore_verdict(const struct ignore *i, struct str path, bool is_dir)
{
    char space[PATH_BYTES_MAX];
    struct str name = last_component(path);
    for (; i; i = i->above) {
        struct str seen;
        if (i->rules.n == 0 || !path_seen_from(i, path, space, &seen))
            continue;
        for (size_t r = i->rules.n; r-- > 0;)
            if (matches_rule(&i->rules.v[r], seen, name, is_dir))
                return i->rules.v[r].is_negative ? VERDICT_INCLUDED : VERDICT_IGNORED;
    }
    return VERDICT_NONE;
}

bool
ignore_matches(const struct ignore *i, struct str path, bool is_dir)
{
    for (size_t n = 1; n < path.n; n++)
        if (path.p[n] == '/' &&
            ignore_verdict(i, str_slice(path.p, n), true) == VERDICT_IGNORED)
            return true;
    return path.n > 0 && ignore_verdict(i, path, is_dir) == VERDICT_IGNORED;
}
