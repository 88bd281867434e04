/* Searching a view of the name table. Names that begin with the pattern are a range, found by halving,
 * and cost less than all others: often they are enough. Else every name is looked at by its words of
 * bits, which say what it costs at least; from the cheapest on they are laid out, until the worst winner
 * is cheaper than what is left. Invariant: skipping changes no answer, since a skipped name would cost more. */
#include "base/mem.h"
#include "query/names.h"
#include "query/query.h"

#define BLOCK 256   // fits the first cache with what it points to
#define BUCKETS 128 // candidates by what they cost at least
#define BUCKET_COST 6
#define ENOUGH 8 // candidates for one winner
#define UNKNOWN 0
#define WANTED 1
#define UNWANTED 2

/* One segment under one question; what files and containers say is asked once each. */
struct find {
    const struct names_part *part;
    const struct names_segment *s;
    const struct fuzzy_query *q;
    struct winners *winners;
    uint32_t kinds; // a bit each
    int lang;       // number in the segment; -1: all
    struct glob glob;
    bool has_glob, has_filter;
    uint8_t *files;  // UNKNOWN, WANTED, UNWANTED
    int *containers; // -1: not asked yet; of a qualified pattern
};

static bool
is_file_wanted(struct find *f, uint32_t file)
{
    const struct names_part *p = f->part;
    if (!f->has_filter && !p->hidden)
        return true;
    if (f->files[file] != UNKNOWN)
        return f->files[file] == WANTED;
    bool is = !p->hidden || !(p->hidden[file / 8] & 1u << file % 8);
    is = is && (f->lang < 0 || f->s->file_langs[file] == f->lang);
    is = is && (!f->has_glob || glob_fits(&f->glob, intern_at(&f->s->files, file)));
    f->files[file] = is ? WANTED : UNWANTED;
    return is;
}

static enum entity_kind
kind_of(const struct names_entity *e)
{
    return (enum entity_kind)(e->file_kind & ((1u << NAMES_KIND_BITS) - 1));
}

static bool
is_wanted(struct find *f, const struct names_entity *e)
{
    return (f->kinds & 1u << kind_of(e)) &&
           is_file_wanted(f, e->file_kind >> NAMES_KIND_BITS);
}

static uint32_t
first_of(const struct find *f, size_t name)
{
    return f->s->entries[name].first;
}

static bool
has_wanted(struct find *f, size_t name)
{
    if (!f->has_filter && !f->part->hidden)
        return true;
    for (uint32_t k = first_of(f, name); k < first_of(f, name + 1); k++) {
        if (is_wanted(f, &f->s->entities[k]))
            return true;
    }
    return false;
}

static int
container_cost(struct find *f, uint32_t container)
{
    if (!f->q->is_qualified || f->q->n_parts == 0)
        return 0;
    if (f->containers[container] < 0)
        f->containers[container] =
            fuzzy_container_cost(f->q, intern_at(&f->s->containers, container));
    return f->containers[container];
}

/* whole, last: what the name costs for the text as it is, and for its last part. */
static void
offer(struct find *f, size_t name, int whole, int last)
{
    for (uint32_t k = first_of(f, name); k < first_of(f, name + 1); k++) {
        const struct names_entity *e = &f->s->entities[k];
        struct winner w = {.id = e->id, .kind = kind_of(e), .cost = whole};
        if (!is_wanted(f, e))
            continue;
        if (last != FUZZY_NEVER) {
            int outside = container_cost(f, e->container);
            if (outside != FUZZY_NEVER)
                w.cost = MIN(w.cost, last + outside);
        }
        if (w.cost == FUZZY_NEVER)
            continue;
        w.cost += fuzzy_kind_cost(w.kind);
        if (w.cost > winners_worst(f->winners))
            continue;
        w.name = names_at(f->s, name);
        w.path = intern_at(&f->s->files, e->file_kind >> NAMES_KIND_BITS);
        winners_offer(f->winners, &w);
    }
}

/* ---- a plain pattern ---- */

/* The first name that is not before the pattern; is_behind: that does not begin with it either. */
static size_t
bound(const struct find *f, bool is_behind)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    struct str folded = str_slice(p->folded, p->text.n);
    size_t low = 0, high = f->s->n_names;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct str name = names_at(f->s, middle);
        name.n = MIN(name.n, folded.n);
        int r = 0;
        for (size_t i = 0; i < name.n && r == 0; i++)
            r = (unsigned char)fuzzy_fold(name.p[i]) - (unsigned char)folded.p[i];
        if (r == 0 && name.n < folded.n)
            r = -1;
        if (r < 0 || (r == 0 && is_behind))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
find_beginnings(struct find *f, size_t from, size_t to)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    for (size_t i = from; i < to; i++) {
        size_t more = names_at(f->s, i).n - p->text.n;
        if (more > 0 &&
            FUZZY_COST_PREFIX + (int)MIN(more, (size_t)FUZZY_COST_LENGTH_MAX) >
                winners_worst(f->winners))
            continue;
        offer(f, i, fuzzy_cost(p, names_at(f->s, i)), FUZZY_NEVER);
    }
}

/* Names that have the letters, with the least they can cost. */
struct candidates {
    uint32_t *names; // ascending, so that memory is read in order
    uint8_t *buckets;
    size_t n, counts[BUCKETS];
};

static size_t
bucket_of(int least)
{
    return MIN((size_t)(least - FUZZY_COST_INSIDE) / BUCKET_COST, (size_t)BUCKETS - 1);
}

/* Of the names from `from` on, those that have all bits of `need` and none of `not`; at most BLOCK are
 * looked at. No jump in the loop. */
static size_t
letters_block(const struct names_segment *s, size_t from, size_t end, uint64_t need,
              uint64_t not, uint32_t *block)
{
    size_t n = 0;
    for (; from < end; from++) {
        block[n] = (uint32_t)from;
        n += (s->masks[from] & (need | not )) == need;
    }
    return n;
}

static size_t
filter_block(struct find *f, uint32_t *block, size_t n)
{
    size_t n_wanted = 0;
    if (!f->has_filter && !f->part->hidden)
        return n;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&f->s->entities[first_of(f, block[i])]);
    for (size_t i = 0; i < n; i++) {
        block[n_wanted] = block[i];
        n_wanted += has_wanted(f, block[i]);
    }
    return n_wanted;
}

static void
collect(struct find *f, size_t from, size_t to, bool with_start, struct candidates *c)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_segment *s = f->s;
    uint64_t need = p->mask | (with_start ? p->starts[0] : 0);
    uint64_t not = with_start ? 0 : p->starts[0];
    uint32_t block[BLOCK];
    for (; from < to; from += BLOCK) {
        size_t n = letters_block(s, from, MIN(to, from + BLOCK), need, not, block);
        for (size_t i = 0; i < n; i++)
            __builtin_prefetch(&s->entries[block[i]]);
        n = filter_block(f, block, n);
        int worst = winners_worst(f->winners);
        for (size_t i = 0; i < n; i++) {
            const struct names_entry *e = &s->entries[block[i]];
            int least = fuzzy_cost_least(p, s->masks[block[i]], e[0].pairs,
                                         e[1].text - e[0].text);
            size_t bucket = bucket_of(least);
            c->names[c->n] = block[i];
            c->buckets[c->n] = (uint8_t)bucket;
            c->counts[bucket] += least <= worst;
            c->n += least <= worst;
        }
    }
}

/* The next candidates worth a look, at most BLOCK; *at moves on. */
static size_t
next_block(const struct find *f, const struct candidates *c, size_t from_bucket,
           size_t to_bucket, size_t *at, uint32_t *block)
{
    size_t n = 0;
    int worst = winners_worst(f->winners);
    while (*at < c->n && n < BLOCK) {
        size_t bucket = c->buckets[*at];
        block[n] = c->names[(*at)++];
        n += bucket >= from_bucket && bucket < to_bucket &&
             FUZZY_COST_INSIDE + (int)(bucket * BUCKET_COST) <= worst;
    }
    return n;
}

/* In blocks, a step at a time for all of a block: what the next step reads is on its way meanwhile. */
static void
look_inside(struct find *f, const struct candidates *c, size_t from_bucket,
            size_t to_bucket)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_segment *s = f->s;
    uint32_t block[BLOCK];
    size_t at = 0, n;
    while ((n = next_block(f, c, from_bucket, to_bucket, &at, block)) > 0) {
        size_t n_fit = 0;
        for (size_t i = 0; i < n; i++)
            __builtin_prefetch(&s->entries[block[i]]);
        for (size_t i = 0; i < n; i++)
            __builtin_prefetch(s->text + s->entries[block[i]].text);
        for (size_t i = 0; i < n; i++) {
            uint32_t name = block[i];
            if (!fuzzy_has_letters(p, names_at(s, name)))
                continue;
            block[n_fit++] = name;
            __builtin_prefetch(&s->entities[s->entries[name].first]);
        }
        for (size_t i = 0; i < n_fit; i++) {
            int cost = fuzzy_cost_inside(p, names_at(s, block[i]));
            if (cost <= winners_worst(f->winners))
                offer(f, block[i], cost, FUZZY_NEVER);
        }
    }
}

/* The cheapest buckets that should be enough come first: then the worst winner is so cheap that most
 * of the rest is passed over. */
static size_t
first_buckets(const struct find *f, const struct candidates *c)
{
    size_t n = 0, bucket = 0;
    while (bucket < BUCKETS && n < f->winners->limit * ENOUGH)
        n += c->counts[bucket++];
    return bucket;
}

/* with_start: the names in which a word begins with the pattern's first letter; else the others. */
static void
find_inside(struct find *f, size_t from, size_t to, bool with_start)
{
    struct candidates c = {.n = 0};
    size_t n = f->s->n_names;
    c.names = xmalloc((n + 1) * sizeof(*c.names));
    c.buckets = xmalloc(n + 1);
    collect(f, 0, from, with_start, &c);
    collect(f, to, n, with_start, &c);
    size_t first = first_buckets(f, &c);
    look_inside(f, &c, 0, first);
    look_inside(f, &c, first, BUCKETS);
    free(c.names);
    free(c.buckets);
}

static void
find_plain(struct find *f)
{
    size_t from = 0, to = 0;
    if (f->q->whole.text.n > 0) {
        from = bound(f, false);
        to = bound(f, true);
        find_beginnings(f, from, to);
    }
    if (winners_worst(f->winners) >= FUZZY_COST_INSIDE)
        find_inside(f, from, to, true);
    if (f->q->whole.starts[0] != 0 &&
        winners_worst(f->winners) >= FUZZY_COST_INSIDE + FUZZY_COST_BAD_START)
        find_inside(f, from, to, false);
}

/* ---- a qualified one ---- */

static bool
has_container(struct find *f, size_t name)
{
    for (uint32_t k = first_of(f, name); k < first_of(f, name + 1); k++) {
        const struct names_entity *e = &f->s->entities[k];
        if (container_cost(f, e->container) != FUZZY_NEVER && is_wanted(f, e))
            return true;
    }
    return false;
}

static void
find_qualified(struct find *f)
{
    const struct fuzzy_query *q = f->q;
    for (size_t i = 0; i < f->s->n_names; i++) {
        uint64_t mask = f->s->masks[i];
        bool may_whole = (mask & q->whole.mask) == q->whole.mask && has_wanted(f, i);
        bool may_last = (mask & q->last.mask) == q->last.mask && has_container(f, i);
        if (!may_whole && !may_last)
            continue;
        struct str name = names_at(f->s, i);
        int whole = may_whole ? fuzzy_cost(&q->whole, name) : FUZZY_NEVER;
        int last = may_last ? fuzzy_cost(&q->last, name) : FUZZY_NEVER;
        if (MIN(whole, last) <= winners_worst(f->winners))
            offer(f, i, whole, last);
    }
}

static int
lang_number(const struct names_segment *s, struct str lang)
{
    for (size_t i = 0; i < s->langs.at.n; i++) {
        if (str_eq(intern_at(&s->langs, i), lang))
            return (int)MIN(i, (size_t)UINT8_MAX);
    }
    return INT_MAX;
}

static void
find_in_part(struct find *f, const struct query_search *search)
{
    f->s = f->part->segment;
    f->lang = search->lang.n > 0 ? lang_number(f->s, search->lang) : -1;
    f->files = xcalloc(f->s->files.at.n + 1, 1);
    if (f->q->is_qualified) {
        f->containers = xcalloc(f->s->containers.at.n + 1, sizeof(*f->containers));
        memset(f->containers, 0xff, f->s->containers.at.n * sizeof(*f->containers));
        find_qualified(f);
    } else {
        find_plain(f);
    }
    free(f->files);
    free(f->containers);
    f->files = NULL;
    f->containers = NULL;
}

void
names_find(const struct names_view *v, const struct query_search *search,
           const struct fuzzy_query *q, struct winners *w)
{
    struct find f = {.q = q, .winners = w, .has_glob = search->path_glob.n > 0};
    f.has_filter = f.has_glob || search->lang.n > 0 || search->n_kinds > 0;
    f.kinds = search->n_kinds == 0 ? UINT32_MAX : 0;
    for (size_t i = 0; i < search->n_kinds; i++)
        f.kinds |= 1u << search->kinds[i];
    if (f.has_glob)
        glob_init(&f.glob, search->path_glob);
    for (size_t i = 0; i < v->n_parts; i++) {
        f.part = &v->parts[i];
        find_in_part(&f, search);
    }
}
