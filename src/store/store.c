/* The contract's front: picks the backend by the URL's scheme, and asks it for what is its own. What a writer is
 * asked is in put.c, hover.c, past.c and event.c, what a reader is, in reader.c, find.c and walk.c. Nothing
 * here knows how a backend stores anything. */
#include "store/store.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "store/backend.h"
#include "store/shared.h"

static const struct store_ops *const backends[] = {
    &store_sqlite_ops,   &store_mem_ops,        &store_rocksdb_ops,
    &store_postgres_ops, &store_postgresql_ops,
};

/* Why an address that means something is none here. */
static const struct {
    const char *scheme, *why;
} known[] = {
    {"mem:", "an index in memory is seen only by the engine that holds it"},
};

/* NULL when no backend has that scheme. */
static const struct store_ops *
backend_of(const char *url, const char **ret_rest)
{
    for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
        size_t n = strlen(backends[i]->scheme);
        if (strncmp(url, backends[i]->scheme, n) == 0 && url[n] != '\0') {
            *ret_rest = url + n;
            return backends[i];
        }
    }
    return NULL;
}

/* It may hold a password: no more of it is said than its scheme. */
static int
unknown_url(const char *url, char **ret_why)
{
    size_t n = strcspn(url, ":");
    if (!ret_why)
        return -EPROTONOSUPPORT;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strncmp(url, known[i].scheme, strlen(known[i].scheme)) == 0) {
            *ret_why = xstrdup(known[i].why);
            return -EPROTONOSUPPORT;
        }
    }
    *ret_why = xasprintf("\"%.*s\" is not the address of an index: sqlite:PATH is",
                         url[n] ? (int)n + 1 : 0, url);
    return -EPROTONOSUPPORT;
}

/* What a copy was begun in would be taken for all that there is. */
static int
refuse_partial(const char *url, char **ret_why)
{
    AUTO(free) char *shown = uri_public(url);
    if (ret_why)
        *ret_why =
            xasprintf("%s is a copy that was not finished: `gloss migrate --to` it "
                      "again, or remove it",
                      shown);
    return -EPROTONOSUPPORT;
}

int
store_copy_open(const char *url, const char *root, struct store_writer **ret_writer,
                struct store_info *ret_info, char **ret_why)
{
    const char *rest = NULL;
    const struct store_ops *ops = backend_of(url, &rest);
    if (!ops)
        return unknown_url(url, ret_why);
    int r = ops->writer_open(rest, root, ret_writer, ret_info, ret_why);
    if (r == 0)
        (*ret_writer)->url = xstrdup(url);
    return r;
}

int
store_writer_open(const char *url, const char *root, struct store_writer **ret_writer,
                  struct store_info *ret_info, char **ret_why)
{
    int r = store_copy_open(url, root, ret_writer, ret_info, ret_why);
    if (r < 0 || !ret_info->is_partial)
        return r;
    store_writer_close(steal(*ret_writer));
    return refuse_partial(url, ret_why);
}

void
store_writer_close(struct store_writer *w)
{
    if (!w)
        return;
    free(steal(w->url));
    w->ops->close(w);
}

void
store_set_wanted(struct store_writer *w, store_wanted_fn is_wanted, void *ctx)
{
    w->is_wanted = is_wanted;
    w->wanted_ctx = ctx;
}

int
store_index_text(struct store_writer *w, size_t n_entities, bool *ret_more)
{
    return table_done(table_writer_of(w), w->ops->index_text(w, n_entities, ret_more));
}

int
store_checkpoint(struct store_writer *w, bool is_idle)
{
    return w->ops->checkpoint(w, is_idle);
}

int
store_reader_open_any(const char *url, struct store_reader **ret_reader, char **ret_why)
{
    const char *rest = NULL;
    const struct store_ops *ops = backend_of(url, &rest);
    if (!ops)
        return unknown_url(url, ret_why);
    return ops->reader_open(rest, ret_reader, ret_why);
}

/* What cannot be read now is told by the read that needs it. */
int
store_reader_open(const char *url, struct store_reader **ret_reader, char **ret_why)
{
    struct store_info info;
    int r = store_reader_open_any(url, ret_reader, ret_why);
    if (r < 0 || store_read_info(*ret_reader, &info) < 0 || !info.is_partial)
        return r;
    store_reader_close(steal(*ret_reader));
    return refuse_partial(url, ret_why);
}

bool
store_can_follow(const char *url)
{
    const char *rest = NULL;
    const struct store_ops *ops = backend_of(url, &rest);
    return ops && ops->can_follow;
}
