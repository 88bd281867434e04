/* A filter is looked at for each event and each subscriber, so it stands in one array and walks over the event's text as
 * it is: no tree of JSON is built for an event.
 * Invariant: nodes are in the order in which they were written; a node's own part of the array, with all below
 * it, ends at `end`. The text of an event is our own codec's; what does not scan is as if it were not there. */
#include "hub/filter.h"

#include <errno.h>

#include "base/mem.h"

enum op { OP_AND, OP_OR, OP_NOT, OP_IN, OP_NIN, OP_STARTS, OP_ENDS, OP_CONTAINS };

struct value {
    bool is_text;
    struct str text; // else as JSON: 1, true
};

struct node {
    enum op op;
    size_t end;
    struct str key;
    size_t first_value, n_values;
};

struct filter {
    struct arena arena;
    struct node nodes[FILTER_NODES_MAX];
    struct value values[FILTER_VALUES_MAX];
    size_t n_nodes, n_values;
    struct buf text;
};

static const struct comparison {
    const char *name;
    enum op op;
    bool is_list, is_text_only;
} comparisons[] = {
    {"eq", OP_IN, false, false},      {"neq", OP_NIN, false, false},
    {"in", OP_IN, true, false},       {"nin", OP_NIN, true, false},
    {"sw", OP_STARTS, false, true},   {"ew", OP_ENDS, false, true},
    {"ct", OP_CONTAINS, false, true},
};

/* ---- reading a filter ---- */

struct reading {
    struct filter *f;
    const char *why; // NULL: nothing wrong so far
};

static int
fail(struct reading *r, const char *why)
{
    r->why = why;
    return -EINVAL;
}

static int
read_value(struct reading *r, const json_t *json, bool is_text_only)
{
    struct filter *f = r->f;
    AUTO(buf_finish) struct buf text = {0};
    bool is_text = json_is_string(json);
    if (!is_text && (is_text_only || !(json_is_integer(json) || json_is_boolean(json))))
        return fail(r, is_text_only ? "sw, ew and ct compare text"
                                    : "a value is text, an integer or a boolean");
    if (is_text)
        buf_add(&text, json_string_value(json), json_string_length(json));
    else
        codec_add_json(&text, json);
    if (text.n > FILTER_TEXT_BYTES_MAX)
        return fail(r, "a value has at most 1024 bytes");
    if (f->n_values == FILTER_VALUES_MAX)
        return fail(r, "a filter has at most 64 values");
    f->values[f->n_values++] =
        (struct value){is_text, arena_str(&f->arena, buf_str(&text))};
    return 0;
}

static int
read_values(struct reading *r, const json_t *json, const struct comparison *c)
{
    const json_t *one = codec_member(json, "val"), *list = codec_array(json, "vals");
    if (!c->is_list)
        return one ? read_value(r, one, c->is_text_only)
                   : fail(r, "eq, neq, sw, ew and ct want val");
    if (!list || json_array_size(list) == 0)
        return fail(r, "in and nin want vals, a list of values");
    for (size_t i = 0; i < json_array_size(list); i++) {
        int e = read_value(r, json_array_get(list, i), false);
        if (e < 0)
            return e;
    }
    return 0;
}

static int
read_comparison(struct reading *r, const json_t *json, struct node *node)
{
    const struct comparison *c = NULL;
    struct str key, name;
    if (codec_get_str(json, "key", &key) < 0 || key.n == 0 ||
        key.n > FILTER_TEXT_BYTES_MAX)
        return fail(r, "a comparison wants key, the name of a member of data");
    if (codec_get_str(json, "cmp", &name) < 0)
        name = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(comparisons) && !c; i++)
        if (str_eq_c(name, comparisons[i].name))
            c = &comparisons[i];
    if (!c)
        return fail(r, "cmp is eq, neq, in, nin, sw, ew or ct");
    node->op = c->op;
    node->key = arena_str(&r->f->arena, key);
    node->first_value = r->f->n_values;
    int e = read_values(r, json, c);
    node->n_values = r->f->n_values - node->first_value;
    return e;
}

static int
read_node(struct reading *r, const json_t *json, int depth)
{
    struct filter *f = r->f;
    const json_t *all = codec_array(json, "and"), *any = codec_array(json, "or"),
                 *not = codec_object(json, "not"), *list = all ? all : any;
    if (depth > FILTER_DEPTH_MAX)
        return fail(r, "a filter is at most 4 deep");
    if (f->n_nodes == FILTER_NODES_MAX)
        return fail(r, "a filter has at most 32 nodes");
    if ((codec_member(json, "and") != NULL) + (codec_member(json, "or") != NULL) +
            (codec_member(json, "not") != NULL) + (codec_member(json, "cmp") != NULL) !=
        1)
        return fail(r, "a node has one of and, or, not, cmp");
    struct node *node = &f->nodes[f->n_nodes++];
    int e = 0;
    if (list) {
        node->op = all ? OP_AND : OP_OR;
        if (json_array_size(list) == 0)
            e = fail(r, "and, or want a list of nodes");
        for (size_t i = 0; e == 0 && i < json_array_size(list); i++)
            e = read_node(r, json_array_get(list, i), depth + 1);
    } else if (not ) {
        node->op = OP_NOT;
        e = read_node(r, not, depth + 1);
    } else if (codec_member(json, "cmp")) {
        e = read_comparison(r, json, node);
    } else {
        e = fail(r, "and, or want a list of nodes, not wants a node");
    }
    node->end = f->n_nodes;
    return e;
}

int
filter_create(const json_t *tree, struct filter **ret_filter, const char **ret_why)
{
    struct reading r = {.f = xnew(struct filter)};
    int e = read_node(&r, tree, 1);
    *ret_why = r.why;
    *ret_filter = e < 0 ? NULL : r.f;
    if (e < 0)
        filter_destroy(r.f);
    else
        codec_add_json(&r.f->text, tree);
    return e;
}

const char *
filter_text(const struct filter *f)
{
    return f->text.p;
}

void
filter_destroy(struct filter *f)
{
    if (!f)
        return;
    arena_finish(&f->arena);
    buf_finish(&f->text);
    free(f);
}

/* ---- comparing ---- */

/* Raw JSON of what a key with dots names. */
static bool
find(struct str data, struct str key, struct str *ret_raw)
{
    *ret_raw = data;
    while (key.n > 0) {
        const char *dot = memchr(key.p, '.', key.n);
        size_t n = dot ? (size_t)(dot - key.p) : key.n;
        if (codec_slice_member(*ret_raw, str_slice(key.p, n), ret_raw) < 0)
            return false;
        key = str_slice(key.p + n + (dot != NULL), key.n - n - (dot != NULL));
    }
    return true;
}

/* The text of a JSON string; a view into raw where nothing is escaped, else of *ret_json. */
static struct str
text_of(struct str raw, json_t **ret_json)
{
    struct str inside = str_slice(raw.p + 1, raw.n - 2);
    if (!memchr(inside.p, '\\', inside.n))
        return inside;
    *ret_json = json_loadb(raw.p, raw.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return *ret_json
               ? str_slice(json_string_value(*ret_json), json_string_length(*ret_json))
               : STR_NONE;
}

static bool
matches(enum op op, struct str text, struct str value)
{
    if (value.n > text.n)
        return false;
    switch (op) {
    case OP_STARTS: return memcmp(text.p, value.p, value.n) == 0;
    case OP_ENDS: return memcmp(text.p + text.n - value.n, value.p, value.n) == 0;
    case OP_CONTAINS: return memmem(text.p, text.n, value.p, value.n) != NULL;
    case OP_IN:
    case OP_NIN: return str_eq(text, value);
    case OP_AND:
    case OP_OR:
    case OP_NOT: break;
    }
    return false;
}

static bool
compare(const struct filter *f, const struct node *node, struct str data)
{
    struct str raw;
    bool has_match = false;
    if (find(data, node->key, &raw)) {
        AUTO(json_decref_) json_t *json = NULL;
        bool is_text = raw.n >= 2 && raw.p[0] == '"';
        struct str text = is_text ? text_of(raw, &json) : raw;
        for (size_t i = 0; i < node->n_values && !has_match; i++) {
            const struct value *v = &f->values[node->first_value + i];
            has_match = v->is_text == is_text && matches(node->op, text, v->text);
        }
    }
    return has_match != (node->op == OP_NIN);
}

static bool
accepts(const struct filter *f, size_t at, struct str data)
{
    const struct node *node = &f->nodes[at];
    if (node->op == OP_NOT)
        return !accepts(f, at + 1, data);
    if (node->op != OP_AND && node->op != OP_OR)
        return compare(f, node, data);
    for (size_t child = at + 1; child < node->end; child = f->nodes[child].end)
        if (accepts(f, child, data) == (node->op == OP_OR))
            return node->op == OP_OR;
    return node->op == OP_AND;
}

bool
filter_accepts(const struct filter *f, struct str data)
{
    return accepts(f, 0, data);
}
