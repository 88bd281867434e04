/* Why: an index of a scanner's own is opened when somebody names it, and to name it one has to know that it is there. The
 * state folder says so. Invariant: what is told has an index at the very place where its name leads, so that a folder
 * that only looks like one is not told; nothing is opened for it. */
#include <dirent.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "workspace/internal.h"

#define CLOSED_MAX 1000

struct names {
    VEC(char *) all;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
id_of(const char *root, char ret_id[HASH_HEX_BYTES])
{
    hash128_to_hex(hash128(str_of(root)), ret_id);
    ret_id[WORKSPACE_ID_BYTES - 1] = '\0';
}

/* NAME of a folder "pushed:NAME-ID"; NULL of another. */
static char *
name_of(const char *folder)
{
    struct str rest = str_of(folder), prefix = STR(WORKSPACE_PUSHED);
    if (!str_starts_with(rest, prefix) || rest.n < prefix.n + 1 + WORKSPACE_ID_BYTES)
        return NULL;
    size_t n = rest.n - prefix.n - WORKSPACE_ID_BYTES; // with the dash
    return str_dup(str_slice(rest.p + prefix.n, n));
}

static bool
is_closed(const struct workspaces *all, const char *folder, const char *name)
{
    AUTO(free) char *root = xasprintf(WORKSPACE_PUSHED "%s", name);
    AUTO(free) char *path = config_index_path(root), *ending = NULL;
    char id[HASH_HEX_BYTES];
    id_of(root, id);
    ending = xasprintf("/%s/index.db", folder);
    return str_ends_with(str_of(path), str_of(ending)) && fs_exists(path) &&
           !workspaces_by_id(all, str_of(id));
}

static void
read_names(const struct workspaces *all, struct names *names)
{
    AUTO(free) char *state = config_state_dir();
    DIR *dir = opendir(state);
    const struct dirent *entry;
    while (dir && names->all.n < CLOSED_MAX && (entry = readdir(dir))) {
        char *name = name_of(entry->d_name);
        if (name && is_closed(all, entry->d_name, name))
            *vec_push(&names->all) = name;
        else
            free(name);
    }
    if (dir)
        closedir(dir);
    if (names->all.n > 1)
        qsort(names->all.v, names->all.n, sizeof(*names->all.v), by_name);
}

void
workspaces_add_closed(struct buf *json, const struct workspaces *all)
{
    struct names names = {0};
    char id[HASH_HEX_BYTES];
    ASSERT_LOOP();
    if (!all->options.db_url) // else it says where they lie, and not which there are
        read_names(all, &names);
    buf_add_char(json, '[');
    for (size_t i = 0; i < names.all.n; i++) {
        AUTO(free) char *root = xasprintf(WORKSPACE_PUSHED "%s", names.all.v[i]);
        id_of(root, id);
        buf_printf(json, "%s{\"id\":\"%s\",\"name\":", i > 0 ? "," : "", id);
        codec_add_string(json, str_of(names.all.v[i]));
        buf_add_cstr(json, ",\"root\":");
        codec_add_string(json, str_of(root));
        buf_add_char(json, '}');
        free(names.all.v[i]);
    }
    buf_add_char(json, ']');
    vec_finish(&names.all);
}
