/* Where git's settings say that the user's own excludes lie (core.excludesFile). It exists
 * because many people name that file in ~/.gitconfig and expect every tool to follow.
 * Invariant: files are read in git's order, the last word counts; a file that git would
 * refuse counts up to the fault. Includes are not followed. */
#include <ctype.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "scan/rules.h"

struct reader {
    const char *p, *end;
};

/* The next character, -1 at the end; a carriage return before a newline is none. */
static int
take(struct reader *r)
{
    if (r->p + 1 < r->end && r->p[0] == '\r' && r->p[1] == '\n')
        r->p++;
    return r->p < r->end ? (unsigned char)*r->p++ : -1;
}

static int
peek(const struct reader *r)
{
    struct reader copy = *r;
    return take(&copy);
}

static void
skip_line(struct reader *r)
{
    int c;
    do
        c = take(r);
    while (c >= 0 && c != '\n');
}

static bool
is_named(const struct buf *name, const char *wanted)
{
    return strcasecmp(name->n ? name->p : "", wanted) == 0;
}

/* Behind the "[". A section of a part, [core "x"], is another one. False: not as git has it. */
static bool
take_section(struct reader *r, bool *ret_is_core)
{
    AUTO(buf_finish) struct buf name = {0};
    int c;
    while ((c = take(r)) >= 0 && (isalnum(c) || c == '-' || c == '.'))
        buf_add_char(&name, (char)c);
    *ret_is_core = c == ']' && is_named(&name, "core");
    while (c >= 0 && c != ']' && c != '\n')
        c = take(r);
    return c == ']';
}

/* What an escape stands for; 0: nothing that git knows. */
static char
escaped(int c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'b': return '\b';
    case '"':
    case '\\': return (char)c;
    default: return '\0';
    }
}

/* Behind the "=", up to the end of the line. */
static bool
take_value(struct reader *r, struct buf *ret_value)
{
    bool is_quoted = false, is_comment = false;
    size_t n_kept = 0; // without the blanks that may turn out to be the last
    int c;
    buf_reset(ret_value);
    while ((c = take(r)) >= 0 && c != '\n') {
        if (is_comment || (!is_quoted && (c == '#' || c == ';'))) {
            is_comment = true;
            continue;
        }
        if (c == '"') {
            is_quoted = !is_quoted;
            n_kept = ret_value->n;
            continue;
        }
        if (isspace(c) && !is_quoted) {
            if (ret_value->n > 0)
                buf_add_char(ret_value, (char)c);
            continue;
        }
        if (c == '\\') {
            c = take(r);
            if (c == '\n')
                continue;
            c = escaped(c);
            if (!c)
                return false;
        }
        if (ret_value->n >= PATH_BYTES_MAX)
            return false;
        buf_add_char(ret_value, (char)c);
        n_kept = ret_value->n;
    }
    if (ret_value->n > n_kept) {
        ret_value->n = n_kept;
        ret_value->p[n_kept] = '\0';
    }
    return !is_quoted;
}

/* "name = value" or "name"; *ret_value stays when it is another name. */
static bool
take_setting(struct reader *r, bool is_core, char **ret_value)
{
    AUTO(buf_finish) struct buf name = {0}, value = {0};
    int c;
    while ((c = peek(r)) >= 0 && (isalnum(c) || c == '-'))
        buf_add_char(&name, (char)take(r));
    while ((c = peek(r)) == ' ' || c == '\t')
        take(r);
    if (c != '=') {
        skip_line(r);
        return name.n > 0 && (c < 0 || c == '\n' || c == '#' || c == ';');
    }
    take(r);
    if (!take_value(r, &value))
        return false;
    if (is_core && is_named(&name, "excludesfile")) {
        free(*ret_value);
        *ret_value = str_dup(buf_str(&value));
    }
    return true;
}

/* *ret_value is replaced when the file says it. */
static void
read_config(const char *path, char **ret_value)
{
    AUTO(buf_finish) struct buf text = {0};
    bool is_core = false, is_good = true;
    if (!path || fs_read_file(path, SCAN_RULES_BYTES_MAX, &text, NULL) < 0)
        return;
    struct reader r = {text.p, text.p + text.n};
    if (str_starts_with(buf_str(&text), STR("\xef\xbb\xbf")))
        r.p += 3;
    while (is_good) {
        int c = peek(&r);
        if (c < 0)
            return;
        if (c == '#' || c == ';') {
            skip_line(&r);
        } else if (isspace(c)) {
            take(&r);
        } else if (c == '[') {
            take(&r);
            is_good = take_section(&r, &is_core);
        } else {
            is_good = take_setting(&r, is_core, ret_value);
        }
    }
}

static const char *
absolute_env(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

/* Below the folder of the user's settings; heap or NULL. */
static char *
user_path(const char *below)
{
    const char *config = absolute_env("XDG_CONFIG_HOME"), *home = absolute_env("HOME");
    if (config)
        return path_join(config, below);
    AUTO(free) char *dir = home ? path_join(home, ".config") : NULL;
    return dir ? path_join(dir, below) : NULL;
}

static bool
is_set(const char *name)
{
    const char *value = getenv(name);
    return value && (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0 ||
                     strcasecmp(value, "yes") == 0 || strcasecmp(value, "on") == 0);
}

char *
gitconfig_excludes(const char *top, const char *git_dir)
{
    AUTO(free) char *value = NULL;
    const char *system = getenv("GIT_CONFIG_SYSTEM"),
               *global = getenv("GIT_CONFIG_GLOBAL"), *home = absolute_env("HOME");
    if (!is_set("GIT_CONFIG_NOSYSTEM"))
        read_config(system ? system : "/etc/gitconfig", &value);
    if (global) {
        read_config(global, &value);
    } else {
        AUTO(free) char *config = user_path("git/config");
        AUTO(free) char *old = home ? path_join(home, ".gitconfig") : NULL;
        read_config(config, &value);
        read_config(old, &value);
    }
    AUTO(free) char *own = git_dir ? path_join(git_dir, "config") : NULL;
    read_config(own, &value);
    if (!value)
        return user_path("git/ignore");
    if (value[0] == '~' && value[1] == '/')
        return home ? path_join(home, value + 2) : NULL;
    if (value[0] == '/')
        return steal(value);
    return value[0] && top ? path_join(top, value) : NULL; // empty: none at all
}
