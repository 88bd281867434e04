/* The contract's front: picks the backend by the URL's scheme and forwards. Nothing here knows how
 * a backend stores anything. */
#include "store/store.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/backend.h"

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

int
store_writer_open(const char *url, const char *root, struct store_writer **ret_writer,
                  struct store_info *ret_info, char **ret_why)
{
    const char *rest = NULL;
    const struct store_ops *ops = backend_of(url, &rest);
    if (!ops)
        return unknown_url(url, ret_why);
    return ops->writer_open(rest, root, ret_writer, ret_info, ret_why);
}

void
store_writer_close(struct store_writer *w)
{
    if (w)
        w->ops->close(w);
}

int
store_set_maker(struct store_writer *w, struct str maker)
{
    return w->ops->set_maker(w, maker);
}

int
store_begin(struct store_writer *w)
{
    return w->ops->begin(w);
}

int
store_commit(struct store_writer *w)
{
    return w->ops->commit(w);
}

void
store_rollback(struct store_writer *w)
{
    w->ops->rollback(w);
}

void
store_be_brief(struct store_writer *w, bool is_brief)
{
    w->ops->be_brief(w, is_brief);
}

int
store_put_file(struct store_writer *w, const struct batch *batch,
               struct event **ret_event)
{
    return w->ops->put_file(w, batch, ret_event);
}

int
store_delete_file(struct store_writer *w, struct str path, struct event **ret_event)
{
    return w->ops->delete_file(w, path, ret_event);
}

int
store_put_hovers(struct store_writer *w, const struct hover_batch *hovers,
                 struct event **ret_event)
{
    return w->ops->put_hovers(w, hovers, ret_event);
}

int
store_expire_hovers(struct store_writer *w, struct str lang, uint64_t server_key,
                    uint64_t *ret_n_files)
{
    return w->ops->expire_hovers(w, lang, server_key, ret_n_files);
}

int
store_put_event(struct store_writer *w, enum event_type type, struct str subject,
                struct str data, struct event **ret_event)
{
    assert(event_type_is_durable(type));
    return w->ops->put_event(w, type, subject, data, ret_event);
}

int
store_prune(struct store_writer *w, int64_t now_ms, bool *ret_more)
{
    return w->ops->prune(w, now_ms, ret_more);
}

int
store_index_text(struct store_writer *w, size_t n_entities, bool *ret_more)
{
    return w->ops->index_text(w, n_entities, ret_more);
}

int
store_checkpoint(struct store_writer *w, bool is_idle)
{
    return w->ops->checkpoint(w, is_idle);
}

int
store_reader_open(const char *url, struct store_reader **ret_reader, char **ret_why)
{
    const char *rest = NULL;
    const struct store_ops *ops = backend_of(url, &rest);
    if (!ops)
        return unknown_url(url, ret_why);
    return ops->reader_open(rest, ret_reader, ret_why);
}

void
store_reader_close(struct store_reader *r)
{
    if (r)
        r->ops->close(r);
}

void
store_reader_interrupt(struct store_reader *r)
{
    r->ops->interrupt(r);
}

int
store_reader_begin(struct store_reader *r)
{
    return r->ops->begin(r);
}

void
store_reader_end(struct store_reader *r)
{
    r->ops->end(r);
}

int
store_read_info(struct store_reader *r, struct store_info *ret_info)
{
    return r->ops->info(r, ret_info);
}

int
store_read_counts(struct store_reader *r, struct store_counts *ret_counts)
{
    return r->ops->counts(r, ret_counts);
}

int
store_each_file(struct store_reader *r, store_file_fn fn, void *ctx)
{
    return r->ops->each_file(r, fn, ctx);
}

int
store_read_file(struct store_reader *r, struct str path, struct arena *a,
                struct file *ret_file)
{
    return r->ops->file(r, path, a, ret_file);
}

int
store_each_entity(struct store_reader *r, struct str path, store_entity_fn fn, void *ctx)
{
    return r->ops->each_entity(r, path, fn, ctx);
}

int
store_each_name(struct store_reader *r, store_entity_fn fn, void *ctx)
{
    return r->ops->each_name(r, fn, ctx);
}

int
store_read_entity(struct store_reader *r, struct str key, struct arena *a,
                  struct entity_row *ret_row)
{
    return r->ops->entity(r, key, a, ret_row);
}

int
store_read_entity_id(struct store_reader *r, int64_t id, struct arena *a,
                     struct entity_row *ret_row)
{
    return r->ops->entity_id(r, id, a, ret_row);
}

int
store_each_named(struct store_reader *r, struct str name, store_entity_fn fn, void *ctx)
{
    return r->ops->each_named(r, name, fn, ctx);
}

int
store_search_text(struct store_reader *r, struct str query, size_t limit,
                  store_entity_fn fn, void *ctx)
{
    return r->ops->search_text(r, query, limit, fn, ctx);
}

int
store_each_edge(struct store_reader *r, store_edge_fn fn, void *ctx)
{
    return r->ops->each_edge(r, fn, ctx);
}

int
store_each_caller(struct store_reader *r, struct str name, size_t limit, store_edge_fn fn,
                  void *ctx)
{
    return r->ops->each_caller(r, name, limit, fn, ctx);
}

int
store_each_callee(struct store_reader *r, struct str key, size_t limit, store_edge_fn fn,
                  void *ctx)
{
    return r->ops->each_callee(r, key, limit, fn, ctx);
}

int
store_each_unasked_file(struct store_reader *r, store_file_fn fn, void *ctx)
{
    return r->ops->each_unasked_file(r, fn, ctx);
}

int
store_read_told(struct store_reader *r, struct hash128 content, struct str lang,
                struct arena *a, struct store_told *ret_told)
{
    return r->ops->told(r, content, lang, a, ret_told);
}

int
store_each_event(struct store_reader *r, int64_t since, size_t limit, store_event_fn fn,
                 void *ctx)
{
    return r->ops->each_event(r, since, limit, fn, ctx);
}

int
store_read_fact(struct store_reader *r, const char *key, struct arena *a,
                struct str *ret_value)
{
    return r->ops->fact(r, key, a, ret_value);
}

int
store_each_past(struct store_reader *r, store_past_fn fn, void *ctx)
{
    return r->ops->each_past(r, fn, ctx);
}

int
store_put_past(struct store_writer *w, const struct store_past *past)
{
    return w->ops->put_past(w, past);
}
