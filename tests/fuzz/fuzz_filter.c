/* FILTER '\n' DATA: a subscriber's filter against an event's data. What the filter says of the text must be what a
 * walk over the parsed tree says, which knows nothing of how the filter is kept. */
#include <jansson.h>

#include "codec/codec.h"
#include "fuzz.h"
#include "hub/filter.h"

void
fuzz_init(void)
{
}

/* Names as our own codec writes them: nothing in them is escaped. */
static bool
has_plain_names(const json_t *json)
{
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)json, name, member)
    {
        for (const char *p = name; *p; p++)
            if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\' || *p == '.' || *p == '/')
                return false;
        if (*name == '\0' || !has_plain_names(member))
            return false;
    }
    return true;
}

static const json_t *
find(const json_t *data, struct str key)
{
    while (data && key.n > 0) {
        struct str part = fuzz_part(&key, '.');
        char *name = str_dup(part);
        data = part.n == strlen(name) ? json_object_get(data, name) : NULL;
        free(name);
    }
    return data;
}

static struct str
text_of(const json_t *json)
{
    return str_slice(json_string_value(json), json_string_length(json));
}

static bool
is_match(const json_t *member, struct str cmp, const json_t *value)
{
    if (!member)
        return false;
    if (!json_is_string(value) || !json_is_string(member))
        return json_equal(member, value) && !json_is_real(member);
    struct str text = text_of(member), part = text_of(value);
    if (str_eq_c(cmp, "sw"))
        return str_starts_with(text, part);
    if (str_eq_c(cmp, "ew"))
        return str_ends_with(text, part);
    if (str_eq_c(cmp, "ct"))
        return part.n == 0 || str_find(text, part) >= 0;
    return str_eq(text, part);
}

static bool
is_accepted(const json_t *node, const json_t *data)
{
    const json_t *all = json_object_get(node, "and"), *any = json_object_get(node, "or"),
                 *list = all ? all : any, *not = json_object_get(node, "not"), *child;
    size_t i;
    if (not )
        return !is_accepted(not, data);
    json_array_foreach(list, i, child)
    {
        if (is_accepted(child, data) == !all)
            return !all;
    }
    if (list)
        return all != NULL;
    struct str cmp = text_of(json_object_get(node, "cmp"));
    const json_t *member = find(data, text_of(json_object_get(node, "key"))),
                 *values = json_object_get(node, "vals");
    bool is_list = str_eq_c(cmp, "in") || str_eq_c(cmp, "nin"), has_match = false;
    if (!is_list)
        has_match = is_match(member, cmp, json_object_get(node, "val"));
    for (i = 0; is_list && i < json_array_size(values); i++)
        has_match |= is_match(member, cmp, json_array_get(values, i));
    return has_match != (str_eq_c(cmp, "nin") || str_eq_c(cmp, "neq"));
}

void
fuzz_one(struct str input)
{
    struct str line = fuzz_part(&input, '\n');
    AUTO(json_decref_) json_t *tree = NULL, *data = NULL;
    struct filter *f = NULL;
    const char *why = NULL;
    if (codec_parse(line, &tree, NULL) < 0)
        return;
    int r = filter_create(tree, &f, &why);
    fuzz_check((r < 0) == (why != NULL) && (r < 0) == (f == NULL));
    if (f) {
        filter_accepts(f, input); // whatever it is
        if (codec_parse(input, &data, NULL) == 0 && json_is_object(data) &&
            has_plain_names(data)) {
            AUTO(buf_finish) struct buf text = {0};
            codec_add_json(&text, data);
            fuzz_check(filter_accepts(f, buf_str(&text)) == is_accepted(tree, data));
        }
    }
    filter_destroy(f);
}
