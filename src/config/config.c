/* Where settings come from, later ones over earlier ones: defaults, the user's file, the
 * environment, flags; and apart from these what a workspace may say. Invariant: whoever gets a
 * struct config gets one that passed every check; a wrong source changes nothing. */
#include "config/config.h"

#include "base/err.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "codec/codec.h"
#include "config/internal.h"

void
config_destroy(struct config *c)
{
    if (!c)
        return;
    arena_finish(&c->arena);
    free(c);
}

/* "<where>: <what>", taking `what`. */
static int
explain(const char *where, char *what, int r, char **ret_why)
{
    *ret_why = xasprintf("%s: %s", where, what);
    free(what);
    return r;
}

static void
set_defaults(struct config *c)
{
    const struct config_setting *s;
    for (size_t i = 0; (s = config_setting_at(i)); i++) {
        char *what = NULL;
        int r = s->fallback ? setting_set_text(c, s, str_of(s->fallback), &what) : 0;
        assert(r == 0);
        (void)r;
    }
}

/* ---- files ---- */

struct file_reader {
    struct config *c;
    const char *path;
    bool is_workspace;
};

static int
refuse(const struct file_reader *f, struct str name, const char *what, char **ret_why)
{
    *ret_why = xasprintf("%s: %.*s: %s", f->path, STR_ARG(name), what);
    return -EINVAL;
}

/* Members of an object whose names begin with prefix ("index."). Depth ends with the table's names. */
static int
read_members(const struct file_reader *f, struct str prefix, const json_t *object,
             char **ret_why)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        AUTO(buf_finish) struct buf full = {0};
        buf_add_str(&full, prefix);
        buf_add_cstr(&full, key);
        struct str name = buf_str(&full);
        const struct config_setting *s = setting_find(name);
        int r = 0;
        if (s && str_eq_c(name, s->name)) {
            char *what = NULL;
            if (f->is_workspace && !s->is_workspace_safe)
                return refuse(f, name, "a workspace may not set this", ret_why);
            r = setting_set_json(f->c, s, object, key, f->is_workspace, &what);
            if (r < 0)
                /* "servers" + "[0].name: …" is one place. */
                *ret_why = xasprintf("%s: %s%s%s", f->path, s->name,
                                     what[0] == '[' ? "" : ": ", what);
            free(what);
        } else if (setting_is_group(name)) {
            if (!json_is_object(value))
                return refuse(f, name, "must be an object", ret_why);
            buf_add_char(&full, '.');
            r = read_members(f, buf_str(&full), value, ret_why);
        } else if (!str_eq(name, STR("$schema"))) {
            return refuse(f, name, "there is no such setting", ret_why);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* -ENOENT when there is none; *ret_why is set for every other error. */
static int
read_file(const struct file_reader *f, char **ret_why)
{
    AUTO(buf_finish) struct buf text = {0};
    AUTO(json_decref_) json_t *value = NULL;
    char *what = NULL;
    int r = fs_read_file(f->path, CONFIG_FILE_BYTES_MAX, &text, NULL);
    if (r == -ENOENT || r == -ENOTDIR)
        return -ENOENT;
    if (r == -EFBIG)
        return explain(f->path, xasprintf("larger than %d bytes", CONFIG_FILE_BYTES_MAX),
                       r, ret_why);
    if (r == -EINVAL)
        return explain(f->path, xstrdup("not a regular file"), r, ret_why);
    if (r < 0)
        return explain(f->path, xasprintf("cannot be read: %s", err_text(r)), r, ret_why);
    r = codec_parse(buf_str(&text), &value, &what);
    if (r < 0)
        return explain(f->path, what, r, ret_why);
    if (!json_is_object(value))
        return explain(f->path, xstrdup("must be one JSON object"), -EINVAL, ret_why);
    return read_members(f, STR_NONE, value, ret_why);
}

/* ---- environment and flags ---- */

static int
read_environment(struct config *c, char **ret_why)
{
    const struct config_setting *s;
    for (size_t i = 0; (s = config_setting_at(i)); i++) {
        const char *value = s->env ? getenv(s->env) : NULL;
        char *what = NULL;
        if (!value || value[0] == '\0')
            continue;
        int r = setting_set_text(c, s, str_of(value), &what);
        if (r < 0)
            return explain(s->env, what, r, ret_why);
    }
    return 0;
}

static int
read_flags(struct config *c, const struct config_flag *flags, size_t n, char **ret_why)
{
    for (size_t i = 0; i < n; i++) {
        AUTO(free) char *where = xasprintf("--%s", flags[i].name);
        const struct config_setting *s = setting_find(str_of(flags[i].name));
        const char *value = flags[i].value;
        char *what = NULL;
        if (!s)
            return explain(where, xstrdup("there is no such setting"), -EINVAL, ret_why);
        if (!value && s->type == CONFIG_BOOL)
            value = "true";
        if (!value)
            return explain(where, xstrdup("needs a value"), -EINVAL, ret_why);
        int r = setting_set_text(c, s, str_of(value), &what);
        if (r < 0)
            return explain(where, what, r, ret_why);
    }
    return 0;
}

/* ---- the two ways to a config ---- */

int
config_load(const struct config_flag *flags, size_t n, struct config **ret_config,
            char **ret_why)
{
    AUTO(config_destroy) struct config *c = xnew(struct config);
    AUTO(free) char *path = config_file_path();
    struct file_reader file = {.c = c, .path = path};
    set_defaults(c);
    int r = read_file(&file, ret_why);
    if (r < 0 && r != -ENOENT)
        return err_trace(r);
    r = read_environment(c, ret_why);
    if (r < 0)
        return err_trace(r);
    r = read_flags(c, flags, n, ret_why);
    if (r < 0)
        return err_trace(r);
    *ret_config = steal(c);
    return 0;
}

int
config_for_workspace(const struct config *base, const char *root,
                     struct config **ret_config, char **ret_why)
{
    AUTO(config_destroy) struct config *c = xnew(struct config);
    AUTO(free) char *path = path_join(root, CONFIG_WORKSPACE_FILE);
    struct file_reader file = {.c = c, .path = path, .is_workspace = true};
    /* Views into base stay; what is added goes into an arena of its own. */
    *c = *base;
    c->arena = (struct arena){0};
    int r = read_file(&file, ret_why);
    if (r == -ENOENT) {
        *ret_config = NULL;
        return 0;
    }
    if (r < 0)
        return err_trace(r);
    *ret_config = steal(c);
    return 0;
}
