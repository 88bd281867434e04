/* Which version of a server speaks: as it says itself, else as its package says, for most
 * servers of npm do not tell. Shown to people, and part of the key of its answers. */
#include "lsp/client/internal.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "codec/codec.h"

#define PACKAGE_BYTES_MAX (256 * 1024)

static char *
version_in(const char *file)
{
    AUTO(buf_finish) struct buf text = {0};
    AUTO(json_decref_) json_t *package = NULL;
    AUTO(free) char *why = NULL;
    struct str version;
    if (fs_read_file(file, PACKAGE_BYTES_MAX, &text, NULL) < 0 ||
        codec_parse(buf_str(&text), &package, &why) < 0 ||
        codec_get_str(package, "version", &version) < 0)
        return NULL;
    return str_dup(version);
}

/* Of the package in a node_modules that a program or a module of it lies in. */
static char *
version_of_package(const char *program)
{
    AUTO(free) char *real = NULL;
    if (fs_real_path(program, &real) < 0 || !strstr(real, "/node_modules/"))
        return NULL;
    struct str dir = path_dirname(str_of(real));
    for (; dir.n > 1 && !str_ends_with(dir, STR("/node_modules"));
         dir = path_dirname(dir)) {
        AUTO(free) char *file = xasprintf("%.*s/package.json", STR_ARG(dir));
        char *version = version_in(file);
        if (version)
            return version;
    }
    return NULL;
}

/* gopls says it as a JSON object about its build. */
static char *
unwrapped(struct str said)
{
    AUTO(json_decref_) json_t *build = NULL;
    AUTO(free) char *why = NULL;
    struct str version, go = STR_NONE;
    if (!str_starts_with(said, STR("{")) || codec_parse(said, &build, &why) < 0 ||
        codec_get_str(build, "Version", &version) < 0)
        return str_dup(said);
    (void)codec_get_str(build, "GoVersion", &go);
    return xasprintf("%.*s %.*s", STR_ARG(version), STR_ARG(go));
}

/* Its hovers are TypeScript's. */
static char *
with_typescript(const struct client *c, char *version)
{
    const json_t *own = json_object_get(json_object_get(c->options, "tsserver"), "path");
    AUTO(free)
    char *tsserver = json_is_string(own)
                         ? xstrdup(json_string_value(own))
                         : client_quirk_tsserver(c->spec, c->program, c->workspace_root);
    AUTO(free) char *typescript = tsserver ? version_of_package(tsserver) : NULL;
    if (!typescript)
        return version;
    char *both = xasprintf("%s, TypeScript %s", version ? version : "", typescript);
    free(version);
    return both;
}

/* A program that says nothing changes when its file does. */
static char *
version_of_file(const char *program)
{
    struct fs_stat st;
    if (fs_stat_file(program, &st) < 0)
        return xstrdup("");
    return xasprintf("%" PRIu64 " %" PRId64, st.size_bytes, st.mtime_ns);
}

char *
client_version_read(struct client *c, const json_t *info)
{
    struct str name = STR_NONE, said = STR_NONE;
    if (info) {
        (void)codec_get_str(info, "name", &name);
        (void)codec_get_str(info, "version", &said);
    }
    char *version = said.n > 0 ? unwrapped(said) : version_of_package(c->program);
    version = with_typescript(c, version);
    if (version)
        snprintf(c->stats.version, sizeof(c->stats.version), "%s", version);
    else
        snprintf(c->stats.version, sizeof(c->stats.version), "%.*s", STR_ARG(name));
    return version ? version : version_of_file(c->program);
}
