/* Compiles a language's query files and reads what they ask for beside nodes: the roles of their
 * captures, their predicates and settings. Anything not known is an error of the build's own
 * files, told with its place, never silently dropped. Constant after its creation. */
#include "lang/lang.h"

#include <regex.h>

#include "base/mem.h"
#include "base/vec.h"
#include "registry.h"

#define PATTERN_BYTES_MAX 256 // a predicate looks at this much of a node's text

enum predicate_op { OP_EQ, OP_ANY_OF, OP_PREFIX, OP_MATCH };

struct lang_predicate {
    enum predicate_op op;
    bool negated;
    uint32_t capture;
    struct str *values; // borrowed from the TSQuery
    uint32_t n_values;
    regex_t regex; // OP_MATCH
};

static const struct {
    const char *name;
    enum lang_capture role;
} roles[] = {
    {"reference.call", LANG_CAPTURE_CALL},
    {"reference.import", LANG_CAPTURE_IMPORT},
    {"reference.inherit", LANG_CAPTURE_INHERIT},
    {"reference.implement", LANG_CAPTURE_IMPLEMENT},
    {"name", LANG_CAPTURE_NAME},
    {"declarator", LANG_CAPTURE_DECLARATOR},
    {"body", LANG_CAPTURE_BODY},
    {"scope", LANG_CAPTURE_SCOPE},
    {"doc", LANG_CAPTURE_DOC},
    {"comment", LANG_CAPTURE_COMMENT},
    {"wrapper", LANG_CAPTURE_WRAPPER},
    {"leading", LANG_CAPTURE_LEADING},
    {"around", LANG_CAPTURE_AROUND},
    {"opaque", LANG_CAPTURE_OPAQUE},
};

static const struct {
    const char *name;
    enum predicate_op op;
    bool negated;
} ops[] = {
    {"eq?", OP_EQ, false},         {"not-eq?", OP_EQ, true},
    {"any-of?", OP_ANY_OF, false}, {"not-any-of?", OP_ANY_OF, true},
    {"match?", OP_MATCH, false},   {"not-match?", OP_MATCH, true},
};

struct str
lang_node_text(TSNode node, struct str text)
{
    size_t start = MIN(ts_node_start_byte(node), text.n);
    size_t end = MIN(ts_node_end_byte(node), text.n);
    return str_slice(text.p + start, end > start ? end - start : 0);
}

static struct str
step_text(const struct lang_query *q, const TSQueryPredicateStep *step)
{
    uint32_t n;
    const char *p = step->type == TSQueryPredicateStepTypeCapture
                        ? ts_query_capture_name_for_id(q->query, step->value_id, &n)
                        : ts_query_string_value_for_id(q->query, step->value_id, &n);
    return str_slice(p, n);
}

static int
read_captures(struct lang_query *q, char **ret_why)
{
    q->n_captures = ts_query_capture_count(q->query);
    q->captures = xcalloc(q->n_captures + 1, sizeof(*q->captures));
    for (uint32_t i = 0; i < q->n_captures; i++) {
        uint32_t n;
        const char *p = ts_query_capture_name_for_id(q->query, i, &n);
        struct str name = str_slice(p, n), prefix = STR("definition.");
        if (str_starts_with(name, prefix)) {
            q->captures[i].role = LANG_CAPTURE_DEFINITION;
            q->captures[i].kind = str_slice(p + prefix.n, n - prefix.n);
            continue;
        }
        for (size_t r = 0; r < ARRAY_LEN(roles); r++)
            if (str_eq_c(name, roles[r].name))
                q->captures[i].role = roles[r].role;
        if (q->captures[i].role == LANG_CAPTURE_NONE && name.p[0] != '_') {
            *ret_why = xasprintf("capture @%.*s is not known", STR_ARG(name));
            return -EINVAL;
        }
    }
    return 0;
}

static int
read_type(const struct lang *l, struct str name, TSSymbol *ret_type, char **ret_why)
{
    *ret_type = ts_language_symbol_for_name(l->grammar, name.p, (uint32_t)name.n, true);
    if (*ret_type != 0)
        return 0;
    *ret_why = xasprintf("no node type %.*s", STR_ARG(name));
    return -EINVAL;
}

/* (#set! flat), (#set! each), (#set! lines), (#set! first), (#set! member), (#set! merge), (#set! local "keep"),
 * (#set! level "1"), (#set! name "N"), (#set! prefix ":"), (#set! find "…"), (#set! reject-declarator "type"),
 * (#set! nested-declarator "type"); of the whole language: (#set! depth "3") */
static int
read_setting(struct lang_query *q, const struct lang *l, struct lang_pattern *pattern,
             const TSQueryPredicateStep *steps, uint32_t n, char **ret_why)
{
    struct str key = n > 1 ? step_text(q, &steps[1]) : STR_NONE;
    struct str value = n > 2 ? step_text(q, &steps[2]) : STR_NONE;
    if (str_eq_c(key, "flat")) {
        pattern->flat = true;
    } else if (str_eq_c(key, "lines")) {
        pattern->lines = true;
    } else if (str_eq_c(key, "each")) {
        pattern->each = true;
    } else if (str_eq_c(key, "first")) {
        pattern->first_only = true;
    } else if (str_eq_c(key, "body")) {
        pattern->body_opening = value;
    } else if (str_eq_c(key, "member")) {
        pattern->member = true;
    } else if (str_eq_c(key, "local") && str_eq_c(value, "keep")) {
        pattern->local = LANG_LOCAL_KEEP;
    } else if (str_eq_c(key, "local") && str_eq_c(value, "drop")) {
        pattern->local = LANG_LOCAL_DROP;
    } else if (str_eq_c(key, "merge")) {
        pattern->merges = true;
    } else if (str_eq_c(key, "find")) {
        if (lang_finder_create(value, &pattern->finder) < 0) {
            *ret_why = xasprintf("%.*s finds no name", STR_ARG(value));
            return -EINVAL;
        }
    } else if (str_eq_c(key, "level")) {
        pattern->level = value.n == 1 ? (unsigned)(value.p[0] - '0') : 0;
        if (pattern->level == 0 || pattern->level > LANG_LEVEL_MAX) {
            *ret_why = xasprintf("level is 1 to %d", LANG_LEVEL_MAX);
            return -EINVAL;
        }
    } else if (str_eq_c(key, "depth")) {
        uint64_t depth;
        if (str_to_u64(value, &depth) < 0 || depth >= UINT32_MAX) {
            *ret_why = xasprintf("depth %.*s is not known", STR_ARG(value));
            return -EINVAL;
        }
        q->depth = (uint32_t)depth;
    } else if (str_eq_c(key, "name")) {
        pattern->given_name = value;
    } else if (str_eq_c(key, "prefix")) {
        pattern->name_prefix = value;
    } else if (str_eq_c(key, "reject-declarator")) {
        return read_type(l, value, &pattern->rejected_declarator, ret_why);
    } else if (str_eq_c(key, "selector")) {
        return read_type(l, value, &pattern->piece, ret_why);
    } else if (str_eq_c(key, "nested-declarator")) {
        return read_type(l, value, &pattern->nested_declarator, ret_why);
    } else {
        *ret_why = xasprintf("setting %.*s is not known", STR_ARG(key));
        return -EINVAL;
    }
    return 0;
}

/* "^word": no need of a regular expression. */
static bool
is_prefix(struct str pattern)
{
    for (size_t i = 1; i < pattern.n; i++)
        if (strchr("[](){}.*+?|\\^$", pattern.p[i]))
            return false;
    return pattern.n > 1 && pattern.p[0] == '^';
}

/* Fills *ret; what it allocates is freed by lang_query_destroy. */
static int
read_predicate(struct lang_query *q, const TSQueryPredicateStep *steps, uint32_t n,
               struct lang_predicate *ret, char **ret_why)
{
    struct str name = step_text(q, &steps[0]);
    size_t op = 0;
    while (op < ARRAY_LEN(ops) && !str_eq_c(name, ops[op].name))
        op++;
    bool valid =
        op < ARRAY_LEN(ops) && n >= 3 && steps[1].type == TSQueryPredicateStepTypeCapture;
    for (uint32_t i = 2; valid && i < n; i++)
        valid = steps[i].type == TSQueryPredicateStepTypeString;
    if (!valid || (ops[op].op != OP_ANY_OF && n != 3)) {
        *ret_why =
            xasprintf("predicate #%.*s is not known or not used so", STR_ARG(name));
        return -EINVAL;
    }
    struct str first = step_text(q, &steps[2]);
    ret->op = ops[op].op;
    if (ret->op == OP_MATCH && is_prefix(first)) {
        ret->op = OP_PREFIX;
    } else if (ret->op == OP_MATCH &&
               regcomp(&ret->regex, first.p, REG_EXTENDED | REG_NOSUB) != 0) {
        *ret_why = xasprintf("%.*s is not a regular expression", STR_ARG(first));
        return -EINVAL;
    }
    ret->negated = ops[op].negated;
    ret->capture = steps[1].value_id;
    ret->n_values = n - 2;
    ret->values = xcalloc(n - 2, sizeof(*ret->values));
    for (uint32_t i = 2; i < n; i++)
        ret->values[i - 2] = step_text(q, &steps[i]);
    if (ret->op == OP_PREFIX)
        ret->values[0] = str_slice(first.p + 1, first.n - 1);
    return 0;
}

static int
read_pattern(struct lang_query *q, const struct lang *l, struct lang_pattern *pattern,
             uint32_t index, char **ret_why)
{
    uint32_t n_steps;
    const TSQueryPredicateStep *steps =
        ts_query_predicates_for_pattern(q->query, index, &n_steps);
    pattern->first_predicate = q->n_predicates;
    for (uint32_t i = 0, n; i < n_steps; i += n + 1) {
        for (n = 0; steps[i + n].type != TSQueryPredicateStepTypeDone; n++)
            ;
        int r;
        if (str_eq_c(step_text(q, &steps[i]), "set!")) {
            r = read_setting(q, l, pattern, steps + i, n, ret_why);
        } else {
            q->predicates =
                xreallocarray(q->predicates, q->n_predicates + 1, sizeof(*q->predicates));
            memset(&q->predicates[q->n_predicates], 0, sizeof(*q->predicates));
            r = read_predicate(q, steps + i, n, &q->predicates[q->n_predicates], ret_why);
            q->n_predicates += r == 0;
        }
        if (r < 0)
            return r;
    }
    pattern->n_predicates = q->n_predicates - pattern->first_predicate;
    return 0;
}

static int
compile(struct lang_query *q, const struct lang *l, char **ret_why)
{
    AUTO(buf_finish) struct buf text = {0};
    uint32_t offset;
    TSQueryError error;
    buf_add_cstr(&text, l->source->entities);
    buf_add_cstr(&text, l->source->calls);
    buf_add_cstr(&text, l->source->imports);
    q->query =
        ts_query_new(l->grammar, text.p ? text.p : "", (uint32_t)text.n, &offset, &error);
    if (!q->query) {
        *ret_why =
            xasprintf("error %d at: %.60s", (int)error, text.p + MIN(offset, text.n));
        return -EINVAL;
    }
    q->declarator_field = ts_language_field_id_for_name(l->grammar, "declarator", 10);
    q->depth = UINT32_MAX;
    q->name_field = ts_language_field_id_for_name(l->grammar, "name", 4);
    q->scope_field = ts_language_field_id_for_name(l->grammar, "scope", 5);
    int r = read_captures(q, ret_why);
    if (r < 0)
        return r;
    q->n_patterns = ts_query_pattern_count(q->query);
    q->patterns = xcalloc(q->n_patterns + 1, sizeof(*q->patterns));
    for (uint32_t i = 0; i < q->n_patterns; i++) {
        r = read_pattern(q, l, &q->patterns[i], i, ret_why);
        if (r < 0)
            return r;
    }
    return 0;
}

int
lang_query_create(const struct lang *l, struct lang_query **ret_query, char **ret_why)
{
    AUTO(lang_query_destroy) struct lang_query *q = xnew(struct lang_query);
    char *why = NULL;
    int r = compile(q, l, &why);
    if (r < 0) {
        *ret_why = xasprintf("queries of %s: %s", l->name, why);
        free(why);
        return r;
    }
    *ret_query = steal(q);
    return 0;
}

void
lang_query_destroy(struct lang_query *q)
{
    if (!q)
        return;
    for (uint32_t i = 0; q->patterns && i < q->n_patterns; i++)
        lang_finder_destroy(q->patterns[i].finder);
    for (uint32_t i = 0; i < q->n_predicates; i++) {
        if (q->predicates[i].op == OP_MATCH)
            regfree(&q->predicates[i].regex);
        free(q->predicates[i].values);
    }
    if (q->query)
        ts_query_delete(q->query);
    free(q->predicates);
    free(q->patterns);
    free(q->captures);
    free(q);
}

static bool
predicate_holds(const struct lang_predicate *p, struct str operand)
{
    bool holds = false;
    switch (p->op) {
    case OP_EQ:
    case OP_ANY_OF:
        for (uint32_t i = 0; i < p->n_values && !holds; i++)
            holds = str_eq(operand, p->values[i]);
        break;
    case OP_PREFIX: holds = str_starts_with(operand, p->values[0]); break;
    case OP_MATCH: {
        char head[PATTERN_BYTES_MAX + 1]; // regexec wants a terminator
        size_t n = MIN(operand.n, (size_t)PATTERN_BYTES_MAX);
        if (n > 0)
            memcpy(head, operand.p, n);
        head[n] = '\0';
        holds = regexec(&p->regex, head, 0, NULL, 0) == 0;
        break;
    }
    }
    return holds != p->negated;
}

bool
lang_query_accepts(const struct lang_query *q, const TSQueryMatch *match, struct str text,
                   struct str name)
{
    const struct lang_pattern *pattern = &q->patterns[match->pattern_index];
    for (uint32_t i = 0; i < pattern->n_predicates; i++) {
        const struct lang_predicate *p = &q->predicates[pattern->first_predicate + i];
        struct str operand = STR_NONE;
        if (q->captures[p->capture].role == LANG_CAPTURE_NAME) {
            operand = name;
        } else {
            for (uint16_t c = 0; c < match->capture_count; c++)
                if (match->captures[c].index == p->capture)
                    operand = lang_node_text(match->captures[c].node, text);
        }
        if (!predicate_holds(p, operand))
            return false;
    }
    return true;
}
