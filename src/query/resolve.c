/* Which of the entities of one name an edge means. Invariant: it is the only one that can be meant:
 * among those of a kind and language that fit and that can be seen from the place, the only one in the
 * same file (there, in the nearest scope), else the only one at all, else the only one in the same
 * folder. What is not certain by that rule stays a name. Pure. */
#include "query/links.h"

struct str
links_last_part(struct str target)
{
    size_t begin = target.n;
    while (begin > 0 && target.p[begin - 1] != '.' && target.p[begin - 1] != ':' &&
           target.p[begin - 1] != '\\' && target.p[begin - 1] != '>')
        begin--;
    struct str last = str_slice(target.p + begin, target.n - begin);
    return last.n > 0 ? last : target;
}

/* Languages that see each other's names. */
static struct str
family_of(struct str lang)
{
    static const char *const families[][2] = {
        {"cpp", "c"}, {"objc", "c"}, {"ts", "js"}, {"tsx", "js"}, {"jsx", "js"}};
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (str_eq_c(lang, families[i][0]))
            return str_of(families[i][1]);
    }
    return lang;
}

static bool
is_type(enum entity_kind kind)
{
    switch (kind) {
    case ENTITY_CLASS:
    case ENTITY_STRUCT:
    case ENTITY_UNION:
    case ENTITY_ENUM:
    case ENTITY_INTERFACE:
    case ENTITY_TRAIT:
    case ENTITY_TYPE_ALIAS: return true;
    case ENTITY_MODULE:
    case ENTITY_NAMESPACE:
    case ENTITY_ENUM_MEMBER:
    case ENTITY_IMPL:
    case ENTITY_FUNCTION:
    case ENTITY_METHOD:
    case ENTITY_CONSTRUCTOR:
    case ENTITY_FIELD:
    case ENTITY_PROPERTY:
    case ENTITY_VARIABLE:
    case ENTITY_CONSTANT:
    case ENTITY_MACRO:
    case ENTITY_SECTION:
    case ENTITY_KEY:
    case ENTITY_SELECTOR:
    case ENTITY_ELEMENT:
    case ENTITY_TARGET:
    case ENTITY_TABLE:
    case ENTITY_BLOCK:
    case ENTITY_KIND_COUNT: return false;
    }
    return false;
}

static bool
is_callable(const struct entity_row *row)
{
    enum entity_kind kind = row->e.kind;
    if (kind == ENTITY_STRUCT)
        return !str_eq_c(row->lang, "c");
    return kind == ENTITY_FUNCTION || kind == ENTITY_METHOD || kind == ENTITY_MACRO ||
           kind == ENTITY_CONSTRUCTOR || kind == ENTITY_CLASS || kind == ENTITY_TABLE ||
           kind == ENTITY_TARGET;
}

static bool
fits(const struct entity_row *row, enum edge_kind kind)
{
    switch (kind) {
    case EDGE_CALLS: return is_callable(row);
    case EDGE_IMPORTS:
        return is_type(row->e.kind) || is_callable(row) || row->e.kind == ENTITY_MODULE ||
               row->e.kind == ENTITY_NAMESPACE || row->e.kind == ENTITY_VARIABLE ||
               row->e.kind == ENTITY_CONSTANT;
    case EDGE_INHERITS:
    case EDGE_IMPLEMENTS: return is_type(row->e.kind) || row->e.kind == ENTITY_MODULE;
    case EDGE_KIND_COUNT: return false;
    }
    return false;
}

static bool
is_header(struct str path)
{
    return str_ends_with(path, STR(".h")) || str_ends_with(path, STR(".hpp")) ||
           str_ends_with(path, STR(".hh")) || str_ends_with(path, STR(".inc"));
}

/* C's `static` at file scope: nobody outside of the file means it. */
static bool
is_file_local(const struct entity_row *row)
{
    struct str rest = row->e.signature, word;
    if (!str_eq_c(family_of(row->lang), "c") || row->parent_key.n > 0 ||
        is_header(row->path))
        return false;
    while (str_split(&rest, ' ', &word)) {
        if (str_eq_c(word, "static"))
            return true;
        if (str_find_char(word, '(') >= 0)
            return false;
    }
    return false;
}

static bool
can_be_meant(const struct entity_row *row, enum edge_kind kind,
             const struct links_place *from)
{
    if (!fits(row, kind) || !str_eq(family_of(row->lang), family_of(from->lang)))
        return false;
    return str_eq(row->path, from->path) || !is_file_local(row);
}

/* A class whose constructor is a candidate too gives way to it. */
static bool
has_constructor(const struct links_candidates *all, const struct entity_row *class)
{
    if (!is_type(class->e.kind))
        return false;
    for (size_t i = 0; i < all->n; i++) {
        if (all->rows[i].e.kind == ENTITY_CONSTRUCTOR &&
            str_eq(all->rows[i].parent_key, class->key))
            return true;
    }
    return false;
}

static struct str
folder_of(struct str path)
{
    while (path.n > 0 && path.p[path.n - 1] != '/')
        path.n--;
    return path;
}

/* How much of the place's scope the candidate's own scope is: 0 unless it encloses the place. */
static size_t
nearness(const struct entity_row *row, const struct links_place *from)
{
    struct str scope = row->e.qualified_name;
    if (scope.n <= row->e.name.n)
        return 1;
    scope.n -= row->e.name.n; // with the dot
    return str_starts_with(from->qualified_name, scope) ? scope.n + 1 : 0;
}

/* The only one, or of several the nearest. */
struct choice {
    const struct entity_row *row;
    size_t n;
};

static void
add_choice(struct choice *c, const struct entity_row *row)
{
    c->row = row;
    c->n++;
}

static const struct entity_row *
only(const struct choice *c)
{
    return c->n == 1 ? c->row : NULL;
}

const struct entity_row *
links_resolve(const struct links_candidates *all, enum edge_kind kind,
              const struct links_place *from)
{
    struct choice any = {.n = 0}, in_folder = {.n = 0}, in_file = {.n = 0},
                  nearest = {.n = 0};
    size_t near = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct entity_row *row = &all->rows[i];
        if (!can_be_meant(row, kind, from) ||
            (kind == EDGE_CALLS && has_constructor(all, row)))
            continue;
        add_choice(&any, row);
        if (str_eq(folder_of(row->path), folder_of(from->path)))
            add_choice(&in_folder, row);
        if (!str_eq(row->path, from->path))
            continue;
        add_choice(&in_file, row);
        if (nearness(row, from) < near)
            continue;
        if (nearness(row, from) > near)
            nearest.n = 0;
        near = nearness(row, from);
        add_choice(&nearest, row);
    }
    if (in_file.n > 0)
        return in_file.n == 1 ? in_file.row : only(&nearest);
    if (all->is_cut)
        return NULL;
    return any.n == 1 ? any.row : only(&in_folder);
}
