/* WORKSPACE '\0' USER: a workspace's own file over a user's; '\0' and a connection string may follow. */
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/uri.h"
#include "config/config.h"
#include "fuzz.h"

static char *folder, *user_file, *workspace_file;

static void
remove_folder(void)
{
    AUTO(free) char *below = path_join(folder, "gloss");
    unlink(workspace_file);
    unlink(user_file);
    rmdir(below);
    rmdir(folder);
    free(folder);
    free(user_file);
    free(workspace_file);
}

void
fuzz_init(void)
{
    const char *tmp = getenv("TMPDIR");
    folder = path_join(tmp && tmp[0] ? tmp : "/tmp", "fuzz-config-XXXXXX");
    fuzz_check(mkdtemp(folder));
    fuzz_check(setenv("XDG_CONFIG_HOME", folder, 1) == 0);
    AUTO(free) char *below = path_join(folder, "gloss");
    fuzz_check(fs_mkdir_p(below, 0700) == 0);
    user_file = config_file_path();
    workspace_file = path_join(folder, CONFIG_WORKSPACE_FILE);
    atexit(remove_folder);
}

static void
put(const char *path, struct str text)
{
    FILE *f = fopen(path, "w");
    fuzz_check(f && fwrite(text.p ? text.p : "", 1, text.n, f) == text.n);
    fclose(f);
}

static void
show_all(const struct config *c)
{
    AUTO(buf_finish) struct buf b = {0};
    const struct config_setting *s;
    for (size_t i = 0; (s = config_setting_at(i)); i++)
        config_setting_show(c, s, &b);
    fuzz_check(c->jobs <= 256 && c->n_ignore <= 2 * CONFIG_IGNORE_MAX);
    fuzz_check(c->n_servers <= CONFIG_SERVERS_MAX);
}

static bool
is_index_url(struct str url)
{
    return str_starts_with(url, STR("sqlite:/")) ||
           str_starts_with(url, STR("rocksdb:/")) ||
           str_starts_with(url, STR("postgres://")) ||
           str_starts_with(url, STR("postgresql://")) || str_eq(url, STR("mem:"));
}

static void
read_places(const char *text)
{
    char *url = NULL, *why = NULL, *path = NULL;
    if (config_db_url(text, &url, &why) == 0)
        fuzz_check(is_index_url(str_of(url)) && !why);
    else
        fuzz_check(why && !url);
    AUTO(free) char *shown = uri_public(text);
    AUTO(free) char *shown_again = uri_public(shown);
    fuzz_check(strcmp(shown, shown_again) == 0);
    if (uri_to_path(str_of(text), &path) == 0) {
        char *back = NULL;
        AUTO(free) char *uri = uri_from_path(path);
        fuzz_check(uri_to_path(str_of(uri), &back) == 0 && strcmp(back, path) == 0);
        free(back);
    }
    free(url);
    free(why);
    free(path);
}

void
fuzz_one(struct str input)
{
    struct str workspace = fuzz_part(&input, '\0'), user = fuzz_part(&input, '\0');
    AUTO(config_destroy) struct config *base = NULL, *own = NULL;
    char *why = NULL;
    read_places(input.n > 0 ? input.p : "");
    put(user_file, user);
    put(workspace_file, workspace);
    if (config_load(NULL, 0, &base, &why) == 0) {
        show_all(base);
        if (config_for_workspace(base, folder, &own, &why) == 0 && own) {
            show_all(own);
            fuzz_check(own->trusted == base->trusted &&
                       own->n_servers == base->n_servers);
        }
    }
    fuzz_check(!why || str_find_char(str_of(why), '\n') < 0);
    free(why);
}
