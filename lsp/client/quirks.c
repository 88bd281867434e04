/* What servers do beside the protocol. Each quirk is a bit of a row of the servers
 * table. */
#include "lsp/client/choice.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"

#define TSSERVER "typescript/lib/tsserver.js"

char *
client_quirk_argument(const struct client_spec *spec, const char *root)
{
    if (!(spec->quirks & QUIRK_COMPILE_COMMANDS))
        return NULL;
    for (const char *const *word = spec->command; *word; word++) {
        if (str_starts_with(str_of(*word), STR("--compile-commands-dir")))
            return NULL; // the user knows better
    }
    AUTO(free) char *dir = client_root_database(root);
    return dir ? xasprintf("--compile-commands-dir=%s", dir) : NULL;
}

/* ---- the TypeScript of our choice: left alone, the server runs the workspace's ---- */

/* In a folder node_modules around it. */
static char *
tsserver_around(const char *program)
{
    AUTO(free) char *real = NULL;
    if (fs_real_path(program, &real) < 0)
        return NULL;
    struct str dir = path_dirname(str_of(real));
    for (; dir.n > 1; dir = path_dirname(dir)) {
        AUTO(free) char *beside = xasprintf("%.*s/" TSSERVER, STR_ARG(dir));
        AUTO(free) char *below = xasprintf("%.*s/node_modules/" TSSERVER, STR_ARG(dir));
        if (fs_exists(beside))
            return steal(beside);
        if (fs_exists(below))
            return steal(below);
    }
    return NULL;
}

static char *
find_tsserver(const char *program, const char *path)
{
    AUTO(free) char *tsserver = NULL;
    char *found = tsserver_around(program);
    if (found || !(tsserver = fs_find_program("tsserver", path)))
        return found;
    return tsserver_around(tsserver);
}

char *
client_quirk_misses(const struct client_spec *spec, const char *program, const char *path)
{
    if (!(spec->quirks & QUIRK_OWN_TSSERVER))
        return NULL;
    AUTO(free) char *tsserver = find_tsserver(program, path);
    return tsserver ? NULL
                    : xasprintf("%s has no TypeScript beside it, and the workspace's own "
                                "is not run; npm install -g typescript",
                                program);
}

char *
client_quirk_tsserver(const struct client_spec *spec, const char *program,
                      const char *root)
{
    if (!(spec->quirks & QUIRK_OWN_TSSERVER))
        return NULL;
    AUTO(free) char *path = client_choice_path(root);
    return find_tsserver(program, path);
}

json_t *
client_quirk_options(const struct client_spec *spec, const char *program,
                     const char *root, json_t *options)
{
    AUTO(free) char *tsserver = client_quirk_tsserver(spec, program, root);
    if (!tsserver)
        return options;
    if (!options)
        options = json_object();
    if (!json_object_get(json_object_get(options, "tsserver"), "path")) {
        json_t *own = json_pack("{s:{s:s}}", "tsserver", "path", tsserver);
        json_object_update_recursive(options, own);
        json_decref(own);
    }
    return options;
}

bool
client_quirk_is_loading(const struct client_spec *spec, struct str text)
{
    return (spec->quirks & QUIRK_LOADING_TEXT) &&
           str_find(text, STR("(loading...)")) >= 0;
}
