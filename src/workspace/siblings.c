/* Readers on the indexes of a folder and of its other worktrees. Invariant: an index that cannot be read, is of another
 * schema or turns out damaged costs one look, and is left alone until they are all looked for anew. */
#include "workspace/siblings.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "workspace/worktrees.h"

struct siblings {
    char *root, *url;
    struct store_reader *readers[SIBLINGS_OPEN_MAX];
    size_t n_readers;
    int64_t looked_ms; // 0: not yet
};

struct siblings *
siblings_create(const char *root, const char *url)
{
    struct siblings *s = xnew(struct siblings);

    s->root = xstrdup(root);
    s->url = xstrdup(url);
    return s;
}

void
siblings_rest(struct siblings *s)
{
    for (size_t i = 0; i < s->n_readers; i++)
        store_reader_close(s->readers[i]);
    s->n_readers = 0;
    s->looked_ms = 0;
}

void
siblings_destroy(struct siblings *s)
{
    if (!s)
        return;
    siblings_rest(s);
    free(s->root);
    free(s->url);
    free(s);
}

/* A link would lead to what nobody wrote as the index of that folder. */
static bool
is_own_file(const char *path)
{
    AUTO(free) char *dir = str_dup(path_dirname(str_of(path)));
    struct fs_stat st;

    return fs_lstat_file(dir, &st) == 0 && S_ISDIR(st.mode) &&
           fs_lstat_file(path, &st) == 0 && S_ISREG(st.mode);
}

static bool
add_reader(struct siblings *s, const char *url)
{
    if (store_reader_open(url, &s->readers[s->n_readers], NULL) == 0)
        s->n_readers++;
    return s->n_readers < SIBLINGS_OPEN_MAX;
}

static bool
add_sibling(void *ctx, const char *root)
{
    AUTO(free) char *path = config_index_path(root);
    AUTO(free) char *url = xasprintf("sqlite:%s", path);

    return !is_own_file(path) || add_reader(ctx, url);
}

static void
look(struct siblings *s)
{
    int64_t now_ms = clock_mono_ms();

    if (s->looked_ms && now_ms - s->looked_ms < SIBLINGS_AGE_MS)
        return;
    siblings_rest(s);
    add_reader(s, s->url);
    worktrees_each(s->root, add_sibling, s);
    s->looked_ms = now_ms;
}

static void
drop(struct siblings *s, size_t i)
{
    store_reader_close(s->readers[i]);
    s->readers[i] = s->readers[--s->n_readers];
}

bool
siblings_next(struct siblings *s, size_t *at, struct hash128 content, struct str lang,
              uint64_t server_key, struct arena *a, struct store_told *ret_told)
{
    if (*at == 0)
        look(s);
    while (*at < s->n_readers) {
        int r = store_read_told(s->readers[*at], content, lang, a, ret_told);

        if (r < 0 && r != -ENOENT) {
            drop(s, *at);
            continue;
        }
        ++*at;
        if (r == 0 && (server_key == 0 || ret_told->server_key == server_key))
            return true;
    }
    return false;
}
