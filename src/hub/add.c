/* Why: the same as a stream, of a few lines at a time, whether a WebSocket or HTTP asks. Invariant: an answer
 * comes after the commit, unless it is not waited for ("ack":"queued"). */
#include "hub/ingest.h"

#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/serve.h"
#include "workspace/workspace.h"

/* ---- answers ---- */

struct answer {
    int r;
    const struct ingest_batch *batch;
};

static void
add_errors(struct buf *b, const struct ingest_batch *batch)
{
    size_t n = 0;
    buf_add_cstr(b, ",\"errors\":[");
    for (size_t i = 0; i < batch->n; i++) {
        if (!batch->v[i].fault)
            continue;
        buf_printf(b, "%s{\"index\":%zu,\"problem\":", n++ > 0 ? "," : "", i);
        problem_add(b, PROBLEM_BAD_REQUEST, batch->v[i].fault);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

/* Of an ask whose question went to the writer: owner is struct answer. */
static void
on_answer(struct ask *ask, struct query_result **result UNUSED)
{
    const struct answer *answer = ask->owner;
    const struct ingest_batch *batch = answer->batch;
    AUTO(buf_finish) struct buf data = {0};
    size_t n_failed = 0, n_again = 0, n_found = 0;
    if (answer->r < 0) {
        asker_problem(&ask->asker, ingest_problem(answer->r), ingest_why(answer->r));
        return;
    }
    for (size_t i = 0; i < batch->n; i++) {
        n_failed += batch->v[i].fault != NULL;
        n_again += batch->v[i].is_again || batch->is_again;
        n_found += batch->v[i].is_found;
    }
    if (batch->n == 1 && n_failed == 1) {
        asker_refuse(&ask->asker, PROBLEM_BAD_REQUEST, batch->v[0].fault);
        return;
    }
    buf_add_cstr(&data, "{\"workspace\":");
    codec_add_string(&data, str_of(workspace_id(ask->workspace)));
    buf_printf(&data,
               ",\"epoch\":\"%s\",\"seq\":%" PRId64
               ",\"stored\":%zu,\"failed\":%zu,\"again\":%zu,\"deleted\":%zu",
               workspace_epoch(ask->workspace), batch->seq, batch->n - n_failed, n_failed,
               n_again, n_found);
    add_errors(&data, batch);
    buf_add_char(&data, '}');
    asker_data(&ask->asker, buf_str(&data));
}

static void
on_put(void *ctx, int r, struct ingest_batch *batch)
{
    struct ask *ask = ctx;
    struct hub *h = ask->hub;
    struct answer answer = {r, batch};
    ask->owner = &answer;
    ask_on_done(ask, NULL);
    ingest_batch_destroy(batch);
    if (h->workspaces)
        ingest_look(h);
}

static void
on_put_unasked(void *ctx UNUSED, int r UNUSED, struct ingest_batch *batch)
{
    ingest_batch_destroy(batch);
}

/* Takes the batch and the asker's request_id. */
static void
put(struct hub *h, struct workspace *w, struct ingest_batch *batch, bool is_queued,
    struct asker asker)
{
    int r;
    if (!is_queued) {
        struct ask *ask = ask_open(h, w, asker, on_answer, NULL);
        r = workspace_put_entities(w, batch, true, on_put, ask);
        if (r < 0)
            on_put(ask, r, batch);
        return;
    }
    /* As urgent as what is waited for, or that would overtake it. */
    r = workspace_put_entities(w, batch, true, on_put_unasked, NULL);
    if (r == 0) {
        asker_data(&asker, STR("{\"queued\":true}"));
    } else {
        asker_problem(&asker, ingest_problem(r), ingest_why(r));
        ingest_batch_destroy(batch);
    }
    free(asker.request_id);
}

/* ---- what is asked for ---- */

static struct ingest_batch *
read_list(const json_t *list)
{
    struct ingest_batch *batch = ingest_batch_create();
    const json_t *line;
    size_t i;
    json_array_foreach(list, i, line)
    {
        struct ingest_item *item = ingest_batch_add(batch);
        item->line = i;
        codec_read_ingest(line, batch, item);
    }
    return batch;
}

/* Reads {"entities":[…],"key"?} or one of them by itself; tells the asker what is wrong with it. */
static struct ingest_batch *
read_add(const json_t *data, struct asker *asker)
{
    const json_t *list = codec_array(data, "entities");
    bool is_one = codec_member(data, "title") ||
                  (codec_member(data, "name") && codec_member(data, "path"));
    struct ingest_batch *batch;
    struct str key = STR_NONE;
    if (!list)
        list = codec_array(data, "documents");
    if (!list && is_one) {
        AUTO(json_decref_) json_t *one = json_array();
        json_array_append(one, (json_t *)(uintptr_t)data);
        return read_list(one);
    }
    if (!list || json_array_size(list) == 0 || json_array_size(list) > HUB_INGEST_LINES) {
        asker_refuse(asker, PROBLEM_BAD_REQUEST,
                     "entities must be a list of 1 to 1000 lines as they are streamed");
        return NULL;
    }
    if (codec_get_str(data, "key", &key) == -EINVAL || key.n > INGEST_KEY_BYTES_MAX ||
        (key.n > 0 && memchr(key.p, '\0', key.n))) {
        asker_refuse(asker, PROBLEM_BAD_REQUEST, "key must be text of at most 256 bytes");
        return NULL;
    }
    batch = read_list(list);
    batch->once = arena_str(&batch->arena, key);
    return batch;
}

static bool
is_queued(const json_t *data)
{
    struct str ack;
    return codec_get_str(data, "ack", &ack) == 0 && str_eq_c(ack, "queued");
}

/* Of an entity's key, or of a file. */
static struct ingest_batch *
read_delete(const json_t *key, const json_t *path)
{
    AUTO(json_decref_) json_t *line = json_object(), *list = json_array();
    json_object_set_new(line, "op", json_string("delete"));
    if (key)
        json_object_set(line, "entity", (json_t *)(uintptr_t)key);
    else
        json_object_set(line, "path", (json_t *)(uintptr_t)path);
    json_array_append(list, line);
    return read_list(list);
}

static struct asker
asker_of(struct request *request)
{
    return (struct asker){.client = request->client,
                          .request_id = (char *)(uintptr_t)request->request_id};
}

static struct workspace *
workspace_for(struct request *request, bool create)
{
    struct asker asker = asker_of(request);
    struct workspace *w = request->workspace;
    if (request->names_unknown)
        return ingest_find(request->client->hub, request->workspace_name, create, &asker);
    if (w && workspace_pushed_name(w))
        return w;
    if (w)
        request_problem(request, PROBLEM_CONFLICT, ingest_why(-EPERM));
    else
        request_problem(request, PROBLEM_BAD_REQUEST,
                        "workspace must say which one: its id or its name");
    return NULL;
}

void
ingest_run_add(struct request *request)
{
    struct asker asker = asker_of(request);
    struct hub *h = request->client->hub;
    bool create = false;
    if (codec_get_bool(request->data, "create", &create) == -EINVAL) {
        request_problem(request, PROBLEM_BAD_REQUEST, "create must be true or false");
        return;
    }
    struct workspace *w = workspace_for(request, create);
    struct ingest_batch *batch = w ? read_add(request->data, &asker) : NULL;
    if (!batch)
        return;
    put(h, w, batch, is_queued(request->data), request_asker(request));
}

void
ingest_run_delete(struct request *request)
{
    static const char *const names[] = {"key", "entity", "document_id"};
    const json_t *key = NULL, *path = codec_member(request->data, "path");
    for (size_t i = 0; i < ARRAY_LEN(names) && !key; i++)
        key = codec_member(request->data, names[i]);
    if (!key == !path) {
        request_problem(request, PROBLEM_BAD_REQUEST,
                        "key must be an entity's, or path a file's");
        return;
    }
    struct workspace *w = workspace_for(request, false);
    if (!w)
        return;
    put(request->client->hub, w, read_delete(key, path), is_queued(request->data),
        request_asker(request));
}

/* ---- the same over HTTP ---- */

void
ingest_serve_add(struct exchange *x)
{
    struct asker asker = {.exchange = x};
    AUTO(json_decref_) json_t *data = exchange_read_object(x);
    if (!data)
        return;
    struct workspace *w = ingest_find(x->hub, x->params[0], ingest_may_create(x), &asker);
    struct ingest_batch *batch = w ? read_add(data, &asker) : NULL;
    if (batch)
        put(x->hub, w, batch, is_queued(data), asker);
}

/* …/entities/KEY, or …/entities?path=PATH. */
void
ingest_serve_delete(struct exchange *x)
{
    struct asker asker = {.exchange = x};
    char path[INGEST_PATH_BYTES_MAX + 1] = "";
    bool has_key = x->params[1].n > 0;
    if (!has_key && !exchange_argument(x, "path", path, sizeof(path))) {
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "say what to delete: /KEY of an entity, or ?path= of a file");
        return;
    }
    AUTO(json_decref_)
    json_t *what =
        has_key ? json_stringn(x->params[1].p, x->params[1].n) : json_string(path);
    if (!what) {
        exchange_problem(x, PROBLEM_BAD_REQUEST, "what is to be deleted must be UTF-8");
        return;
    }
    struct workspace *w = ingest_find(x->hub, x->params[0], false, &asker);
    if (w)
        put(x->hub, w, read_delete(has_key ? what : NULL, has_key ? NULL : what), false,
            asker);
}

/* ---- the end of a workspace ---- */

static void
on_dropped(struct ask *ask, struct query_result **result UNUSED)
{
    AUTO(buf_finish) struct buf data = {0};
    buf_add_cstr(&data, "{\"workspace\":");
    codec_add_string(&data, str_of(workspace_id(ask->workspace)));
    buf_add_cstr(&data, ",\"deleted\":true}");
    asker_data(&ask->asker, buf_str(&data));
}

/* Those that are on its address, when they were told that it goes. */
static void
close_clients(struct hub *h, const struct workspace *w)
{
    list_for_each_safe (it, &h->clients) {
        struct hub_client *c = list_entry(it, struct hub_client, link);
        if (c->home == w)
            hub_client_close(c, 1000, "the workspace was deleted");
    }
}

static void
on_gone(void *ctx)
{
    struct ask *ask = ctx;
    close_clients(ask->hub, ask->workspace);
    ask_on_done(ask, NULL);
}

void
ingest_serve_drop(struct exchange *x)
{
    struct hub *h = x->hub;
    struct workspace *w = hub_find_workspace(h, x->params[0]);
    if (!w) {
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
        return;
    }
    struct ask *ask = ask_open(h, w, (struct asker){.exchange = x}, on_dropped, NULL);
    int r = workspace_delete_pushed(w, on_gone, ask);
    if (r == 0)
        return;
    ask_abandon(ask);
    ask_on_done(ask, NULL);
    if (r == -EPERM)
        exchange_problem(
            x, PROBLEM_CONFLICT,
            "this workspace is of a folder: it ends when nobody holds the folder "
            "open");
    else if (r == -ENOTSUP)
        exchange_problem(x, PROBLEM_CONFLICT,
                         "its index is no SQLite file: remove it where it lies");
    else
        exchange_problem(x, PROBLEM_NOT_READY, "it is being opened or closed");
}
