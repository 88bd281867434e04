/* The rules that hold before any file in the root is read: the built-in list, the
 * user's git excludes, the repository's info/exclude, and the ignore files between the
 * repository's top and the root. It exists so that a root inside a repository sees what
 * git sees.
 * Invariant: reads only, on a worker, without the scan. */
#include "scan/rules.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"

const char *const ignore_file_names[IGNORE_FILE_COUNT] = {".gitignore", ".ignore",
                                                          ".glossignore"};

/* Folders that only tools write and nobody edits, by names that mean nothing else. They
 * are the weakest rules: "!node_modules/" in an ignore file takes one back. "target" is
 * Cargo's only beside a Cargo.toml; walk.c adds it there. "build", "dist", "vendor",
 * "out" are too often sources. */
static const char built_in[] = "node_modules/\n"
                               "bower_components/\n"
                               "__pycache__/\n"
                               ".venv/\n"
                               ".tox/\n"
                               ".nox/\n"
                               ".mypy_cache/\n"
                               ".pytest_cache/\n"
                               ".ruff_cache/\n"
                               ".ipynb_checkpoints/\n"
                               ".cache/\n"
                               ".ccache/\n"
                               ".ccls-cache/\n"
                               ".direnv/\n"
                               ".gradle/\n"
                               ".terraform/\n"
                               ".parcel-cache/\n"
                               ".nyc_output/\n"
                               ".DS_Store\n";

/* Never entered, whatever a pattern takes back. In a worktree ".git" is a file. */
static const char *const vcs_folders[] = {".git", ".hg",    ".svn", ".jj",
                                          ".bzr", "_darcs", "CVS"};

bool
is_vcs_folder(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(vcs_folders); i++)
        if (str_eq_c(name, vcs_folders[i]))
            return true;
    return false;
}

bool
is_ignore_file(struct str name)
{
    for (size_t i = 0; i < IGNORE_FILE_COUNT; i++)
        if (str_eq_c(name, ignore_file_names[i]))
            return true;
    return false;
}

int
base_rules_read(int dir_fd, const char *name, struct buf *ret_text)
{
    buf_reset(ret_text);
    /* A link or a pipe by this name is nobody's rules; git reads no links here either. */
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR || errno == ENXIO ? -ENOENT : -errno;
    struct stat st;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && !S_ISREG(st.st_mode))
        r = -ENOENT;
    if (r == 0 && st.st_size > SCAN_RULES_BYTES_MAX)
        r = -EFBIG;
    while (r == 0) {
        buf_reserve(ret_text, 4096);
        ssize_t n = read(fd, ret_text->p + ret_text->n, ret_text->cap - ret_text->n - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = -errno;
        if (n <= 0)
            break;
        ret_text->n += (size_t)n;
        ret_text->p[ret_text->n] = '\0';
        if (ret_text->n > SCAN_RULES_BYTES_MAX)
            r = -EFBIG;
    }
    close(fd);
    return r;
}

/* The one line of a file like .git ("gitdir: PATH") or commondir, seen from `dir`. */
static char *
read_path_file(const char *dir, const char *name, const char *prefix)
{
    AUTO(free) char *file = path_join(dir, name);
    AUTO(buf_finish) struct buf text = {0};
    if (fs_read_file(file, PATH_BYTES_MAX, &text, NULL) < 0)
        return NULL;
    struct str line = str_trim(buf_str(&text));
    if (!str_starts_with(line, str_of(prefix)))
        return NULL;
    line = str_trim(str_slice(line.p + strlen(prefix), line.n - strlen(prefix)));
    if (line.n == 0 || memchr(line.p, '\0', line.n))
        return NULL;
    AUTO(free) char *path = str_dup(line);
    AUTO(free) char *joined = path_join(dir, path);
    return path_normalize(joined);
}

/* The folder that holds the repository's data; NULL unless `top` is its top. */
static char *
find_git_dir(const char *top)
{
    AUTO(free) char *dot_git = path_join(top, ".git");
    struct fs_stat st;
    if (fs_stat_file(dot_git, &st) < 0)
        return NULL;
    if (S_ISDIR(st.mode))
        return steal(dot_git);
    return read_path_file(top, ".git", "gitdir:");
}

static void
add_rules(struct base_rules *b, struct str root_below, struct str text)
{
    b->hash = hash64_seeded(root_below, hash64_seeded(text, b->hash + 1));
    b->ignore = ignore_parse_outside(b->ignore, root_below, text);
}

static void
add_outside_file(struct base_rules *b, const char *dir, const char *name,
                 struct str root_below)
{
    AUTO(buf_finish) struct buf text = {0};
    AUTO(free) char *path = path_join(dir, name);
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    paths_add(&b->files, path);
    if (base_rules_read(fd, name, &text) == 0)
        add_rules(b, root_below, buf_str(&text));
    close(fd);
}

/* A file outside the tree that somebody named: a link is followed, as git does. */
static void
add_named_file(struct base_rules *b, const char *path, struct str root_below)
{
    AUTO(buf_finish) struct buf text = {0};
    if (!path)
        return;
    paths_add(&b->files, path);
    if (fs_read_file(path, SCAN_RULES_BYTES_MAX, &text, NULL) == 0)
        add_rules(b, root_below, buf_str(&text));
}

/* What git knows of the repository at `top`, and the ignore files down to the root. */
static void
add_repository(struct base_rules *b, const char *top, const char *git_dir)
{
    struct str root_below = path_below(str_of(top), str_of(b->root));
    AUTO(free) char *shared = read_path_file(git_dir, "commondir", "");
    const char *common = shared ? shared : git_dir;
    AUTO(free) char *user_excludes = gitconfig_excludes(top, git_dir, common, &b->files);
    AUTO(free) char *exclude = path_join(common, "info/exclude");
    add_named_file(b, user_excludes, root_below);
    add_named_file(b, exclude, root_below);
    AUTO(free) char *dir = xstrdup(top);
    while (root_below.n > 0) {
        for (size_t i = 0; i < IGNORE_FILE_COUNT; i++)
            add_outside_file(b, dir, ignore_file_names[i], root_below);
        const char *slash = memchr(root_below.p, '/', root_below.n);
        size_t n = slash ? (size_t)(slash - root_below.p) + 1 : root_below.n;
        AUTO(free) char *name = str_dup(str_slice(root_below.p, slash ? n - 1 : n));
        char *deeper = path_join(dir, name);
        free(dir);
        dir = deeper;
        root_below = str_slice(root_below.p + n, root_below.n - n);
    }
}

/* The nearest repository that the root is in; false when there is none. */
static bool
add_nearest_repository(struct base_rules *b)
{
    AUTO(free) char *top = xstrdup(b->root);
    for (;;) {
        AUTO(free) char *git_dir = find_git_dir(top);
        if (git_dir) {
            add_repository(b, top, git_dir);
            if (strcmp(top, b->root) == 0) {
                AUTO(free) char *lock = path_join(git_dir, "index.lock");
                b->is_locked = fs_exists(lock);
                b->git_dir = steal(git_dir);
            }
            return true;
        }
        if (strcmp(top, "/") == 0)
            return false;
        char *up = str_dup(path_dirname(str_of(top)));
        free(top);
        top = up;
    }
}

void
base_rules_load(struct base_rules *b)
{
    b->ignore = ignore_parse(NULL, STR_NONE, str_slice(built_in, sizeof(built_in) - 1));
    if (!add_nearest_repository(b)) {
        /* The user's excludes still say what the user never edits. */
        AUTO(free)
        char *user_excludes = gitconfig_excludes(NULL, NULL, NULL, &b->files);
        add_named_file(b, user_excludes, STR_NONE);
    }
    sources_find(&b->files, b->root, b->git_dir, &b->sources);
}

void
base_rules_finish(struct base_rules *b)
{
    ignore_unref(b->ignore);
    free(b->git_dir);
    sources_finish(&b->sources);
    paths_finish(&b->files);
    *b = (struct base_rules){0};
}
