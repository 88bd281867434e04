/* Where git's settings say that the user's own excludes lie (core.excludesFile). It exists
 * because many people name that file in ~/.gitconfig and expect every tool to follow.
 * Invariant: files are read in git's order, an included one where its name stands; the last
 * word counts; a file that git would refuse counts up to the fault. Every file that was
 * asked for is told, also one that is not there: a change of it changes the answer.
 * Conditions other than "gitdir:" and "gitdir/i:" are never met. */
#include <ctype.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "scan/rules.h"

#define INCLUDE_DEPTH_MAX 10 // git's own
#define CONFIG_FILES_MAX 64  // read for one answer

enum section { SECTION_OTHER, SECTION_CORE, SECTION_INCLUDE };

/* One answer that is being found. */
struct settings {
    const char *git_dir; // of the repository or worktree; NULL: none
    struct paths *files;
    char *excludes; // as written; NULL: nothing said
    size_t n_read;
};

struct reader {
    const char *p, *end;
    const char *path; // of the file
    struct settings *settings;
    int depth;
    enum section section; // that the next settings are in
};

static const char *
absolute_env(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

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

/* ---- includes ---- */

static void read_config(struct settings *settings, const char *path, int depth);

/* "~/x" seen from home; heap. NULL: there is no home. */
static char *
expand_home(const char *path, bool is_real)
{
    if (path[0] != '~' || path[1] != '/')
        return xstrdup(path);
    const char *home = absolute_env("HOME");
    AUTO(free) char *real = NULL;
    if (home && is_real && fs_real_path(home, &real) == 0)
        home = real;
    return home ? xasprintf("%s%s", home, path + 1) : NULL;
}

static char *
folder_of(const char *path)
{
    return str_dup(path_dirname(str_of(path)));
}

/* The pattern of a condition as git completes it; the first *ret_n_literal bytes are no pattern. */
static char *
complete_pattern(const struct reader *r, const char *condition, size_t *ret_n_literal)
{
    AUTO(free) char *pattern = expand_home(condition, true);
    *ret_n_literal = 0;
    if (!pattern)
        return NULL;
    if (pattern[0] == '.' && pattern[1] == '/') {
        AUTO(free) char *real = NULL;
        if (fs_real_path(r->path, &real) < 0)
            return NULL;
        AUTO(free) char *dir = folder_of(real);
        *ret_n_literal = strlen(dir) + 1;
        char *whole = xasprintf("%s%s", dir, pattern + 1);
        free(pattern);
        pattern = whole;
    }
    size_t n = strlen(pattern);
    return xasprintf("%s%s%s", pattern[0] == '/' ? "" : "**/", pattern,
                     n > 0 && pattern[n - 1] == '/' ? "**" : "");
}

static void
to_lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool
is_in_git_dir(const struct reader *r, const char *condition, bool ignores_case)
{
    size_t n_literal;
    AUTO(free) char *real = NULL;
    AUTO(free) char *pattern = complete_pattern(r, condition, &n_literal);
    if (!pattern || !r->settings->git_dir)
        return false;
    const char *written = r->settings->git_dir;
    if (fs_real_path(written, &real) < 0)
        real = xstrdup(written);
    if (ignores_case)
        to_lower(pattern);
    for (int i = 0; i < 2; i++) { // where it is, and by which name it was found
        AUTO(free) char *dir = xstrdup(i == 0 ? real : written);
        if (ignores_case)
            to_lower(dir);
        if (strncmp(dir, pattern, n_literal) == 0 &&
            glob_matches(pattern + n_literal, str_of(dir + n_literal)))
            return true;
    }
    return false;
}

static bool
is_met(const struct reader *r, const char *condition)
{
    static const char plain[] = "gitdir:", folded[] = "gitdir/i:";
    if (strncmp(condition, plain, sizeof(plain) - 1) == 0)
        return is_in_git_dir(r, condition + sizeof(plain) - 1, false);
    if (strncmp(condition, folded, sizeof(folded) - 1) == 0)
        return is_in_git_dir(r, condition + sizeof(folded) - 1, true);
    return false;
}

static void
include(const struct reader *r, const char *value)
{
    AUTO(free) char *path = expand_home(value, false);
    AUTO(free) char *dir = folder_of(r->path);
    AUTO(free) char *joined = path ? path_join(dir, path) : NULL;
    if (joined && path[0])
        read_config(r->settings, joined, r->depth + 1);
}

/* ---- one file ---- */

/* Behind the quote that opens it; false: it does not end as git has it. */
static bool
take_part(struct reader *r, struct buf *ret_part)
{
    int c;
    while ((c = take(r)) >= 0 && c != '\n' && c != '"') {
        if (c == '\\' && ((c = take(r)) < 0 || c == '\n'))
            return false;
        if (ret_part->n >= PATH_BYTES_MAX)
            return false;
        buf_add_char(ret_part, (char)c);
    }
    return c == '"' && take(r) == ']';
}

/* Behind the "[". False: not as git has it. */
static bool
take_section(struct reader *r)
{
    AUTO(buf_finish) struct buf name = {0}, part = {0};
    int c;
    r->section = SECTION_OTHER;
    while ((c = take(r)) >= 0 && (isalnum(c) || c == '-' || c == '.'))
        buf_add_char(&name, (char)c);
    if (c == ']') {
        if (is_named(&name, "core"))
            r->section = SECTION_CORE;
        else if (is_named(&name, "include"))
            r->section = SECTION_INCLUDE;
        return true;
    }
    while (c >= 0 && c != '\n' && isspace(c))
        c = take(r);
    if (c != '"' || !take_part(r, &part))
        return false;
    if (is_named(&name, "includeif") && part.n > 0 && is_met(r, part.p))
        r->section = SECTION_INCLUDE;
    return true;
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

/* "name = value" or "name". */
static bool
take_setting(struct reader *r)
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
    if (r->section == SECTION_CORE && is_named(&name, "excludesfile")) {
        free(r->settings->excludes);
        r->settings->excludes = str_dup(buf_str(&value));
    } else if (r->section == SECTION_INCLUDE && is_named(&name, "path") && value.n > 0) {
        include(r, value.p);
    }
    return true;
}

static void
read_config(struct settings *settings, const char *path, int depth)
{
    AUTO(buf_finish) struct buf text = {0};
    bool is_good = true;
    if (!path || depth > INCLUDE_DEPTH_MAX || settings->n_read == CONFIG_FILES_MAX)
        return;
    settings->n_read++;
    paths_add(settings->files, path);
    if (fs_read_file(path, SCAN_RULES_BYTES_MAX, &text, NULL) < 0)
        return;
    struct reader r = {.p = text.p,
                       .end = text.p + text.n,
                       .path = path,
                       .settings = settings,
                       .depth = depth};
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
            is_good = take_section(&r);
        } else {
            is_good = take_setting(&r);
        }
    }
}

/* ---- all of them ---- */

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

/* The system's, the user's, the repository's own. */
static void
read_all(struct settings *settings, const char *common_dir)
{
    const char *system = getenv("GIT_CONFIG_SYSTEM"),
               *global = getenv("GIT_CONFIG_GLOBAL"), *home = absolute_env("HOME");
    if (!is_set("GIT_CONFIG_NOSYSTEM"))
        read_config(settings, system ? system : "/etc/gitconfig", 0);
    if (global) {
        read_config(settings, global, 0);
    } else {
        AUTO(free) char *config = user_path("git/config");
        AUTO(free) char *old = home ? path_join(home, ".gitconfig") : NULL;
        read_config(settings, config, 0);
        read_config(settings, old, 0);
    }
    AUTO(free) char *own = common_dir ? path_join(common_dir, "config") : NULL;
    read_config(settings, own, 0);
}

char *
gitconfig_excludes(const char *top, const char *git_dir, const char *common_dir,
                   struct paths *files)
{
    struct settings settings = {.git_dir = git_dir, .files = files};
    read_all(&settings, common_dir);
    AUTO(free) char *value = settings.excludes;
    char *path = NULL;
    if (!value)
        path = user_path("git/ignore");
    else if (value[0] == '/' || (value[0] == '~' && value[1] == '/'))
        path = expand_home(value, false);
    else if (value[0] && top) // empty: none at all
        path = path_join(top, value);
    if (path)
        paths_add(files, path);
    return path;
}
