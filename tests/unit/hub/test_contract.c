/* hub: the contract of the protocol names all that there is and nothing else, and every reference in it leads
 * somewhere. That messages are of its shape, tests/hub shows. */
#include "hub/contract.h"
#include "model/event.h"
#include "model/file.h"

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* A document, parsed. */
static json_t *
contract_load(struct str name)
{
    json_t *json = NULL;
    char *why = NULL;
    const struct contract_document *d = contract_find(name);
    if (!d)
        fail_msg("there is no %.*s", STR_ARG(name));
    if (codec_parse(str_slice(d->text, d->size), &json, &why) < 0)
        fail_msg("%s: %s", d->name, why);
    return json;
}

/* What a JSON pointer of RFC 6901 leads to; NULL: nothing. */
static const json_t *
contract_at(const json_t *json, struct str pointer)
{
    struct str part;
    if (pointer.n == 0)
        return json;
    str_split(&pointer, '/', &part); // nothing is before the first
    while (json && str_split(&pointer, '/', &part)) {
        AUTO(buf_finish) struct buf name = {0};
        for (size_t i = 0; i < part.n; i++) {
            bool is_escape = part.p[i] == '~' && i + 1 < part.n;
            buf_add_char(&name, !is_escape             ? part.p[i]
                                : part.p[i + 1] == '1' ? '/'
                                                       : '~');
            i += is_escape;
        }
        json = json_is_array(json)
                   ? json_array_get(json, (size_t)strtoul(name.p, NULL, 10))
                   : json_object_get(json, name.p);
    }
    return json;
}

static const json_t *
contract_need(const json_t *json, const char *name, const char *pointer)
{
    const json_t *at = contract_at(json, str_of(pointer));
    if (!at)
        fail_msg("%s has no %s: describe it there (src/hub/contract)", name, pointer);
    return at;
}

/* Relative to the document it stands in, as a reader of the served ones resolves it. */
static void
check_reference(const struct contract_document *d, const json_t *self, struct str ref)
{
    AUTO(json_decref_) json_t *other = NULL;
    struct str file = ref, pointer = STR_NONE;
    ssize_t at = str_find_char(ref, '#');
    if (at >= 0) {
        file = str_slice(ref.p, (size_t)at);
        pointer = str_slice(ref.p + at + 1, ref.n - (size_t)at - 1);
    }
    if (file.n > 0) {
        const char *slash = strrchr(d->name, '/');
        int folder = slash ? (int)(slash - d->name) + 1 : 0;
        AUTO(free)
        char *name = xasprintf("%.*s%.*s", folder, d->name, STR_ARG(file));
        if (!contract_find(str_of(name)))
            fail_msg("%s refers to %.*s", d->name, STR_ARG(ref));
        self = other = contract_load(str_of(name));
    }
    if (!contract_at(self, pointer))
        fail_msg("%s refers to %.*s", d->name, STR_ARG(ref));
}

static size_t
check_references(const struct contract_document *d, const json_t *self,
                 const json_t *value)
{
    const char *name;
    json_t *member;
    size_t i, n = 0;
    if (json_is_array(value)) {
        json_array_foreach(value, i, member) n += check_references(d, self, member);
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, name, member)
        {
            n += check_references(d, self, member);
            if (strcmp(name, "$ref") != 0 || !json_is_string(member))
                continue;
            check_reference(d, self, str_of(json_string_value(member)));
            n++;
        }
    }
    return n;
}

static void
test_contract_references(void **state UNUSED)
{
    size_t n = 0;
    for (const struct contract_document *d = contract_documents; d->name; d++) {
        AUTO(json_decref_) json_t *json = contract_load(str_of(d->name));
        assert_int_equal(strlen(d->text), d->size);
        assert_true(d == contract_documents || strcmp(d[-1].name, d->name) < 0);
        n += check_references(d, json, json);
    }
    assert_true(n > 100);
    assert_null(contract_find(STR("schema/nothing.json")));
}

static void
test_contract_actions(void **state UNUSED)
{
    AUTO(json_decref_)
    json_t *sockets = contract_load(STR("asyncapi.json")),
           *requests = contract_load(STR("schema/request.json")),
           *responses = contract_load(STR("schema/response.json"));
    const json_t *all = json_object_get(requests, "oneOf");
    const char *name;
    json_t *operation;
    size_t n = 0;
    for (const struct action *a; (a = action_at(n)); n++) {
        AUTO(free) char *def = xasprintf("/$defs/%s", a->name);
        AUTO(free) char *receive = xasprintf("/operations/%s/reply", a->name);
        AUTO(free) char *ref = xasprintf("#/$defs/%s", a->name);
        bool is_listed = false;
        contract_need(requests, "request.json", def);
        contract_need(responses, "response.json", def);
        contract_need(sockets, "asyncapi.json", receive);
        for (size_t i = 0; i < json_array_size(all); i++)
            is_listed |= strcmp(text_of(json_array_get(all, i), "$ref"), ref) == 0;
        if (!is_listed)
            fail_msg("request.json does not list %s", ref);
    }
    assert_int_equal(json_array_size(all), n);
    json_object_foreach(json_object_get(sockets, "operations"), name, operation)
    {
        if (strcmp(text_of(operation, "action"), "receive") == 0 &&
            !action_find(str_of(name)))
            fail_msg("asyncapi.json describes %s, which there is not", name);
    }
}

/* "/v1/jobs/{id}" is "/v1/jobs/{}". */
static bool
is_template_of(const char *template, const char *path)
{
    for (;; template ++, path++) {
        if (*template == '{' && *path == '{') {
            template += strcspn(template, "}");
            path += strcspn(path, "}");
        } else if (*template != *path) {
            return false;
        } else if (*path == '\0') {
            return true;
        }
    }
}

static const json_t *
path_item(const json_t *document, const char *path)
{
    const char *template;
    json_t *item;
    json_object_foreach(json_object_get(document, "paths"), template, item)
    {
        const char *ref = text_of(item, "$ref");
        if (is_template_of(template, path))
            return ref[0] ? contract_at(document, str_of(ref + 1)) : item;
    }
    return NULL;
}

static void
test_contract_routes(void **state UNUSED)
{
    static const char *const methods[] = {
        [HTTP_GET] = "get", [HTTP_POST] = "post", [HTTP_DELETE] = "delete"};
    AUTO(json_decref_)
    json_t *http = contract_load(STR("openapi.json")),
           *sockets = contract_load(STR("asyncapi.json"));
    const char *name, *method;
    json_t *item, *operation;
    for (size_t i = 0; route_at(i); i++) {
        const struct route *route = route_at(i);
        const json_t *described = NULL;
        if (route->serve) {
            described =
                json_object_get(path_item(http, route->path), methods[route->method]);
        } else {
            json_object_foreach(json_object_get(sockets, "channels"), name, item)
            {
                if (is_template_of(text_of(item, "address"), route->path))
                    described = item;
            }
        }
        if (!described)
            fail_msg("%s of %s is not described: do so in src/hub/contract/%s.json",
                     methods[route->method], route->path,
                     route->serve ? "openapi" : "asyncapi");
        const json_t *security = json_object_get(described, "security");
        if (route->serve && route->is_open != (security && !json_array_size(security)))
            fail_msg("openapi.json is wrong about the token at %s", route->path);
    }
    json_object_foreach(json_object_get(http, "paths"), name, item)
    {
        json_object_foreach((json_t *)(uintptr_t)path_item(http, name), method, operation)
        {
            bool is_there = strcmp(method, "parameters") == 0;
            for (size_t i = 0; route_at(i); i++)
                is_there |= is_template_of(name, route_at(i)->path) &&
                            strcmp(methods[route_at(i)->method], method) == 0;
            if (!is_there)
                fail_msg("openapi.json describes %s of %s, which there is not", method,
                         name);
        }
    }
}

static void
check_words(const json_t *list, const char *name, size_t n, const char *(*word)(size_t))
{
    if (json_array_size(list) != n)
        fail_msg("%s: %zu words in the contract, %zu in the program", name,
                 json_array_size(list), n);
    for (size_t i = 0; i < n; i++) {
        bool is_there = false;
        for (size_t k = 0; k < n; k++)
            is_there |= strcmp(json_string_value(json_array_get(list, k)), word(i)) == 0;
        if (!is_there)
            fail_msg("%s: the contract has no %s", name, word(i));
    }
}

static const char *
word_kind(size_t i)
{
    return entity_kind_name((enum entity_kind)i);
}

static const char *
word_edge(size_t i)
{
    return edge_kind_name((enum edge_kind)i);
}

static const char *
word_hover(size_t i)
{
    return hover_reason_name((enum hover_reason)(HOVER_REASON_NONE + 1 + (int)i));
}

static const char *
word_file(size_t i)
{
    return file_state_name((enum file_state)i);
}

static const char *
word_reason(size_t i)
{
    return file_reason_name((enum file_reason)(FILE_REASON_NONE + 1 + (int)i));
}

static const char *
word_state(size_t i)
{
    return workspace_state_name((enum workspace_state)i);
}

static const char *
word_job(size_t i)
{
    return job_kind_name((enum job_kind)i);
}

static const char *
word_job_state(size_t i)
{
    return job_state_name((enum job_state)i);
}

static void
test_contract_words(void **state UNUSED)
{
    static const struct {
        const char *document, *list;
        size_t n;
        const char *(*word)(size_t);
    } rows[] = {
        {"schema/entity.json", "/$defs/kind/enum", ENTITY_KIND_COUNT, word_kind},
        {"schema/edge.json", "/properties/kind/enum", EDGE_KIND_COUNT, word_edge},
        {"schema/entity.json", "/$defs/hover/properties/reason/enum",
         HOVER_REASON_COUNT - 1, word_hover},
        {"schema/event.json", "/$defs/file/properties/state/enum", FILE_STATE_COUNT,
         word_file},
        {"schema/event.json", "/$defs/file/properties/reason/enum", FILE_REASON_COUNT - 1,
         word_reason},
        {"schema/workspace.json", "/$defs/state/enum", WORKSPACE_STATE_COUNT, word_state},
        {"schema/job.json", "/$defs/kind/enum", JOB_KIND_COUNT, word_job},
        {"schema/job.json", "/$defs/status/enum", JOB_STATE_COUNT, word_job_state},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(json_decref_) json_t *json = contract_load(str_of(rows[i].document));
        check_words(contract_need(json, rows[i].document, rows[i].list), rows[i].list,
                    rows[i].n, rows[i].word);
    }
    AUTO(json_decref_) json_t *problems = contract_load(STR("schema/problem.json"));
    const json_t *types =
        contract_need(problems, "problem.json", "/properties/type/enum");
    assert_int_equal(json_array_size(types), PROBLEM_COUNT);
    for (int p = 0; p < PROBLEM_COUNT; p++) {
        AUTO(buf_finish) struct buf text = {0};
        bool is_there = false;
        problem_add(&text, (enum problem)p, "");
        for (size_t k = 0; k < json_array_size(types); k++) {
            AUTO(free)
            char *type =
                xasprintf("\"type\":\"%s\"", json_string_value(json_array_get(types, k)));
            is_there |= strstr(text.p, type) != NULL;
        }
        if (!is_there)
            fail_msg("problem.json has no type of %s", text.p);
    }
}

static void
test_contract_events(void **state UNUSED)
{
    AUTO(json_decref_) json_t *events = contract_load(STR("schema/event.json"));
    const json_t *all = json_object_get(events, "oneOf");
    for (int t = 0; t < EVENT_TYPE_COUNT; t++) {
        enum event_type type = (enum event_type)t;
        AUTO(free) char *place = xasprintf("/$defs/%s", event_type_name(type));
        AUTO(free) char *ref = xasprintf("#%s", place);
        const json_t *def = contract_need(events, "event.json", place);
        bool is_listed = false;
        assert_string_equal(text_of(def, "$ref"), event_type_is_durable(type)
                                                      ? "#/$defs/durable"
                                                      : "#/$defs/ephemeral");
        for (size_t i = 0; i < json_array_size(all); i++)
            is_listed |= strcmp(text_of(json_array_get(all, i), "$ref"), ref) == 0;
        if (!is_listed)
            fail_msg("event.json does not list %s", ref);
    }
}
