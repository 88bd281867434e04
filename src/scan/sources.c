/* The files outside of the tree that decide what is ignored, watched. It exists because a rule
 * that is added to ~/.config/git/ignore counts for git at once, and so it should here.
 * Invariant: inotify knows folders, by one name each; so a file is watched through the folder it
 * lies in, or the nearest one that is there, and a folder that the scan knows keeps the scan's name
 * for it. */
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "scan/internal.h"

void
paths_add(struct paths *paths, const char *path)
{
    if (path[0] != '/')
        return;
    for (size_t i = 0; i < paths->n; i++)
        if (strcmp(paths->v[i], path) == 0)
            return;
    *vec_push(paths) = xstrdup(path);
}

void
paths_finish(struct paths *paths)
{
    for (size_t i = 0; i < paths->n; i++)
        free(paths->v[i]);
    vec_finish(paths);
}

/* ---- on a worker ---- */

/* The scan's own name of a folder, given its real path; heap. */
static char *
known_name(const char *real, const char *root, const char *git_dir)
{
    AUTO(free) char *above = str_dup(path_dirname(str_of(root)));
    const char *const known[] = {root, git_dir, above};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        AUTO(free) char *known_real = NULL;
        if (!known[i] || fs_real_path(known[i], &known_real) < 0)
            continue;
        struct str below = path_below(str_of(known_real), str_of(real));
        if (below.p && below.n == 0)
            return xstrdup(known[i]);
        if (below.p && known[i] != above) {
            AUTO(free) char *rest = str_dup(below);
            return path_join(known[i], rest);
        }
    }
    return xstrdup(real);
}

static void
add_source(struct sources *sources, const char *dir, struct str name, bool is_file)
{
    for (size_t i = 0; i < sources->n; i++) {
        struct source *s = &sources->v[i];
        if (strcmp(s->dir, dir) == 0 && str_eq_c(name, s->name)) {
            s->is_file |= is_file;
            return;
        }
    }
    *vec_push(sources) =
        (struct source){.dir = xstrdup(dir), .name = str_dup(name), .is_file = is_file};
}

static void
find_source(struct sources *sources, const char *path, const char *root,
            const char *git_dir)
{
    AUTO(free) char *real = NULL;
    struct str rest = str_of(path);
    bool is_file = true;
    while (rest.n > 1) {
        AUTO(free) char *dir = str_dup(path_dirname(rest));
        if (fs_real_path(dir, &real) == 0) {
            AUTO(free) char *known = known_name(real, root, git_dir);
            add_source(sources, known, path_basename(rest), is_file);
            return;
        }
        rest = path_dirname(rest);
        is_file = false;
    }
}

void
sources_find(const struct paths *paths, const char *root, const char *git_dir,
             struct sources *ret_sources)
{
    for (size_t i = 0; i < paths->n; i++) {
        AUTO(free) char *path = path_normalize(paths->v[i]), *real = NULL;
        struct fs_stat st;
        /* Everybody writes to /dev/null, and never any settings. */
        if (fs_stat_file(path, &st) == 0 && !S_ISREG(st.mode))
            continue;
        find_source(ret_sources, path, root, git_dir);
        /* A link: what it leads to changes elsewhere. */
        if (fs_real_path(path, &real) == 0 && strcmp(real, path) != 0)
            find_source(ret_sources, real, root, git_dir);
    }
}

/* ---- on the loop ---- */

void
sources_finish(struct sources *sources)
{
    for (size_t i = 0; i < sources->n; i++) {
        free(sources->v[i].dir);
        free(sources->v[i].name);
    }
    vec_finish(sources);
}

bool
sources_have(const struct sources *sources, const char *dir, const char *name)
{
    for (size_t i = 0; i < sources->n; i++)
        if (strcmp(sources->v[i].dir, dir) == 0 &&
            (!name || strcmp(sources->v[i].name, name) == 0))
            return true;
    return false;
}

static bool
has_dir(const struct sources *sources, const char *dir)
{
    return sources_have(sources, dir, NULL);
}

/* Somebody else in the scan watches it, too. */
static bool
is_shared(const struct scan *s, const char *dir)
{
    struct str below = path_below(str_slice(s->root, s->root_n), str_of(dir));
    return (s->git_dir && strcmp(dir, s->git_dir) == 0) ||
           (s->above && strcmp(dir, s->above) == 0) || (below.p && dir_find(s, below));
}

bool
sources_watch(struct scan *s, struct sources *fresh)
{
    struct sources old = s->sources;
    bool is_new = false;
    s->sources = *fresh;
    *fresh = (struct sources){0};
    for (size_t i = 0; i < s->sources.n && s->watch; i++) {
        const struct source *source = &s->sources.v[i];
        int r = source->is_file ? watch_add(s->watch, source->dir)
                                : watch_add_names(s->watch, source->dir);
        /* One that cannot be watched is read again with the next walk. */
        is_new |= r == 0 && !has_dir(&old, source->dir);
    }
    for (size_t i = 0; i < old.n && s->watch; i++)
        if (!has_dir(&s->sources, old.v[i].dir) && !is_shared(s, old.v[i].dir))
            watch_remove(s->watch, old.v[i].dir);
    sources_finish(&old);
    return is_new;
}
