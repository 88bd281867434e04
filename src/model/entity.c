/* Kinds of entities and their keys. One table row per kind, so that its names and its LSP number
 * cannot drift apart.
 *
 * A key reads back to exactly what it was made of, whatever bytes path and name hold, and there is
 * one key for one entity. Nothing is escaped, so the parts of a parsed key are views into it. The
 * plain form is lang:kind:path#name; '#' and '~' may occur in both path and name, therefore a
 * suffix says what the plain form cannot:
 *   ~ORDINAL         the second, third… of a name; also ~1 behind a name that itself ends like a suffix
 *   ~ORDINAL.HASHES  HASHES of the '#' before the separating one belong to the path
 * The second is written only where the plain reading, which takes the last '#' that opens no
 * private member ("App.#secret"), would cut in the wrong place. */
#include "model/entity.h"

#include "base/hash.h"

#define LSP_MODULE 2
#define LSP_NAMESPACE 3
#define LSP_CLASS 5
#define LSP_METHOD 6
#define LSP_PROPERTY 7
#define LSP_FIELD 8
#define LSP_CONSTRUCTOR 9
#define LSP_ENUM 10
#define LSP_INTERFACE 11
#define LSP_FUNCTION 12
#define LSP_VARIABLE 13
#define LSP_CONSTANT 14
#define LSP_STRING 15
#define LSP_OBJECT 19
#define LSP_KEY 20
#define LSP_ENUM_MEMBER 22
#define LSP_STRUCT 23

/* "~" and two numbers of at most 10 digits with a '.' between. */
#define SUFFIX_BYTES_MAX 22

/* LSP has no kind for some of ours. Aliases are Class as in clangd (TypeParameter means a generic's
 * parameter), traits Interface and impls Object as in rust-analyzer, macros Constant, headings String
 * as in Markdown's servers. */
static const struct kind_row {
    const char *name;
    const char *short_name;
    int lsp;
} kinds[ENTITY_KIND_COUNT] = {
    [ENTITY_MODULE] = {"module", "mod", LSP_MODULE},
    [ENTITY_NAMESPACE] = {"namespace", "ns", LSP_NAMESPACE},
    [ENTITY_CLASS] = {"class", "class", LSP_CLASS},
    [ENTITY_STRUCT] = {"struct", "struct", LSP_STRUCT},
    [ENTITY_UNION] = {"union", "union", LSP_STRUCT},
    [ENTITY_ENUM] = {"enum", "enum", LSP_ENUM},
    [ENTITY_ENUM_MEMBER] = {"enum_member", "member", LSP_ENUM_MEMBER},
    [ENTITY_INTERFACE] = {"interface", "iface", LSP_INTERFACE},
    [ENTITY_TRAIT] = {"trait", "trait", LSP_INTERFACE},
    [ENTITY_IMPL] = {"impl", "impl", LSP_OBJECT},
    [ENTITY_FUNCTION] = {"function", "fn", LSP_FUNCTION},
    [ENTITY_METHOD] = {"method", "method", LSP_METHOD},
    [ENTITY_CONSTRUCTOR] = {"constructor", "ctor", LSP_CONSTRUCTOR},
    [ENTITY_FIELD] = {"field", "field", LSP_FIELD},
    [ENTITY_PROPERTY] = {"property", "prop", LSP_PROPERTY},
    [ENTITY_VARIABLE] = {"variable", "var", LSP_VARIABLE},
    [ENTITY_CONSTANT] = {"constant", "const", LSP_CONSTANT},
    [ENTITY_TYPE_ALIAS] = {"type_alias", "type", LSP_CLASS},
    [ENTITY_MACRO] = {"macro", "macro", LSP_CONSTANT},
    [ENTITY_SECTION] = {"section", "sec", LSP_STRING},
    [ENTITY_KEY] = {"key", "key", LSP_KEY},
    [ENTITY_SELECTOR] = {"selector", "sel", LSP_CLASS},
    [ENTITY_ELEMENT] = {"element", "elem", LSP_FIELD},
    [ENTITY_TARGET] = {"target", "target", LSP_FUNCTION},
    [ENTITY_TABLE] = {"table", "table", LSP_STRUCT},
    [ENTITY_BLOCK] = {"block", "block", LSP_OBJECT},
};

const char *
entity_kind_name(enum entity_kind kind)
{
    assert((unsigned)kind < ENTITY_KIND_COUNT);
    return kinds[kind].name;
}

const char *
entity_kind_short(enum entity_kind kind)
{
    assert((unsigned)kind < ENTITY_KIND_COUNT);
    return kinds[kind].short_name;
}

int
entity_kind_lsp(enum entity_kind kind)
{
    assert((unsigned)kind < ENTITY_KIND_COUNT);
    return kinds[kind].lsp;
}

int
entity_kind_parse(struct str name, enum entity_kind *ret_kind)
{
    for (int i = 0; i < ENTITY_KIND_COUNT; i++) {
        if (str_eq_c(name, kinds[i].name) || str_eq_c(name, kinds[i].short_name)) {
            *ret_kind = (enum entity_kind)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* ---- keys ---- */

uint64_t
entity_place(const struct entity *e)
{
    return hash64_seeded(e->qualified_name, (uint64_t)e->ordinal << 8 | e->kind);
}

struct suffix {
    size_t n;         // bytes, '~' included; 0: there is none
    uint32_t ordinal; // 1 when there is none
    uint32_t hashes;  // 0: not said
};

/* Digits without a leading zero that end at `end`, within 32 bits. Returns where they begin, or
 * `end` if there are none. */
static size_t
number_before(struct str s, size_t end, uint32_t *ret_value)
{
    size_t begin = end;
    while (begin > 0 && s.p[begin - 1] >= '0' && s.p[begin - 1] <= '9')
        begin--;
    if (begin == end || s.p[begin] == '0' || end - begin > 10)
        return end;
    uint64_t value = 0;
    for (size_t i = begin; i < end; i++)
        value = value * 10 + (uint64_t)(s.p[i] - '0');
    if (value > UINT32_MAX)
        return end;
    *ret_value = (uint32_t)value;
    return begin;
}

static struct suffix
suffix_of(struct str s)
{
    struct suffix none = {.n = 0, .ordinal = 1};
    struct suffix found = none;
    uint32_t last = 0;
    size_t at = number_before(s, s.n, &last);
    if (at == s.n || at == 0)
        return none;
    found.ordinal = last;
    if (s.p[at - 1] == '.') {
        found.hashes = last;
        size_t end = at - 1;
        at = number_before(s, end, &found.ordinal);
        if (at == end || at == 0)
            return none;
    }
    if (s.p[at - 1] != '~')
        return none;
    found.n = s.n - (at - 1);
    return found;
}

/* Where the plain reading cuts path#name: the last '#' with neither '.' nor '#' before it. -1 if
 * there is none. */
static ssize_t
plain_cut(struct str s)
{
    for (size_t i = s.n; i-- > 1;) {
        if (s.p[i] == '#' && s.p[i - 1] != '.' && s.p[i - 1] != '#')
            return (ssize_t)i;
    }
    return -1;
}

static uint32_t
count_hashes(struct str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '#';
    return n;
}

/* Would plain_cut() of path#name be behind the path? */
static bool
cuts_plainly(struct str path, struct str name)
{
    if (path.n == 0 || path.p[path.n - 1] == '.' || path.p[path.n - 1] == '#')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '#' && i > 0 && name.p[i - 1] != '.' && name.p[i - 1] != '#')
            return false;
    }
    return true;
}

static size_t
put_number(char *at, uint32_t value)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < n; i++)
        at[i] = digits[n - 1 - i];
    return n;
}

/* The suffix that these parts need: its length, 0 for none. */
static size_t
put_suffix(char at[SUFFIX_BYTES_MAX], struct str path, struct str name, uint32_t ordinal)
{
    bool plainly = cuts_plainly(path, name);
    if (plainly && ordinal <= 1 && suffix_of(name).n == 0)
        return 0;
    size_t n = 0;
    at[n++] = '~';
    n += put_number(at + n, MAX(ordinal, 1u));
    if (!plainly) {
        at[n++] = '.';
        n += put_number(at + n, count_hashes(path) + 1);
    }
    return n;
}

static char *
put(char *at, const char *p, size_t n)
{
    if (n > 0)
        memcpy(at, p, n);
    return at + n;
}

struct str
entity_key(struct arena *a, struct str lang, enum entity_kind kind, struct str path,
           struct str qualified_name, uint32_t ordinal)
{
    const char *kind_short = entity_kind_short(kind);
    size_t kind_n = strlen(kind_short);
    char suffix[SUFFIX_BYTES_MAX];
    size_t suffix_n = put_suffix(suffix, path, qualified_name, ordinal);

    size_t n = lang.n + 1 + kind_n + 1 + path.n + 1 + qualified_name.n + suffix_n;
    char *key = arena_alloc(a, n + 1);
    char *at = put(key, lang.p, lang.n);
    *at++ = ':';
    at = put(at, kind_short, kind_n);
    *at++ = ':';
    at = put(at, path.p, path.n);
    *at++ = '#';
    at = put(at, qualified_name.p, qualified_name.n);
    at = put(at, suffix, suffix_n);
    *at = '\0';
    return str_slice(key, n);
}

/* The separating '#' when a suffix counted the ones up to and including it. */
static ssize_t
counted_cut(struct str s, uint32_t count)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '#' && --count == 0)
            return (ssize_t)i;
    }
    return -1;
}

int
entity_key_parse(struct str key, struct entity_key_parts *ret_parts)
{
    struct entity_key_parts parts;
    struct str rest = key, kind;
    if (!str_split(&rest, ':', &parts.lang) || !str_split(&rest, ':', &kind))
        return -EINVAL;
    if (parts.lang.n == 0 || entity_kind_parse(kind, &parts.kind) < 0 ||
        !str_eq_c(kind, entity_kind_short(parts.kind)))
        return -EINVAL;

    struct suffix suffix = suffix_of(rest);
    struct str body = str_slice(rest.p, rest.n - suffix.n);
    ssize_t cut = suffix.hashes > 0 ? counted_cut(body, suffix.hashes) : plain_cut(body);
    if (cut <= 0 || (size_t)cut + 1 == body.n)
        return -EINVAL;
    parts.path = str_slice(body.p, (size_t)cut);
    parts.qualified_name = str_slice(body.p + cut + 1, body.n - (size_t)cut - 1);
    parts.ordinal = suffix.ordinal;

    /* One entity, one key: what entity_key() would not write is none. */
    char text[SUFFIX_BYTES_MAX];
    size_t n = put_suffix(text, parts.path, parts.qualified_name, parts.ordinal);
    if (n != suffix.n || memcmp(text, body.p + body.n, n) != 0)
        return -EINVAL;
    *ret_parts = parts;
    return 0;
}
