/* The choice of a server for a language: first the user's own in their order, then the
 * table in its order, the first whose program may be run. Invariant: a program comes from
 * the user's configuration or from PATH, never from a workspace: what PATH names relative
 * to where we stand, or within the workspace, is neither run by us nor seen by the
 * servers we run. Only a home folder that is a workspace as a whole keeps its own. */
#include "lsp/client/choice.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"

extern char **environ;

/* ---- PATH without what a workspace can fill ---- */

static bool
is_below(const char *root, const char *dir)
{
    return path_below(str_of(root), str_of(dir)).p != NULL;
}

/* The user's home, with the programs installed there, is in it. */
static bool
holds_home(const char *root)
{
    AUTO(free) char *home = NULL;
    const char *named = getenv("HOME");
    return named && fs_real_path(named, &home) == 0 && is_below(root, home);
}

static bool
is_of_workspace(const char *root, const char *dir)
{
    AUTO(free) char *real = NULL;
    if (dir[0] != '/')
        return true;
    if (!root || fs_real_path(dir, &real) < 0)
        return false;
    return is_below(root, real);
}

char *
client_choice_path(const char *root)
{
    AUTO(buf_finish) struct buf clean = {0};
    struct str rest = str_of(getenv("PATH")), dir;
    if (root && holds_home(root))
        root = NULL;
    while (str_split(&rest, ':', &dir)) {
        AUTO(free) char *name = str_dup(dir);
        if (!is_of_workspace(root, name))
            buf_printf(&clean, "%s%s", clean.n > 0 ? ":" : "", name);
    }
    return buf_steal(&clean);
}

char **
client_choice_environment(const char *root)
{
    VEC(char *) all = {0};
    AUTO(free) char *path = client_choice_path(root);
    for (char **entry = environ; *entry; entry++) {
        if (!str_starts_with(str_of(*entry), STR("PATH=")))
            *vec_push(&all) = xstrdup(*entry);
    }
    *vec_push(&all) = xasprintf("PATH=%s", path);
    *vec_push(&all) = NULL;
    return all.v;
}

void
client_choice_environment_free(char **environment)
{
    for (char **entry = environment; entry && *entry; entry++)
        free(*entry);
    free(environment);
}

/* ---- candidates ---- */

static bool
is_configured(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_servers; i++) {
        if (strcmp(config->servers[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool
speaks(const struct client_spec *spec, struct str lang)
{
    for (const char *const *l = spec->languages; l && *l; l++) {
        if (str_eq_c(lang, *l))
            return true;
    }
    return false;
}

/* What the user said over what the table says. */
static struct client_spec
merged(const struct config_server *server)
{
    struct client_spec spec = {0};
    const struct client_spec *known = client_spec_known(server->name);
    if (known)
        spec = *known;
    spec.name = server->name;
    if (server->command)
        spec.command = server->command;
    if (server->languages)
        spec.languages = server->languages;
    if (server->root_markers) {
        spec.root_markers = server->root_markers;
        spec.root_rule = CLIENT_ROOT_NEAREST;
    }
    if (server->settings)
        spec.settings = server->settings;
    if (server->initialization_options)
        spec.initialization_options = server->initialization_options;
    return spec;
}

static void
look_for_program(const char *root, struct client_candidate *c)
{
    const char *name = c->spec.command[0];
    AUTO(free) char *path = client_choice_path(root);
    c->program = fs_find_program(name, path);
    if (c->program) {
        c->why = client_quirk_misses(&c->spec, c->program, path);
        if (c->why)
            free(steal(c->program));
        return;
    }
    AUTO(free) char *elsewhere = fs_find_program(name, NULL);
    if (elsewhere)
        c->why = xasprintf("%s is the workspace's own and is not run", elsewhere);
    else if (name[0] == '/')
        c->why = xasprintf("%s is no program", name);
    else
        c->why = xasprintf("%s is not on PATH", name);
}

static void
look_at(const struct config *config, const char *root, bool is_enabled,
        struct client_candidate *c)
{
    if (!config->trusted)
        c->why = xstrdup("no program is started: the workspace is not trusted");
    else if (!config->enrich_enabled)
        c->why = xstrdup("turned off: enrich.enabled is false");
    else if (!is_enabled)
        c->why = xstrdup("turned off by your configuration");
    c->is_off = c->why != NULL;
    if (!c->is_off)
        look_for_program(root, c);
}

bool
client_candidate_at(const struct config *config, const char *root, struct str lang,
                    size_t index, struct client_candidate *ret)
{
    *ret = (struct client_candidate){0};
    for (size_t i = 0; i < config->n_servers; i++) {
        struct client_spec spec = merged(&config->servers[i]);
        if (!spec.command || !speaks(&spec, lang) || index-- > 0)
            continue;
        ret->spec = spec;
        ret->is_users = config->servers[i].command != NULL;
        ret->install_hint = client_spec_hint(spec.name);
        look_at(config, root, config->servers[i].enabled, ret);
        return true;
    }
    const struct client_spec *spec;
    const char *hint;
    for (size_t i = 0; (spec = client_spec_at(i, &hint)); i++) {
        if (is_configured(config, spec->name) || !speaks(spec, lang) || index-- > 0)
            continue;
        ret->spec = *spec;
        ret->install_hint = hint;
        look_at(config, root, true, ret);
        return true;
    }
    return false;
}

void
client_candidate_finish(struct client_candidate *c)
{
    free(c->program);
    free(c->why);
    *c = (struct client_candidate){0};
}

bool
client_spec_for(const struct config *config, const char *root, struct str lang,
                struct client_spec *ret_spec, char **ret_program)
{
    struct client_candidate c;
    for (size_t i = 0; client_candidate_at(config, root, lang, i, &c); i++) {
        bool is_found = c.program != NULL;
        if (is_found) {
            *ret_spec = c.spec;
            *ret_program = steal(c.program);
        }
        client_candidate_finish(&c);
        if (is_found)
            return true;
    }
    return false;
}
