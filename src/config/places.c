/* Where things lie on disk, by the XDG rules, and the index's connection string.
 * Invariant: every path given out is absolute; nothing is ever placed inside a workspace. */
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"

/* A folder's name may have 255 bytes, the id takes its part. */
#define NAME_BYTES_MAX 128
#define ID_DIGITS 12

/* An absolute path from the environment; XDG has relative ones ignored. */
static const char *
absolute_env(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

static char *
home_join(const char *below)
{
    const char *home = absolute_env("HOME");
    if (!home) {
        const struct passwd *user = getpwuid(geteuid());
        home = user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : "/";
    }
    return path_join(home, below);
}

/* "gloss" below the variable's folder or below its stand-in at home. */
static char *
own_dir(const char *variable, const char *below_home)
{
    const char *dir = absolute_env(variable);
    if (dir)
        return path_join(dir, "gloss");
    AUTO(free) char *home = home_join(below_home);
    return path_join(home, "gloss");
}

char *
config_file_path(void)
{
    AUTO(free) char *dir = own_dir("XDG_CONFIG_HOME", ".config");
    return path_join(dir, "config.json");
}

char *
config_state_dir(void)
{
    return own_dir("XDG_STATE_HOME", ".local/state");
}

/* Made, a directory and no link, ours, closed to others. Socket and token lie in it. */
static bool
make_private(const char *dir)
{
    struct stat st;
    if (fs_mkdir_p(dir, 0700) < 0 || lstat(dir, &st) < 0)
        return false;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return false;
    return (st.st_mode & 0077) == 0 || chmod(dir, 0700) == 0;
}

char *
config_runtime_dir(void)
{
    const char *base = absolute_env("XDG_RUNTIME_DIR");
    /* The system makes that folder when somebody logs in; where it did not, it is not ours to make. */
    if (base && fs_exists(base)) {
        AUTO(free) char *dir = path_join(base, "gloss");
        if (make_private(dir))
            return steal(dir);
    }
    char *state = config_state_dir();
    /* If this fails too, the first file opened in it says why. */
    (void)make_private(state);
    return state;
}

/* At most n bytes, no character cut in two. */
static struct str
shorten(struct str s, size_t n)
{
    if (s.n <= n)
        return s;
    while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_slice(s.p, n);
}

char *
config_index_path(const char *root)
{
    AUTO(free) char *state = config_state_dir();
    char hex[HASH_HEX_BYTES];
    struct str name = shorten(path_basename(str_of(root)), NAME_BYTES_MAX);
    if (name.n == 0 || str_eq(name, STR("/")))
        name = STR("root");
    hash128_to_hex(hash128(str_of(root)), hex);
    return xasprintf("%s/%.*s-%.*s/index.db", state, STR_ARG(name), ID_DIGITS, hex);
}

/* ---- connection strings ---- */

/* "scheme:" in front; STR_NONE if there is none. "./a:b" is a path. */
static struct str
scheme_of(struct str text)
{
    ssize_t colon = str_find_char(text, ':');
    if (colon <= 0)
        return STR_NONE;
    for (ssize_t i = 0; i < colon; i++) {
        char c = text.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!fits || (i == 0 && (c == '.' || c == '-' || c == '+')))
            return STR_NONE;
    }
    return str_slice(text.p, (size_t)colon);
}

/* "sqlite:" or "rocksdb:" and the path made absolute. */
static int
url_of_path(const char *scheme, const char *given, char **ret_url, char **ret_why)
{
    if (given[0] == '\0') {
        *ret_why = xasprintf("the index's path is empty; use %s:PATH", scheme);
        return err_trace(-EINVAL);
    }
    char here[PATH_BYTES_MAX];
    if (given[0] != '/' && !getcwd(here, sizeof(here))) {
        int r = -errno;
        *ret_why =
            xasprintf("no current folder for the path \"%s\": %s", given, err_text(r));
        return err_trace(r);
    }
    AUTO(free) char *joined = given[0] == '/' ? xstrdup(given) : path_join(here, given);
    AUTO(free) char *path = path_normalize(joined);
    if (strlen(path) >= PATH_BYTES_MAX) {
        *ret_why =
            xasprintf("the index's path is longer than %d bytes", PATH_BYTES_MAX - 1);
        return err_trace(-EINVAL);
    }
    *ret_url = xasprintf("%s:%s", scheme, path);
    return 0;
}

/* Whether this build has what it takes is found out where the index is opened. It may hold a password,
 * so it is never part of a message. */
static int
url_of_server(struct str scheme, const char *text, char **ret_url, char **ret_why)
{
    const char *rest = text + scheme.n + 1;
    if (strncmp(rest, "//", 2) != 0) {
        *ret_why =
            xasprintf("after \"%.*s:\" comes //USER@HOST/DATABASE", STR_ARG(scheme));
        return err_trace(-EINVAL);
    }
    if (strlen(text) >= PATH_BYTES_MAX) {
        *ret_why =
            xasprintf("the index's address is longer than %d bytes", PATH_BYTES_MAX - 1);
        return err_trace(-EINVAL);
    }
    *ret_url = xstrdup(text);
    return 0;
}

int
config_db_url(const char *text, char **ret_url, char **ret_why)
{
    struct str scheme = scheme_of(str_of(text));
    const char *rest = scheme.n > 0 ? text + scheme.n + 1 : text;
    if (scheme.n == 0 || str_eq(scheme, STR("sqlite")))
        return url_of_path("sqlite", rest, ret_url, ret_why);
    if (str_eq(scheme, STR("rocksdb")))
        return url_of_path("rocksdb", rest, ret_url, ret_why);
    if (str_eq(scheme, STR("postgres")) || str_eq(scheme, STR("postgresql")))
        return url_of_server(scheme, text, ret_url, ret_why);
    if (!str_eq(scheme, STR("mem"))) {
        *ret_why =
            xasprintf("\"%.*s:\" is no kind of index: sqlite:PATH, rocksdb:FOLDER, "
                      "postgres://… and mem: are",
                      STR_ARG(scheme));
        return err_trace(-EINVAL);
    }
    if (rest[0] != '\0') {
        *ret_why = xstrdup("nothing comes after \"mem:\"");
        return err_trace(-EINVAL);
    }
    *ret_url = xstrdup(text);
    return 0;
}

char *
config_index_url(const char *db, const char *root)
{
    if (!db) {
        AUTO(free) char *path = config_index_path(root);
        return xasprintf("sqlite:%s", path);
    }
    struct str url = str_of(db);
    bool is_server = str_starts_with(url, STR("postgres://")) ||
                     str_starts_with(url, STR("postgresql://"));
    return is_server && !strchr(db, '#') ? xasprintf("%s#%s", db, root) : xstrdup(db);
}
