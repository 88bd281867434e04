/* What servers do beside the protocol. Each quirk is a bit of a row of the servers
 * table. */
#include "lsp/client/internal.h"

#include <dirent.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"

#define COMPILE_COMMANDS "compile_commands.json"
#define FOLDER_ENTRIES_MAX 10000

static bool
has_compile_commands(const char *dir)
{
    AUTO(free) char *file = path_join(dir, COMPILE_COMMANDS);
    return fs_exists(file);
}

/* Of the folders named build*, the first by name, so that the choice is the same each
 * time. */
static char *
find_build_folder(const char *root)
{
    char *found = NULL;
    DIR *dir = opendir(root);
    if (!dir)
        return NULL;
    const struct dirent *entry;
    for (size_t n = 0; n < FOLDER_ENTRIES_MAX && (entry = readdir(dir)); n++) {
        if (strncmp(entry->d_name, "build", 5) != 0)
            continue;
        char *path = path_join(root, entry->d_name);
        if ((!found || strcmp(path, found) < 0) && has_compile_commands(path)) {
            free(found);
            found = steal(path);
        }
        free(path);
    }
    closedir(dir);
    return found;
}

char *
client_quirk_argument(const struct client_spec *spec, const char *root)
{
    if (!(spec->quirks & QUIRK_COMPILE_COMMANDS))
        return NULL;
    for (const char *const *word = spec->command; *word; word++) {
        if (str_starts_with(str_of(*word), STR("--compile-commands-dir")))
            return NULL; // the user knows better
    }
    AUTO(free)
    char *dir = has_compile_commands(root) ? xstrdup(root) : find_build_folder(root);
    return dir ? xasprintf("--compile-commands-dir=%s", dir) : NULL;
}

bool
client_quirk_is_loading(const struct client_spec *spec, struct str text)
{
    return (spec->quirks & QUIRK_LOADING_TEXT) &&
           str_find(text, STR("(loading...)")) >= 0;
}
