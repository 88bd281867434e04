/* Paths as text. It exists so that a path has one spelling before it becomes a key in
 * a table or a row. Invariant: nothing here asks the file system, so ".." is removed
 * by name and symbolic links are the business of fs_real_path. */
#include "base/path.h"

#include "base/mem.h"

char *
path_join(const char *dir, const char *rest)
{
    if (rest[0] == '/' || dir[0] == '\0')
        return xstrdup(rest);
    if (rest[0] == '\0')
        return xstrdup(dir);
    bool has_slash = dir[strlen(dir) - 1] == '/';
    return xasprintf("%s%s%s", dir, has_slash ? "" : "/", rest);
}

char *
path_normalize(const char *path)
{
    struct str rest = str_of(path);
    struct str part;
    char *out = xmalloc(rest.n + 2);
    const size_t root = path[0] == '/' ? 1 : 0;
    size_t n = root;
    size_t floor = root; // ".." removes nothing before this

    if (root)
        out[0] = '/';
    while (str_split(&rest, '/', &part)) {
        if (part.n == 0 || str_eq(part, STR(".")))
            continue;
        bool is_up = str_eq(part, STR(".."));
        if (is_up && n > floor) {
            while (n > floor && out[n - 1] != '/')
                n--;
            if (n > floor)
                n--;
            continue;
        }
        if (is_up && root)
            continue; // "/.." is "/"
        if (n > root)
            out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
        if (is_up)
            floor = n;
    }
    if (n == 0)
        out[n++] = '.';
    out[n] = '\0';
    return out;
}

/* Without the slashes at the end, but "/" stays. */
static struct str
strip_slashes(struct str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

/* Where the last component starts. */
static size_t
basename_start(struct str path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return at;
}

struct str
path_basename(struct str path)
{
    path = strip_slashes(path);
    if (str_eq(path, STR("/")))
        return path;
    size_t at = basename_start(path);
    return at ? str_slice(path.p + at, path.n - at) : path;
}

struct str
path_dirname(struct str path)
{
    path = strip_slashes(path);
    size_t at = basename_start(path);
    if (at == 0)
        return STR(".");
    return strip_slashes(str_slice(path.p, at));
}

struct str
path_extension(struct str path)
{
    struct str name = path_basename(path);
    for (size_t i = name.n; i > 1; i--) {
        if (name.p[i - 1] == '.')
            return str_slice(name.p + i, name.n - i);
    }
    return STR_NONE;
}

struct str
path_below(struct str root, struct str path)
{
    if (root.n == 0 || path.n == 0)
        return STR_NONE;
    if (str_eq(root, path))
        return str_slice(path.p + path.n, 0);
    if (str_eq(root, STR("."))) {
        bool leaves = path.p[0] == '/' || str_eq(path, STR("..")) ||
                      str_starts_with(path, STR("../"));
        return leaves ? STR_NONE : path;
    }

    size_t skip = root.p[root.n - 1] == '/' ? root.n : root.n + 1;
    if (path.n <= skip || !str_starts_with(path, root) || path.p[skip - 1] != '/')
        return STR_NONE;
    return str_slice(path.p + skip, path.n - skip);
}
