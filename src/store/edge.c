/* Edges of a file: one row, a JSON array with an array for each name they point to, in the order in
 * which the names come first: [kind, target, [slot, line, column, …], [UTF-16 columns]]. A row for
 * each name cost four times as much to write. Lines move with every edit, so most of the edges below
 * it change anyway. Edges have no events of their own.
 * Whoever makes a batch may write them on its thread: that was a sixth of the writer's work for a file's rows, and
 * slots are the entities' indexes in each new file, and in one that changed as long as its entities stayed the same.
 * Invariant: what is read here is checked as if somebody else had written it. */
#include <sys/random.h>

#include "base/err.h"
#include "store/logic.h"

#define PLACE_BYTES_MAX 36  // "slot,line,col,"
#define COLUMN_BYTES_MAX 11 // "col,"
#define GROUP_BYTES_MAX 16  // brackets, quotes, kind

/* Edges of one kind to one name, while they are put together. */
struct group {
    struct str target;
    uint64_t hash;
    enum edge_kind kind;
    bool has_odd_column;
    uint32_t first, last; // of the file's edges
};

struct grouping {
    struct group *v;
    size_t n;
    uint32_t *next;  // by edge: the following one of its group
    uint32_t *slots; // hash table of groups, their index + 1
    size_t n_slots;  // a power of two
};

/* ---- writing ---- */

static struct group *
find_group(struct grouping *g, const struct edge *e, uint64_t hash)
{
    size_t at = hash & (g->n_slots - 1);
    while (g->slots[at] > 0) {
        struct group *group = &g->v[g->slots[at] - 1];
        if (group->hash == hash && group->kind == e->kind &&
            str_eq(group->target, e->target))
            return group;
        at = (at + 1) & (g->n_slots - 1);
    }
    g->slots[at] = (uint32_t)++g->n;
    g->v[g->n - 1] = (struct group){.target = e->target,
                                    .hash = hash,
                                    .kind = e->kind,
                                    .first = ENTITY_NONE,
                                    .last = ENTITY_NONE};
    return &g->v[g->n - 1];
}

/* The seed keeps names from being chosen so that they collide. */
static void
group_edges(struct arena *a, uint64_t seed, const struct batch *b, struct grouping *g)
{
    size_t n = b->n_edges;
    g->n_slots = 16;
    while (g->n_slots < n * 2)
        g->n_slots *= 2;
    g->v = arena_alloc(a, n * sizeof(*g->v));
    g->next = arena_alloc(a, n * sizeof(*g->next));
    g->slots = arena_calloc(a, g->n_slots, sizeof(*g->slots));
    for (uint32_t i = 0; i < n; i++) {
        const struct edge *e = &b->edges[i];
        assert(e->from == ENTITY_NONE || e->from < b->n_entities);
        struct group *group = find_group(g, e, hash64_seeded(e->target, seed));
        g->next[i] = ENTITY_NONE;
        if (group->first == ENTITY_NONE)
            group->first = i;
        else
            g->next[group->last] = i;
        group->last = i;
        group->has_odd_column |= e->at.col_utf16 != e->at.col_byte;
    }
}

static char *
put_pair(char *at, uint32_t value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

/* Slots, lines and columns: nearly all have at most four digits. */
static char *
put_number(char *at, uint32_t value)
{
    if (value >= 10000) {
        at = put_number(at, value / 10000);
        at = put_pair(at, value / 100 % 100);
        return put_pair(at, value % 100);
    }
    if (value >= 1000) {
        at = put_pair(at, value / 100);
        return put_pair(at, value % 100);
    }
    if (value >= 100) {
        *at++ = (char)('0' + value / 100);
        return put_pair(at, value % 100);
    }
    if (value >= 10)
        return put_pair(at, value);
    *at++ = (char)('0' + value);
    return at;
}

/* As JSON has it; bytes above 0x7f as they are. */
static char *
put_text(char *at, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    *at++ = '"';
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20) {
            memcpy(at, "\\u00", 4);
            at[4] = hex[c >> 4];
            at[5] = hex[c & 15];
            at += 6;
            continue;
        }
        if (c == '"' || c == '\\')
            *at++ = '\\';
        *at++ = (char)c;
    }
    *at++ = '"';
    return at;
}

static char *
put_places(char *at, const struct edge *edges, const struct grouping *g,
           const struct group *group, const uint32_t *slots)
{
    char c = '[';
    for (uint32_t i = group->first; i != ENTITY_NONE; i = g->next[i], c = ',') {
        const struct edge *e = &edges[i];
        *at++ = c;
        if (e->from == ENTITY_NONE) {
            *at++ = '-';
            *at++ = '1';
        } else {
            at = put_number(at, slots ? slots[e->from] : e->from);
        }
        *at++ = ',';
        at = put_number(at, e->at.line);
        *at++ = ',';
        at = put_number(at, e->at.col_byte);
    }
    *at++ = ']';
    return at;
}

static char *
put_columns(char *at, const struct edge *edges, const struct grouping *g,
            const struct group *group)
{
    char c = '[';
    *at++ = ',';
    for (uint32_t i = group->first; i != ENTITY_NONE; i = g->next[i], c = ',') {
        *at++ = c;
        at = put_number(at, edges[i].at.col_utf16);
    }
    *at++ = ']';
    return at;
}

static struct str
write_groups(struct arena *a, const struct batch *b, const struct grouping *g,
             const uint32_t *slots)
{
    size_t max = 2 + b->n_edges * (PLACE_BYTES_MAX + COLUMN_BYTES_MAX);
    for (size_t i = 0; i < g->n; i++)
        max += GROUP_BYTES_MAX + g->v[i].target.n * 6;
    char *p = arena_alloc(a, max), *at = p;
    char c = '[';
    for (size_t i = 0; i < g->n; i++, c = ',') {
        const struct group *group = &g->v[i];
        *at++ = c;
        *at++ = '[';
        at = put_number(at, group->kind);
        *at++ = ',';
        at = put_text(at, group->target);
        *at++ = ',';
        at = put_places(at, b->edges, g, group, slots);
        if (group->has_odd_column)
            at = put_columns(at, b->edges, g, group);
        *at++ = ']';
    }
    *at++ = ']';
    assert((size_t)(at - p) <= max);
    return str_slice(p, (size_t)(at - p));
}

/* slots: NULL when they are the indexes. */
static struct str
write_edges(struct arena *a, uint64_t seed, const struct batch *b, const uint32_t *slots)
{
    struct grouping g = {0};
    group_edges(a, seed, b, &g);
    return write_groups(a, b, &g, slots);
}

static bool
are_indexes(const uint32_t *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slots[i] != i)
            return false;
    return true;
}

void
store_prepare(struct batch *b)
{
    AUTO(arena_finish) struct arena scratch = {0};
    uint64_t seed = 0;
    if (b->n_edges == 0 || b->n_edges > EDGE_PER_FILE_MAX ||
        getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return;
    b->edges_text = arena_str(&b->arena, write_edges(&scratch, seed, b, NULL));
}

/* 1 it is what the row has, 0 it is not. */
static int
is_stored(struct table_writer *w, const struct file_stored *f, struct str text)
{
    struct str there = STR_NONE;
    int r = w->t->reads->edges_get(w->t, f->id, &w->scratch, &there);
    return r > 0 ? str_eq(there, text) : r;
}

int
table_edges_put(struct table_writer *w, const struct file_stored *f,
                const struct batch *b, const uint32_t *slots, uint64_t n_was)
{
    if (b->file.state != FILE_INDEXED || b->n_edges == 0)
        return n_was > 0 ? err_trace(w->writes->edges_delete(w->t, f)) : 0;
    struct str text = b->edges_text;
    if (text.n == 0 || !are_indexes(slots, b->n_entities))
        text = write_edges(&w->scratch, w->seed, b, slots);
    int r = n_was > 0 ? is_stored(w, f, text) : 0;
    if (r == 0)
        r = w->writes->edges_put(w->t, f, text);
    return err_trace(MIN(r, 0));
}

/* ---- reading ---- */

static bool
skip(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_slice(s->p + 1, s->n - 1);
    return true;
}

/* The control character that an escape stands for; -1 for any other. */
static int
control_of(struct str s)
{
    static const char letters[] = "b\bf\fn\nr\rt\t";
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2)
        if (s.p[1] == letters[i])
            return letters[i + 1];
    if (s.n < 6 || memcmp(s.p, "\\u00", 4) != 0)
        return -1;
    int high = hex_value(s.p[4]), low = hex_value(s.p[5]);
    return high < 0 || high > 7 || low < 0 ? -1 : high << 4 | low;
}

static int
unescape(struct str s, struct arena *a, struct str *ret_text)
{
    char *p = arena_alloc(a, s.n + 1), *to = p;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\\') {
            *to++ = s.p[i];
            continue;
        }
        char c = s.p[i + 1]; // there is one: take_text()
        if (c == '"' || c == '\\' || c == '/') {
            *to++ = c;
            i++;
            continue;
        }
        int control = control_of(str_slice(s.p + i, s.n - i));
        if (control < 0)
            return err_trace(-EBADMSG);
        *to++ = (char)control;
        i += c == 'u' ? 5 : 1;
    }
    *ret_text = str_slice(p, (size_t)(to - p));
    return 0;
}

static int
take_text(struct str *s, struct arena *a, struct str *ret_text)
{
    bool has_escape = false;
    size_t n = 0;
    if (!skip(s, '"'))
        return err_trace(-EBADMSG);
    while (n < s->n && s->p[n] != '"') {
        bool is_escape = s->p[n] == '\\';
        has_escape |= is_escape;
        n += is_escape ? 2 : 1;
    }
    if (n >= s->n)
        return err_trace(-EBADMSG);
    *ret_text = str_slice(s->p, n);
    *s = str_slice(s->p + n + 1, s->n - n - 1);
    return has_escape ? unescape(*ret_text, a, ret_text) : 0;
}

/* Numbers between brackets; what they are is looked at when they are asked for. */
static int
take_numbers(struct str *s, struct str *ret_numbers)
{
    if (!skip(s, '['))
        return err_trace(-EBADMSG);
    ssize_t n = str_find_char(*s, ']');
    if (n < 0)
        return err_trace(-EBADMSG);
    *ret_numbers = str_slice(s->p, (size_t)n);
    *s = str_slice(s->p + n + 1, s->n - (size_t)n - 1);
    return 0;
}

static int
take_kind(struct str *s, enum edge_kind *ret_kind)
{
    if (s->n == 0 || s->p[0] < '0' || s->p[0] - '0' >= EDGE_KIND_COUNT)
        return err_trace(-EBADMSG);
    *ret_kind = (enum edge_kind)(s->p[0] - '0');
    *s = str_slice(s->p + 1, s->n - 1);
    return 0;
}

int
edges_open(struct str text, struct edges *ret_edges)
{
    static_assert(EDGE_KIND_COUNT <= 10, "a kind is one digit");
    *ret_edges = (struct edges){.rest = STR("]")};
    if (text.n == 0)
        return 0;
    ret_edges->rest = text;
    return skip(&ret_edges->rest, '[') ? 0 : err_trace(-EBADMSG);
}

int
edges_next(struct edges *edges, struct arena *a, struct edge_group *ret_group)
{
    struct str s = edges->rest;
    struct edge_group group = {.kind = EDGE_CALLS};
    int r;
    if (s.n == 1 && s.p[0] == ']')
        return 0;
    if (!skip(&s, '['))
        return err_trace(-EBADMSG);
    if ((r = take_kind(&s, &group.kind)) < 0)
        return r;
    if (!skip(&s, ',') || take_text(&s, a, &group.target) < 0 || !skip(&s, ',') ||
        take_numbers(&s, &group.places.numbers) < 0)
        return err_trace(-EBADMSG);
    if (skip(&s, ',')) {
        group.places.has_utf16 = true;
        if ((r = take_numbers(&s, &group.places.utf16)) < 0)
            return r;
    }
    if (!skip(&s, ']') || (!skip(&s, ',') && !(s.n == 1 && s.p[0] == ']')))
        return err_trace(-EBADMSG);
    edges->rest = s;
    *ret_group = group;
    return 1;
}

static bool
next_number(struct str *s, int64_t *ret_value)
{
    struct str part;
    return str_split(s, ',', &part) && str_to_i64(part, ret_value) == 0;
}

int
edges_next_place(struct edge_places *p, int64_t *ret_slot, struct position *ret_at)
{
    int64_t line = 0, col = 0, utf16 = 0;
    if (p->numbers.n == 0)
        return 0;
    if (!next_number(&p->numbers, ret_slot) || !next_number(&p->numbers, &line) ||
        !next_number(&p->numbers, &col))
        return err_trace(-EBADMSG);
    utf16 = col;
    if (p->has_utf16 && !next_number(&p->utf16, &utf16))
        return err_trace(-EBADMSG);
    if (*ret_slot < -1 || *ret_slot > SLOT_MASK || line < 0 || line > UINT32_MAX ||
        col < 0 || col > UINT32_MAX || utf16 < 0 || utf16 > UINT32_MAX)
        return err_trace(-EBADMSG);
    *ret_at = (struct position){(uint32_t)line, (uint32_t)col, (uint32_t)utf16};
    return 1;
}
