/* Where git says that a repository is checked out: `.git` is its folder, or a file that names one of
 * `worktrees/` there, and each of those names the `.git` of its worktree. All of it may have been
 * written by anybody: a name is one line of a small regular file, it leads to a folder or to nothing,
 * and nothing else of what is found there is read. */
#include "workspace/worktrees.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"

struct look {
    const char *root;
    char *top;  // the worktree that root is in
    char *rest; // root below it
    char *git;  // the repository: what all its worktrees share
    bool (*fn)(void *ctx, const char *path);
    void *ctx;
    unsigned n_told;
    bool is_over;
};

static bool
is_folder(const char *path)
{
    struct fs_stat st;

    return fs_stat_file(path, &st) == 0 && S_ISDIR(st.mode);
}

/* The folder that dir/name names behind `prefix`, from `dir` if it is relative; NULL: none. */
static char *
read_name(const char *dir, const char *name, struct str prefix)
{
    AUTO(buf_finish) struct buf text = {0};
    AUTO(free) char *path = path_join(dir, name);
    AUTO(free) char *joined = NULL;
    struct str line;

    if (fs_read_file(path, WORKTREES_FILE_BYTES_MAX, &text, NULL) < 0)
        return NULL;
    line = str_trim(buf_str(&text));
    if (!str_starts_with(line, prefix))
        return NULL;
    line = str_trim(str_slice(line.p + prefix.n, line.n - prefix.n));
    if (line.n == 0 || str_find_char(line, '\n') >= 0 || str_find_char(line, '\0') >= 0)
        return NULL;
    AUTO(free) char *named = str_dup(line);
    joined = path_join(dir, named);
    return path_normalize(joined);
}

/* The repository of the worktree at l->top; NULL: there is none. */
static char *
find_repository(const struct look *l)
{
    AUTO(free) char *git = path_join(l->top, ".git");
    char *common;

    if (is_folder(git))
        return steal(git);
    free(git);
    git = read_name(l->top, ".git", STR("gitdir:"));
    if (!git || !is_folder(git))
        return NULL;
    common = read_name(git, "commondir", STR(""));
    return common ? common : steal(git); // a submodule's has none
}

/* Upwards from the root to the first folder with a .git. */
static bool
find_top(struct look *l)
{
    struct str top = str_of(l->root);

    for (;;) {
        l->top = str_dup(top);
        l->git = find_repository(l);
        if (l->git)
            break;
        free(steal(l->top));
        if (top.n <= 1)
            return false;
        top = path_dirname(top);
    }
    l->rest = str_dup(path_below(top, str_of(l->root)));
    return true;
}

static void
tell(struct look *l, const char *worktree)
{
    AUTO(free) char *path = path_join(worktree, l->rest);
    AUTO(free) char *real = NULL;

    if (fs_real_path(path, &real) < 0 || strcmp(real, l->root) == 0 || !is_folder(real))
        return;
    l->n_told++;
    l->is_over = !l->fn(l->ctx, real) || l->n_told >= WORKTREES_MAX;
}

/* Of a path that ends in /.git: what is before it. */
static void
tell_above(struct look *l, const char *git)
{
    if (!str_eq_c(path_basename(str_of(git)), ".git"))
        return;
    AUTO(free) char *worktree = str_dup(path_dirname(str_of(git)));
    tell(l, worktree);
}

static void
tell_linked(struct look *l)
{
    AUTO(free) char *path = path_join(l->git, "worktrees");
    DIR *dir = opendir(path);
    const struct dirent *entry;

    for (unsigned n = 0; dir && !l->is_over && n < WORKTREES_LOOKED_AT_MAX; n++) {
        entry = readdir(dir);
        if (!entry)
            break;
        if (entry->d_name[0] == '.')
            continue;
        AUTO(free) char *own = path_join(path, entry->d_name);
        AUTO(free) char *git = read_name(own, "gitdir", STR(""));
        if (git)
            tell_above(l, git);
    }
    if (dir)
        closedir(dir);
}

void
worktrees_each(const char *root, bool (*fn)(void *ctx, const char *path), void *ctx)
{
    struct look l = {.root = root, .fn = fn, .ctx = ctx};

    if (find_top(&l)) {
        tell_above(&l, l.git);
        if (!l.is_over)
            tell_linked(&l);
    }
    free(l.top);
    free(l.rest);
    free(l.git);
}
