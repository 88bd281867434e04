/* Why: a search is the same one whether a message or an address asks for it. Invariant: what cannot be
 * read is refused with the member's name and never taken for its default. */
#include "hub/terms.h"

#include "codec/codec.h"

static const char bad_text[] = "q must be the words to search, 1 to 1024 bytes";
static const char bad_limit[] = "limit must be a number from 1 to 1000";
static const char bad_large_limit[] = "limit must be a number from 1 to 100000";
static const char bad_kind[] = "kind must be a kind of entity, or a list of them";
static const char bad_mode[] = "mode must be \"name\" or \"text\"";
static const char bad_place[] = "lang and path must be text";

static const char *const text_names[] = {"q", "query", "query_text"};
static const char *const limit_names[] = {"limit", "k"};

/* ---- one by one; NULL, or what is wrong ---- */

static const char *
set_text(struct terms *terms, struct str text)
{
    terms->search.text = text;
    return text.n == 0 || text.n > QUERY_TEXT_BYTES_MAX ? bad_text : NULL;
}

static const char *
add_kind(struct terms *terms, struct str name)
{
    struct query_search *s = &terms->search;
    s->kinds = terms->kinds;
    if (s->n_kinds >= ARRAY_LEN(terms->kinds) ||
        entity_kind_parse(name, &terms->kinds[s->n_kinds]) < 0)
        return bad_kind;
    s->n_kinds++;
    return NULL;
}

/* "text", "fts" and "trigram" look into signatures, comments and hovers; "name" and the rest at names. */
static const char *
set_mode(struct terms *terms, struct str mode)
{
    static const char *const of_text[] = {"text", "fts", "trigram"};
    static const char *const of_name[] = {"name", "fuzzy", "exact", "prefix"};
    for (size_t i = 0; i < ARRAY_LEN(of_text); i++) {
        if (str_eq_c(mode, of_text[i])) {
            terms->search.is_text_search = true;
            return NULL;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(of_name); i++)
        if (str_eq_c(mode, of_name[i]))
            return NULL;
    return bad_mode;
}

static const char *
limit_fault(size_t limit_max)
{
    return limit_max == QUERY_LIMIT_MAX ? bad_limit : bad_large_limit;
}

/* ---- from JSON ---- */

static const char *
read_text(const json_t *data, struct terms *terms)
{
    struct str text = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(text_names); i++) {
        int r = codec_get_str(data, text_names[i], &text);
        if (r != -ENOENT)
            return r < 0 ? bad_text : set_text(terms, text);
    }
    return bad_text;
}

/* "function" or ["function","method"]. */
static const char *
read_kinds(const json_t *data, struct terms *terms)
{
    const json_t *member = codec_member(data, "kind"), *name;
    const char *why = NULL;
    size_t i;
    if (!member || json_is_null(member))
        return NULL;
    if (json_is_string(member))
        return add_kind(terms,
                        str_slice(json_string_value(member), json_string_length(member)));
    if (!json_is_array(member))
        return bad_kind;
    json_array_foreach(member, i, name)
    {
        why = json_is_string(name) ? add_kind(terms, str_slice(json_string_value(name),
                                                               json_string_length(name)))
                                   : bad_kind;
        if (why)
            return why;
    }
    return NULL;
}

static const char *
read_mode(const json_t *data, struct terms *terms)
{
    struct str mode;
    int r = codec_get_str(data, "mode", &mode);
    if (r == -ENOENT)
        return NULL;
    return r < 0 ? bad_mode : set_mode(terms, mode);
}

bool
terms_read_json(const json_t *data, size_t limit_max, struct terms *terms,
                const char **ret_why)
{
    int64_t limit = (int64_t)terms->search.limit;
    const char *why = read_text(data, terms);
    for (size_t i = 0; i < ARRAY_LEN(limit_names) && !why; i++)
        if (codec_get_int(data, limit_names[i], 1, (int64_t)limit_max, &limit) == -EINVAL)
            why = limit_fault(limit_max);
    terms->search.limit = (size_t)limit;
    if (!why)
        why = read_kinds(data, terms);
    if (!why)
        why = read_mode(data, terms);
    if (!why && (codec_get_str(data, "lang", &terms->search.lang) == -EINVAL ||
                 codec_get_str(data, "path", &terms->search.path_glob) == -EINVAL))
        why = bad_place;
    if (!why)
        why = query_glob_fault(terms->search.path_glob);
    *ret_why = why;
    return !why;
}

/* ---- from an address ---- */

static bool
find_argument(const struct exchange *x, const char *const *names, size_t n,
              struct str *ret_value)
{
    for (size_t i = 0; i < n; i++)
        if (exchange_argument_view(x, names[i], ret_value))
            return true;
    return false;
}

static const char *
read_words(const struct exchange *x, struct terms *terms)
{
    struct str text = STR_NONE, mode;
    find_argument(x, text_names, ARRAY_LEN(text_names), &text);
    const char *why = set_text(terms, text);
    if (!why && exchange_argument_view(x, "mode", &mode))
        why = set_mode(terms, mode);
    return why;
}

bool
terms_read_address(const struct exchange *x, bool has_text, size_t limit_max,
                   struct terms *terms, const char **ret_why)
{
    struct str value, part;
    uint64_t limit = terms->search.limit;
    const char *why = has_text ? read_words(x, terms) : NULL;
    if (!why && find_argument(x, limit_names, ARRAY_LEN(limit_names), &value) &&
        (str_to_u64(value, &limit) < 0 || limit < 1 || limit > limit_max))
        why = limit_fault(limit_max);
    terms->search.limit = (size_t)limit;
    if (!why && exchange_argument_view(x, "kind", &value))
        while (!why && str_split(&value, ',', &part))
            why = add_kind(terms, part);
    exchange_argument_view(x, "lang", &terms->search.lang);
    exchange_argument_view(x, "path", &terms->search.path_glob);
    if (!why)
        why = query_glob_fault(terms->search.path_glob);
    *ret_why = why;
    return !why;
}
