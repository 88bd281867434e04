/* References, and the hierarchies of calls and of types. A place becomes an entity as for hover; from
 * then on its key goes to the editor and back in the item's `data`. What may mean another entity of the
 * same name comes after what is sure; an item is shown only when its entity is known. */
#include "base/mem.h"
#include "base/uri.h"
#include "lsp/server/methods.h"

#define LSP_FILE 1

static bool
is_callable(enum entity_kind kind)
{
    return kind == ENTITY_FUNCTION || kind == ENTITY_METHOD ||
           kind == ENTITY_CONSTRUCTOR || kind == ENTITY_MACRO || kind == ENTITY_CLASS ||
           kind == ENTITY_STRUCT;
}

static bool
is_type(enum entity_kind kind)
{
    return kind == ENTITY_CLASS || kind == ENTITY_STRUCT || kind == ENTITY_INTERFACE ||
           kind == ENTITY_TRAIT || kind == ENTITY_ENUM || kind == ENTITY_UNION ||
           kind == ENTITY_TYPE_ALIAS || kind == ENTITY_MODULE;
}

/* ---- writing ---- */

static void
add_uri(struct buf *json, const struct workspace *w, struct str path)
{
    AUTO(free) char *absolute = workspace_absolute(w, path);
    AUTO(free) char *uri = uri_from_path(absolute);

    codec_add_string(json, str_of(uri));
}

/* CallHierarchyItem and TypeHierarchyItem have the same members. */
static void
add_item(const struct pending *p, struct buf *json, const struct entity_row *row)
{
    buf_add_cstr(json, "{\"name\":");
    codec_add_string(json, row->e.name);
    buf_printf(json, ",\"kind\":%d,\"detail\":", entity_kind_lsp(row->e.kind));
    codec_add_string(json, row->e.signature.n ? row->e.signature : row->path);
    buf_add_cstr(json, ",\"uri\":");
    add_uri(json, p->workspace, row->path);
    buf_add_cstr(json, ",\"range\":");
    place_add_range(p->session, json, &row->e.range);
    buf_add_cstr(json, ",\"selectionRange\":");
    place_add_range(p->session, json, &row->e.name_range);
    buf_add_cstr(json, ",\"data\":{\"key\":");
    codec_add_string(json, row->key);
    buf_add_cstr(json, "}}");
}

/* What stands outside of all entities: the file itself. It has no key, so there it ends. */
static void
add_file_item(const struct pending *p, struct buf *json, const struct edge_row *edge)
{
    buf_add_cstr(json, "{\"name\":");
    codec_add_string(json, edge->path);
    buf_printf(json, ",\"kind\":%d,\"uri\":", LSP_FILE);
    add_uri(json, p->workspace, edge->path);
    buf_add_cstr(json, ",\"range\":");
    place_add_name(p->session, json, &edge->at, edge->target);
    buf_add_cstr(json, ",\"selectionRange\":");
    place_add_name(p->session, json, &edge->at, edge->target);
    buf_add_char(json, '}');
}

static void
add_location(const struct pending *p, struct buf *json, const struct edge_row *edge)
{
    buf_add_cstr(json, "{\"uri\":");
    add_uri(json, p->workspace, edge->path);
    buf_add_cstr(json, ",\"range\":");
    place_add_name(p->session, json, &edge->at, edge->target);
    buf_add_char(json, '}');
}

static const struct entity_row *
find_end(const struct query_result *result, struct str key)
{
    for (size_t i = 0; i < result->n_ends; i++) {
        if (str_eq(result->ends[i].key, key))
            return &result->ends[i];
    }
    return NULL;
}

static void
begin_one(struct buf *json)
{
    buf_add_char(json, json->n == 0 ? '[' : ',');
}

/* [ … ] or, for what there is none of, []. */
static void
reply_list(struct pending *p, struct buf *json)
{
    buf_add_cstr(json, json->n == 0 ? "[]" : "]");
    pending_reply(p, buf_str(json));
}

static void
give_up(struct pending *p)
{
    pending_reply(p, STR("null"));
    pending_destroy(p);
}

/* ---- the entity at a place ---- */

static void
prepare(struct pending *p, struct query_result *result,
        bool (*is_wanted)(enum entity_kind kind))
{
    const struct entity_row *row =
        result->r == 0 && p->session ? navigation_best(p, result, is_wanted) : NULL;

    p->ticket = NULL;
    if (row) {
        AUTO(buf_finish) struct buf json = {0};

        begin_one(&json);
        add_item(p, &json, row);
        reply_list(p, &json);
    }
    give_up(p);
}

static void
on_callables(void *ctx, struct query_result **result)
{
    prepare(ctx, *result, is_callable);
}

static void
on_types(void *ctx, struct query_result **result)
{
    prepare(ctx, *result, is_type);
}

static void
run_prepare_calls(struct pending *p)
{
    navigation_named(p, on_callables);
}

static void
run_prepare_types(struct pending *p)
{
    navigation_named(p, on_types);
}

void
hierarchy_prepare_calls(struct server_session *s, const struct wire_id *id,
                        json_t *params)
{
    navigation_ask(s, id, params, s->call_hierarchy, run_prepare_calls);
}

void
hierarchy_prepare_types(struct server_session *s, const struct wire_id *id,
                        json_t *params)
{
    navigation_ask(s, id, params, s->type_hierarchy, run_prepare_types);
}

/* ---- references ---- */

static void
on_references(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    const struct query_links *links = &(*result)->links;
    AUTO(buf_finish) struct buf json = {0};

    p->ticket = NULL;
    if ((*result)->r == 0 && p->session) {
        if (p->with_declaration) {
            begin_one(&json);
            place_add_location(p->session, &json, p->workspace, &(*result)->rows[0]);
        }
        for (size_t i = 0; i < links->n_callers; i++) {
            begin_one(&json);
            add_location(p, &json, &links->callers[i]);
        }
        for (size_t i = 0; i < links->n_derived; i++) {
            begin_one(&json);
            add_location(p, &json, &links->derived[i]);
        }
        reply_list(p, &json);
    }
    give_up(p);
}

static void
on_referenced(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    const struct entity_row *row =
        (*result)->r == 0 && p->session ? navigation_best(p, *result, NULL) : NULL;
    struct query *q = row ? workspace_query(p->workspace) : NULL;

    p->ticket = NULL;
    if (q)
        p->ticket = query_entity(q, row->key, true, on_references, p);
    else
        give_up(p);
}

static void
run_references(struct pending *p)
{
    navigation_named(p, on_referenced);
}

static void
run_references_only(struct pending *p)
{
    p->with_declaration = false;
    run_references(p);
}

static void
run_references_and_declaration(struct pending *p)
{
    p->with_declaration = true;
    run_references(p);
}

void
hierarchy_references(struct server_session *s, const struct wire_id *id, json_t *params)
{
    bool with_declaration = true;

    (void)codec_get_bool(codec_object(params, "context"), "includeDeclaration",
                         &with_declaration);
    navigation_ask(s, id, params, s->references,
                   with_declaration ? run_references_and_declaration
                                    : run_references_only);
}

/* ---- from an item on ---- */

/* The edges of one item: an array of {<name>: item, fromRanges}, or of plain items. */
struct grouping {
    struct pending *p;
    const struct query_result *result;
    const char *name; // "from", "to"; NULL: plain items
    bool is_into;
};

static struct str
end_of(const struct grouping *g, const struct edge_row *edge)
{
    return g->is_into ? edge->from_key : edge->to_key;
}

static bool
is_same_end(const struct grouping *g, const struct edge_row *a, const struct edge_row *b)
{
    if (end_of(g, a).n == 0 && end_of(g, b).n == 0)
        return str_eq(a->path, b->path);
    return str_eq(end_of(g, a), end_of(g, b));
}

static void
add_ranges(const struct grouping *g, struct buf *json, const struct edge_row *edges,
           size_t i, size_t n)
{
    const struct edge_row *first = &edges[i];

    buf_add_cstr(json, ",\"fromRanges\":[");
    for (; i < n; i++) {
        if (!is_same_end(g, &edges[i], first))
            continue;
        if (&edges[i] != first)
            buf_add_char(json, ',');
        place_add_name(g->p->session, json, &edges[i].at, edges[i].target);
    }
    buf_add_cstr(json, "]}");
}

static void
add_group(const struct grouping *g, struct buf *json, const struct edge_row *edges,
          size_t i, size_t n)
{
    const struct entity_row *row = find_end(g->result, end_of(g, &edges[i]));

    if (!row && (!g->is_into || end_of(g, &edges[i]).n > 0))
        return; // what it means is not known
    begin_one(json);
    if (g->name)
        buf_printf(json, "{\"%s\":", g->name);
    if (row)
        add_item(g->p, json, row);
    else
        add_file_item(g->p, json, &edges[i]);
    if (g->name)
        add_ranges(g, json, edges, i, n);
}

static void
reply_groups(const struct grouping *g, const struct edge_row *edges, size_t n)
{
    AUTO(buf_finish) struct buf json = {0};

    for (size_t i = 0; i < n; i++) {
        size_t before = 0;

        while (before < i && !is_same_end(g, &edges[before], &edges[i]))
            before++;
        if (before == i)
            add_group(g, &json, edges, i, n);
    }
    reply_list(g->p, &json);
}

/* Calls only: who imports it does not call it. */
static size_t
keep_calls(struct edge_row *edges, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (edges[i].kind == EDGE_CALLS)
            edges[kept++] = edges[i];
    }
    return kept;
}

static void
on_incoming(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    struct query_links *links = &(*result)->links;
    struct grouping g = {p, *result, "from", true};

    p->ticket = NULL;
    if ((*result)->r == 0 && p->session)
        reply_groups(&g, links->callers, keep_calls(links->callers, links->n_callers));
    give_up(p);
}

static void
on_outgoing(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    struct query_links *links = &(*result)->links;
    struct grouping g = {p, *result, "to", false};

    p->ticket = NULL;
    if ((*result)->r == 0 && p->session)
        reply_groups(&g, links->callees, keep_calls(links->callees, links->n_callees));
    give_up(p);
}

static void
on_supertypes(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    struct grouping g = {p, *result, NULL, false};

    p->ticket = NULL;
    if ((*result)->r == 0 && p->session)
        reply_groups(&g, (*result)->links.bases, (*result)->links.n_bases);
    give_up(p);
}

static void
on_subtypes(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    struct grouping g = {p, *result, NULL, true};

    p->ticket = NULL;
    if ((*result)->r == 0 && p->session)
        reply_groups(&g, (*result)->links.derived, (*result)->links.n_derived);
    give_up(p);
}

static void
run_around(struct pending *p, query_done_fn done)
{
    struct query *q = workspace_query(p->workspace);

    if (q)
        p->ticket = query_around(q, str_of(p->word), done, p);
    else
        give_up(p);
}

static void
run_incoming(struct pending *p)
{
    run_around(p, on_incoming);
}

static void
run_outgoing(struct pending *p)
{
    run_around(p, on_outgoing);
}

static void
run_supertypes(struct pending *p)
{
    run_around(p, on_supertypes);
}

static void
run_subtypes(struct pending *p)
{
    run_around(p, on_subtypes);
}

static void
follow(struct server_session *s, const struct wire_id *id, json_t *params, enum feature f,
       void (*run)(struct pending *p))
{
    const json_t *item = codec_object(params, "item");
    AUTO(free) char *absolute = NULL;
    struct workspace *w = NULL;
    struct str uri, key, path;
    struct pending *p;

    if (codec_get_str(item, "uri", &uri) < 0) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS, "item.uri is missing");
        return;
    }
    if (uri_to_path(uri, &absolute) == 0)
        w = session_workspace_of(s, absolute, &path);
    if (!w || f == FEATURE_OFF ||
        codec_get_str(codec_object(item, "data"), "key", &key) < 0) {
        wire_reply(s->wire, id, NULL);
        return;
    }
    p = pending_create(s, id, w);
    p->word = str_dup(key);
    pending_when_open(p, run);
}

void
hierarchy_incoming(struct server_session *s, const struct wire_id *id, json_t *params)
{
    follow(s, id, params, s->call_hierarchy, run_incoming);
}

void
hierarchy_outgoing(struct server_session *s, const struct wire_id *id, json_t *params)
{
    follow(s, id, params, s->call_hierarchy, run_outgoing);
}

void
hierarchy_supertypes(struct server_session *s, const struct wire_id *id, json_t *params)
{
    follow(s, id, params, s->type_hierarchy, run_supertypes);
}

void
hierarchy_subtypes(struct server_session *s, const struct wire_id *id, json_t *params)
{
    follow(s, id, params, s->type_hierarchy, run_subtypes);
}
