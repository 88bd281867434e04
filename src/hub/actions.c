/* Why: what a message can ask for, in one sorted table. To add an action: a row and its function.
 * Invariant: each request gets exactly one response; its request_id travels as JSON text. */
#include "hub/client.h"
#include "hub/filter.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/ingest.h"
#include "hub/jobs.h"
#include "hub/sub.h"
#include "hub/terms.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define SEARCH_LIMIT_DEFAULT 20

static void
request_data(struct request *request, struct str data)
{
    struct asker asker = {.client = request->client,
                          .request_id = (char *)(uintptr_t)request->request_id};
    asker_data(&asker, data);
}

void
request_problem(struct request *request, enum problem p, const char *detail)
{
    struct asker asker = {.client = request->client,
                          .request_id = (char *)(uintptr_t)request->request_id};
    asker_refuse(&asker, p, detail);
}

/* Gives the request_id away to a question. */
struct asker
request_asker(struct request *request)
{
    return (struct asker){.client = request->client,
                          .request_id = xstrdup(request->request_id)};
}

/* ---- arguments ---- */

/* The first of these names that there is. -ENOENT, -EINVAL. */
static int
get_text(const json_t *data, const char *const *names, size_t n, struct str *ret_value)
{
    for (size_t i = 0; i < n; i++) {
        int r = codec_get_str(data, names[i], ret_value);
        if (r != -ENOENT)
            return r;
    }
    return -ENOENT;
}

/* ---- the actions ---- */

static void
run_search(struct request *request)
{
    struct terms terms = {.search.limit = SEARCH_LIMIT_DEFAULT};
    const char *why;
    if (!terms_read_json(request->data, QUERY_LIMIT_MAX, &terms, &why)) {
        request_problem(request, PROBLEM_BAD_REQUEST, why);
        return;
    }
    ask_search(request->client->hub, request->workspace, &terms.search,
               request_asker(request));
}

static void
run_get(struct request *request)
{
    static const char *const names[] = {"key", "entity", "document_id"};
    struct str key;
    bool with_edges = false;
    if (get_text(request->data, names, ARRAY_LEN(names), &key) < 0 || key.n == 0) {
        request_problem(request, PROBLEM_BAD_REQUEST, "key must be an entity's key");
        return;
    }
    if (codec_get_bool(request->data, "edges", &with_edges) == -EINVAL) {
        request_problem(request, PROBLEM_BAD_REQUEST, "edges must be true or false");
        return;
    }
    ask_entity(request->client->hub, request->workspace, key, with_edges,
               request_asker(request));
}

static void
run_stats(struct request *request)
{
    AUTO(buf_finish) struct buf data = {0};
    asker_add_stats(&data, request->client->hub);
    request_data(request, buf_str(&data));
}

static void
run_ping(struct request *request)
{
    char time[CLOCK_ISO_BYTES], data[64];
    clock_iso8601(clock_wall_ms(), time);
    snprintf(data, sizeof(data), "{\"pong\":true,\"time\":\"%s\"}", time);
    request_data(request, str_of(data));
}

/* {"epoch":…,"seq":…}, or text as match_since(). */
static int
get_since(const json_t *data, struct since *since)
{
    const json_t *member = codec_member(data, "since");
    if (!member || json_is_null(member))
        return 0;
    if (json_is_string(member))
        return match_since(
            str_slice(json_string_value(member), json_string_length(member)), since);
    if (!json_is_object(member))
        return -EINVAL;
    since->from = SINCE_CURSOR;
    if (codec_get_int(member, "seq", 0, INT64_MAX, &since->seq) < 0)
        return -EINVAL;
    int r = codec_get_str(member, "epoch", &since->epoch);
    if (r == -ENOENT || (r == 0 && since->epoch.n == 0))
        return since->seq == 0 ? 0 : -EINVAL;
    return r == 0 && match_epoch_is_wellformed(since->epoch) ? 0 : -EINVAL;
}

struct patterns {
    struct str v[MATCH_PATTERNS_MAX];
    size_t n;
};

static int
get_patterns(const json_t *data, struct patterns *patterns)
{
    const json_t *member = codec_member(data, "events"), *name;
    size_t i;
    if (!member || json_is_null(member))
        return 0;
    if (!json_is_array(member) || json_array_size(member) == 0 ||
        json_array_size(member) > MATCH_PATTERNS_MAX)
        return -EINVAL;
    json_array_foreach(member, i, name)
    {
        size_t n = json_string_length(name);
        if (!json_is_string(name) || n == 0 || n > MATCH_PATTERN_BYTES_MAX)
            return -EINVAL;
        patterns->v[patterns->n++] = str_slice(json_string_value(name), n);
    }
    return 0;
}

/* Left out: never. */
static int
get_snapshot(const json_t *data, enum sub_snapshot *ret_snapshot)
{
    static const char *const names[] = {[SUB_SNAPSHOT_NEVER] = "never",
                                        [SUB_SNAPSHOT_IF_NEEDED] = "if_needed",
                                        [SUB_SNAPSHOT_ALWAYS] = "always"};
    struct str name;
    int r = codec_get_str(data, "snapshot", &name);
    if (r == -ENOENT)
        return 0;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
        if (str_eq_c(name, names[i])) {
            *ret_snapshot = (enum sub_snapshot)i;
            return 0;
        }
    }
    return -EINVAL;
}

static void
run_subscribe(struct request *request)
{
    struct patterns patterns = {0};
    struct sub_options options = {.since = {.from = SINCE_NOW},
                                  .request_id = request->request_id};
    struct hub_client *c = request->client;
    if (c->owner.n_subs >= HUB_SUBSCRIPTIONS_MAX) {
        request_problem(request, PROBLEM_TOO_MANY,
                        "a connection has at most 64 subscriptions");
        return;
    }
    if (get_since(request->data, &options.since) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST,
                        "since must be {\"epoch\",\"seq\"}, \"EPOCH:SEQ\", \"earliest\" "
                        "or \"latest\"");
        return;
    }
    if (get_patterns(request->data, &patterns) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST,
                        "events must be a list of 1 to 32 patterns such as \"entity.*\"");
        return;
    }
    if (get_snapshot(request->data, &options.snapshot) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST,
                        "snapshot must be \"never\", \"if_needed\" or \"always\"");
        return;
    }
    const json_t *filter = codec_member(request->data, "filter");
    const char *why;
    if (filter && !json_is_null(filter) &&
        filter_create(filter, &options.filter, &why) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST, why);
        return;
    }
    options.patterns = patterns.v;
    options.n_patterns = patterns.n;
    c->n_bad = 0;
    sub_open(&c->owner, request->workspace, &options);
}

static void
run_unsubscribe(struct request *request)
{
    struct str name;
    char data[64];
    if (codec_get_str(request->data, "sub", &name) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST, "sub must be a subscription's id");
        return;
    }
    list_for_each_safe (it, &request->client->owner.subs) {
        struct sub *s = sub_of_owner_link(it);
        if (!str_eq_c(name, sub_id(s)))
            continue;
        snprintf(data, sizeof(data), "{\"sub\":\"%s\"}", sub_id(s));
        sub_close(s);
        request_data(request, str_of(data));
        return;
    }
    request_problem(request, PROBLEM_NOT_FOUND, "there is no such subscription");
}

static const struct action actions[] = {
    {"add", false, ingest_run_add},
    {"add_document", false, ingest_run_add},
    {"batch_add", false, ingest_run_add},
    {"delete", false, ingest_run_delete},
    {"delete_document", false, ingest_run_delete},
    {"get", true, run_get},
    {"job.cancel", false, jobs_run_cancel},
    {"job.list", false, jobs_run_list},
    {"job.retry", false, jobs_run_retry},
    {"job.status", false, jobs_run_status},
    {"job.submit", true, jobs_run_submit},
    {"ping", false, run_ping},
    {"reindex", true, jobs_run_reindex},
    {"search", true, run_search},
    {"stats", false, run_stats},
    {"subscribe", true, run_subscribe},
    {"unsubscribe", false, run_unsubscribe},
};

const struct action *
action_at(size_t index)
{
    return index < ARRAY_LEN(actions) ? &actions[index] : NULL;
}

const struct action *
action_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (str_eq_c(name, actions[i].name))
            return &actions[i];
    return NULL;
}

/* ---- envelopes ---- */

/* Text up to HUB_ID_BYTES_MAX or an integer, given back as it came. */
static int
read_request_id(const json_t *message, char **ret_id)
{
    const json_t *member = codec_member(message, "request_id");
    struct buf text = {0};
    if (!member || json_is_null(member)) {
        *ret_id = xstrdup("null");
        return 0;
    }
    if (!json_is_integer(member) &&
        (!json_is_string(member) || json_string_length(member) > HUB_ID_BYTES_MAX)) {
        *ret_id = xstrdup("null");
        return -EINVAL;
    }
    codec_add_json(&text, member);
    *ret_id = buf_steal(&text);
    return 0;
}

static int
find_workspace(struct request *request, const json_t *message)
{
    static const char *const names[] = {"workspace", "library_id"};
    const struct hub *h = request->client->hub;
    struct str name;
    int r = get_text(message, names, ARRAY_LEN(names), &name);
    if (r == -ENOENT)
        r = get_text(request->data, names, ARRAY_LEN(names), &name);
    if (r == -ENOENT) {
        request->workspace =
            request->client->home ? request->client->home : hub_only_workspace(h);
        return 0;
    }
    if (r < 0)
        return r;
    request->workspace = hub_find_workspace(h, name);
    request->names_unknown = !request->workspace;
    request->workspace_name = name;
    return 0;
}

static void
dispatch(struct request *request, const json_t *message)
{
    struct str type, name;
    int r = codec_get_str(message, "type", &type);
    if (r == -EINVAL || (r == 0 && !str_eq_c(type, "request"))) {
        request_problem(request, PROBLEM_BAD_REQUEST, "type must be \"request\"");
        return;
    }
    if (codec_get_str(message, "action", &name) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST, "action must be text");
        return;
    }
    const struct action *action = action_find(name);
    if (!action) {
        request_problem(request, PROBLEM_UNKNOWN_ACTION, "there is no such action");
        return;
    }
    if (find_workspace(request, message) < 0) {
        request_problem(request, PROBLEM_BAD_REQUEST, "workspace must be text");
        return;
    }
    if (action->needs_workspace && !request->workspace) {
        if (request->names_unknown)
            request_problem(request, PROBLEM_NOT_FOUND, "no such workspace is open");
        else
            request_problem(
                request, PROBLEM_BAD_REQUEST,
                "workspace must say which one: its id, or the path of its root");
        return;
    }
    struct log_about about = {request->client->id, request->request_id};
    log_about(LOG_DEBUG, &about, "%s", action->name);
    action->run(request);
}

/* Its request_id is all that is read of it. */
static void
refuse_large(struct hub_client *c, struct str text)
{
    AUTO(json_decref_) json_t *message = json_object();
    AUTO(free) char *request_id = NULL;
    struct str id;
    json_t *value;
    if (codec_slice_member(text, STR("request_id"), &id) == 0 &&
        codec_count_values(id, 1) == 1 && codec_parse(id, &value, NULL) == 0)
        json_object_set_new(message, "request_id", value);
    read_request_id(message, &request_id);
    request_problem(&(struct request){.client = c, .request_id = request_id},
                    PROBLEM_TOO_LARGE, "a message has at most 131072 values");
}

void
action_dispatch(struct hub_client *c, struct str text, const struct tree *tree,
                int64_t retry_after_ms)
{
    const json_t *message = tree->json;
    AUTO(free) char *request_id = NULL;
    struct request request = {.client = c};
    if (tree->is_too_many) {
        refuse_large(c, text);
        return;
    }
    if (!json_is_object(message)) {
        AUTO(free)
        char *detail = xasprintf("a message is one JSON object%s%s",
                                 tree->why ? ": " : "", tree->why ? tree->why : "");
        request.request_id = "null";
        request_problem(&request, PROBLEM_BAD_REQUEST, detail);
        return;
    }
    int r = read_request_id(message, &request_id);
    request.request_id = request_id;
    if (retry_after_ms > 0) {
        struct asker asker = {.client = c, .request_id = request_id};
        asker_wait(&asker, "these are more requests than the limits say", retry_after_ms);
        return;
    }
    if (r < 0) {
        request_problem(&request, PROBLEM_BAD_REQUEST,
                        "request_id must be text of at most 128 bytes, or an integer");
        return;
    }
    /* The older form has its arguments beside the action. */
    request.data = codec_object(message, "data");
    if (!request.data)
        request.data = message;
    dispatch(&request, message);
}
