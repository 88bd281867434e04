/* The folder that a server is to work in for a file: by the markers of its row, going up
 * from the file, never above the workspace; and the compilation database of a folder.
 * Only asks the file system; the caller keeps the answers of a folder. Invariant: what is
 * found is the workspace's root or below it, and the same each time. */
#include "lsp/client/choice.h"

#include <dirent.h>
#include <fnmatch.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"

#define COMPILE_COMMANDS "compile_commands.json"
#define FOLDER_ENTRIES_MAX 10000
#define DEPTH_MAX 64 // folders between a file and the root
#define MARKER_BYTES_MAX (256 * 1024)

/* ---- compile_commands.json ---- */

/* Where builds put it: below such a folder, or one below that for each configuration
 * (out/Debug, build/asan), or two (out/build/x64). */
static const char *const build_folders[] = {"build*", "cmake-build-*", "_build*",
                                            ".build", "out",           "bin",
                                            "Debug",  "Release",       NULL};
static const char *const any_folder[] = {"[!.]*", NULL};

static bool
is_named(const char *name, const char *const *patterns)
{
    for (; *patterns; patterns++) {
        if (fnmatch(*patterns, name, FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

/* The first entry by name that fits and for which `test` gives something: its result. */
static char *
first_of(const char *folder, const char *const *patterns, unsigned depth,
         char *(*test)(const char *path, unsigned depth))
{
    char *best = NULL;
    AUTO(free) char *best_name = NULL;
    DIR *dir = opendir(folder);
    if (!dir)
        return NULL;
    const struct dirent *entry;
    for (size_t n = 0; n < FOLDER_ENTRIES_MAX && (entry = readdir(dir)); n++) {
        if (!is_named(entry->d_name, patterns) ||
            (best && strcmp(entry->d_name, best_name) > 0))
            continue;
        AUTO(free) char *path = path_join(folder, entry->d_name);
        char *found = test(path, depth);
        if (found) {
            free(best);
            free(best_name);
            best = found;
            best_name = xstrdup(entry->d_name);
        }
    }
    closedir(dir);
    return best;
}

static char *
database_in(const char *folder, unsigned depth)
{
    AUTO(free) char *file = path_join(folder, COMPILE_COMMANDS);
    if (fs_exists(file))
        return xstrdup(folder);
    return depth > 0 ? first_of(folder, any_folder, depth - 1, database_in) : NULL;
}

char *
client_root_database(const char *folder)
{
    char *here = database_in(folder, 0);
    return here ? here : first_of(folder, build_folders, 2, database_in);
}

/* ---- markers ---- */

static char *
mark_found(const char *path, unsigned depth UNUSED)
{
    return xstrdup(path);
}

/* A line begins with it, but for white space. */
static bool
has_line(const char *file, struct str beginning)
{
    AUTO(buf_finish) struct buf text = {0};
    if (fs_read_file(file, MARKER_BYTES_MAX, &text, NULL) < 0)
        return false;
    struct str rest = buf_str(&text), line;
    while (str_split(&rest, '\n', &line)) {
        if (str_starts_with(str_trim(line), beginning))
            return true;
    }
    return false;
}

/* "NAME", "*.ending" or "NAME beginning of a line". */
static bool
has_marker(const struct client_spec *spec, const char *folder, const char *marker)
{
    struct str rest = str_of(marker), first = STR_NONE;
    str_split(&rest, ' ', &first);
    AUTO(free) char *name = str_dup(first);
    if (strchr(name, '*')) {
        const char *const patterns[] = {name, NULL};
        AUTO(free) char *found = first_of(folder, patterns, 0, mark_found);
        return found != NULL;
    }
    if ((spec->quirks & QUIRK_COMPILE_COMMANDS) && strcmp(name, COMPILE_COMMANDS) == 0) {
        AUTO(free) char *database = client_root_database(folder);
        return database != NULL;
    }
    AUTO(free) char *file = path_join(folder, name);
    return rest.n > 0 ? has_line(file, rest) : fs_exists(file);
}

/* ---- going up ---- */

/* From the file's folder to the root, or the other way; NULL: none has any of them. */
static char *
climb(const struct client_spec *spec, const char *root, struct str folder,
      const char *const *markers, size_t n_markers, bool is_outermost)
{
    char *found = NULL;
    for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
        AUTO(free) char *name = str_dup(folder);
        AUTO(free) char *path = folder.n > 0 ? path_join(root, name) : xstrdup(root);
        for (size_t i = 0; i < n_markers; i++) {
            if (!has_marker(spec, path, markers[i]))
                continue;
            free(found);
            found = xstrdup(path);
            if (!is_outermost)
                return found;
            break;
        }
        if (folder.n == 0)
            break;
        folder = path_dirname(folder);
        if (str_eq_c(folder, "."))
            folder = STR_NONE;
    }
    return found;
}

/* The file's folder below the root, "" for the root's own; false: it is elsewhere. */
static bool
folder_of(const char *root, const char *path, char **ret_folder)
{
    AUTO(free) char *joined = path_join(root, path);
    AUTO(free) char *absolute = path_normalize(joined);
    struct str below = path_below(str_of(root), str_of(absolute));
    if (!below.p || below.n == 0)
        return false;
    struct str folder = path_dirname(below);
    *ret_folder = str_eq_c(folder, ".") ? xstrdup("") : str_dup(folder);
    return true;
}

char *
client_root_for(const struct client_spec *spec, const char *workspace_root,
                const char *path)
{
    AUTO(free) char *root = path_normalize(workspace_root), *folder = NULL;
    const char *const *markers = spec->root_markers;
    char *found = NULL;
    size_t n = 0;
    if (!markers || !folder_of(root, path, &folder))
        return steal(root);
    while (markers[n])
        n++;
    switch (spec->root_rule) {
    case CLIENT_ROOT_NEAREST:
    case CLIENT_ROOT_OUTERMOST:
        found = climb(spec, root, str_of(folder), markers, n,
                      spec->root_rule == CLIENT_ROOT_OUTERMOST);
        break;
    case CLIENT_ROOT_FIRST_MARKER:
        for (size_t i = 0; i < n && !found; i++)
            found = climb(spec, root, str_of(folder), &markers[i], 1, false);
        break;
    }
    return found ? found : steal(root);
}
