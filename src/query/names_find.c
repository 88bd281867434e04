/* Searching a view of the name table. Names that begin with the pattern are a range, found by halving,
 * and cost less than all others: often they are enough. Else every name is looked at by its words of
 * bits, which say whether it has the letters and what it costs at least; from the cheapest on they are
 * laid out, until the worst winner is cheaper than what is left. Invariant: skipping changes no answer, since a skipped name would cost more. */
#include "base/mem.h"
#include "query/names.h"
#include "query/query.h"

#define BLOCK 256   // fits the first cache with what it points to
#define BUCKETS 128 // candidates by what they cost at least
#define BUCKET_COST 6
#define SAMPLE_STEP 61
#define WORTH_SHARE 10
#define UNKNOWN 0
#define WANTED 1
#define UNWANTED 2
#define WANTED_MEMBER 2 // of a name: its container fits too

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
    uint8_t *wanted; // names with an entity that is; NULL: all
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
           is_file_wanted(f, e->file_kind >> NAMES_FILE_SHIFT);
}

static uint32_t
first_of(const struct find *f, size_t name)
{
    return f->s->entries[name].first;
}

static bool
has_wanted(struct find *f, size_t name)
{
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

/* One pass over all entities: their files and containers are asked once each, before or as they come. */
static void
want_names(struct find *f)
{
    const struct names_segment *s = f->s;
    uint8_t *wanted = xcalloc(s->n_names + 1, 1);
    bool is_qualified = f->q->is_qualified;
    for (uint32_t i = 0; i < s->files.at.n; i++)
        f->files[i] = is_file_wanted(f, i) ? WANTED : UNWANTED;
    f->wanted = wanted;
    for (size_t k = 0, name = 0; k < s->n_entities; k++) {
        uint32_t bits = s->entities[k].file_kind;
        bool is_file = f->files[bits >> NAMES_FILE_SHIFT] == WANTED;
        bool is = is_file & (f->kinds >> kind_of(&s->entities[k]) & 1);
        wanted[name] |= (uint8_t)is; // WANTED
        if (is_qualified && is &&
            container_cost(f, s->entities[k].container) != FUZZY_NEVER)
            wanted[name] |= WANTED_MEMBER;
        name += (bits & NAMES_LAST) != 0;
    }
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
        w.path = intern_at(&f->s->files, e->file_kind >> NAMES_FILE_SHIFT);
        winners_offer(f->winners, &w);
    }
}

/* ---- a plain pattern ---- */

static bool
has_letters(const struct names_bits *bits, const struct fuzzy_pattern *p)
{
    return ((p->mask & ~bits->mask) | (p->order.words[0] & ~bits->order)) == 0;
}

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
    uint32_t *names; // ascending, so that memory is read in order; then by bucket
    uint8_t *buckets;
    size_t n, counts[BUCKETS];
    uint32_t *late; // have the first letter within a word only: they cost more
    size_t n_late;
};

static int
least_of_bucket(size_t bucket)
{
    return FUZZY_COST_INSIDE + (int)bucket * BUCKET_COST;
}

static size_t
bucket_of(int least)
{
    return MIN((size_t)(least - FUZZY_COST_INSIDE) / BUCKET_COST, (size_t)BUCKETS - 1);
}

/* Those of a block that may have the letters in their order. No jump in the loop. */
static void
collect_block(struct find *f, const uint32_t *block, size_t n, struct candidates *c)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_segment *s = f->s;
    int worst = winners_worst(f->winners);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&s->entries[block[i]]);
    for (size_t i = 0; i < n; i++) {
        const struct names_entry *e = &s->entries[block[i]];
        int least = fuzzy_cost_least(p, s->bits[block[i]].mask, e[0].pairs,
                                     e[1].text - e[0].text);
        size_t bucket = bucket_of(least);
        bool is_one = (least <= worst) & ((p->order.words[1] & ~e->order) == 0);
        c->names[c->n] = block[i];
        c->buckets[c->n] = (uint8_t)bucket;
        c->counts[bucket] += is_one;
        c->n += is_one;
    }
}

static size_t
keep_wanted(struct find *f, uint32_t *names, size_t n)
{
    size_t n_wanted = 0;
    if (!f->has_filter)
        return n;
    for (size_t i = 0; i < n; i++) {
        uint32_t name = names[i];
        names[n_wanted] = name;
        n_wanted += f->wanted ? f->wanted[name] & WANTED : has_wanted(f, name);
    }
    return n_wanted;
}

/* Asking each name that has the letters costs more than one pass over all; judged by some of them. */
static bool
is_pass_worth_it(const struct find *f)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    size_t n = 0, n_names = f->s->n_names;
    for (size_t i = 0; i < n_names; i += SAMPLE_STEP)
        n += has_letters(&f->s->bits[i], p);
    return n * SAMPLE_STEP > n_names / WORTH_SHARE;
}

/* Of the names from..to: where a word begins with the pattern's first letter, and the late ones. */
static void
collect(struct find *f, size_t from, size_t to, struct candidates *c)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_bits *bits = f->s->bits;
    uint32_t block[BLOCK], *late;
    while (from < to) {
        size_t n = 0, n_late = 0, end = MIN(to, from + BLOCK);
        late = c->late + c->n_late;
        for (; from < end; from++) {
            uint64_t lacks =
                (p->mask & ~bits[from].mask) | (p->order.words[0] & ~bits[from].order);
            bool is_late = (p->starts[0] & ~bits[from].mask) != 0;
            block[n] = (uint32_t)from;
            late[n_late] = (uint32_t)from;
            n += (lacks == 0) & !is_late;
            n_late += (lacks == 0) & is_late;
        }
        c->n_late += keep_wanted(f, late, n_late);
        collect_block(f, block, keep_wanted(f, block, n), c);
    }
}

/* The cheapest first, of those alike the first first. counts: where each bucket ends, after. */
static uint32_t *
sort_by_bucket(struct candidates *c)
{
    uint32_t *sorted = xmalloc((c->n + 1) * sizeof(*sorted));
    size_t at = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        at += c->counts[i];
        c->counts[i] = at - c->counts[i];
    }
    for (size_t i = 0; i < c->n; i++)
        sorted[c->counts[c->buckets[i]]++] = c->names[i];
    return sorted;
}

/* A step at a time for all of a block: what the next step reads is on its way meanwhile. */
static void
look_at_block(struct find *f, uint32_t *block, size_t n)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_segment *s = f->s;
    size_t n_fit = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&s->entries[block[i]]);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(s->text + s->entries[block[i]].text);
    for (size_t i = 0; i < n; i++) {
        uint32_t name = block[i];
        block[n_fit] = name;
        n_fit += fuzzy_has_letters(p, names_at(s, name));
        __builtin_prefetch(&s->entities[s->entries[name].first]);
    }
    for (size_t i = 0; i < n_fit; i++) {
        int worst = winners_worst(f->winners);
        int cost = fuzzy_cost_inside(p, names_at(s, block[i]), worst);
        if (cost != FUZZY_NEVER)
            offer(f, block[i], cost, FUZZY_NEVER);
    }
}

static void
look_inside(struct find *f, struct candidates *c)
{
    AUTO(free) uint32_t *names = sort_by_bucket(c);
    size_t at = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        while (at < c->counts[bucket]) {
            size_t n = MIN(c->counts[bucket] - at, (size_t)BLOCK);
            if (least_of_bucket(bucket) > winners_worst(f->winners))
                return;
            look_at_block(f, names + at, n);
            at += n;
        }
    }
}

/* All names but those that begin with the pattern, which are from..to. */
static void
find_inside(struct find *f, size_t from, size_t to)
{
    struct candidates c = {.n = 0};
    size_t n = f->s->n_names;
    if (f->has_filter && is_pass_worth_it(f))
        want_names(f);
    c.late = xmalloc((n + 1) * sizeof(*c.late));
    c.names = xmalloc((n + 1) * sizeof(*c.names));
    c.buckets = xmalloc(n + 1);
    collect(f, 0, from, &c);
    collect(f, to, n, &c);
    look_inside(f, &c);
    if (winners_worst(f->winners) >= FUZZY_COST_INSIDE + FUZZY_COST_BAD_START) {
        c.n = 0;
        memset(c.counts, 0, sizeof(c.counts));
        for (size_t at = 0; at < c.n_late; at += BLOCK)
            collect_block(f, c.late + at, MIN(c.n_late - at, (size_t)BLOCK), &c);
        look_inside(f, &c);
    }
    free(c.late);
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
        find_inside(f, from, to);
}

/* ---- a qualified one ---- */

/* What a name costs is not less, nor when it begins with the pattern. */
static int
least_of_any(const struct find *f, const struct fuzzy_pattern *p, size_t name)
{
    const struct names_entry *e = &f->s->entries[name];
    if (fuzzy_is_prefix(p, names_at(f->s, name)))
        return 0;
    return fuzzy_cost_least(p, f->s->bits[name].mask, e[0].pairs, e[1].text - e[0].text);
}

/* Whether the name may fit and still be a winner. */
static bool
may_fit(const struct find *f, const struct fuzzy_pattern *p, size_t name)
{
    return has_letters(&f->s->bits[name], p) &&
           (p->order.words[1] & ~f->s->entries[name].order) == 0 &&
           least_of_any(f, p, name) <= winners_worst(f->winners);
}

static void
look_at_qualified(struct find *f, size_t name)
{
    const struct fuzzy_query *q = f->q;
    int whole = FUZZY_NEVER, last = FUZZY_NEVER;
    if (may_fit(f, &q->whole, name))
        whole = fuzzy_cost(&q->whole, names_at(f->s, name));
    if ((f->wanted[name] & WANTED_MEMBER) && may_fit(f, &q->last, name))
        last = fuzzy_cost(&q->last, names_at(f->s, name));
    if (MIN(whole, last) <= winners_worst(f->winners))
        offer(f, name, whole, last);
}

static void
find_qualified(struct find *f)
{
    const struct fuzzy_pattern *whole = &f->q->whole, *last = &f->q->last;
    const struct names_bits *bits = f->s->bits;
    uint32_t block[BLOCK];
    want_names(f);
    for (size_t from = 0; from < f->s->n_names; from += BLOCK) {
        size_t n = 0;
        for (size_t i = from; i < MIN(from + BLOCK, f->s->n_names); i++) {
            bool is_member = f->wanted[i] & WANTED_MEMBER;
            block[n] = (uint32_t)i;
            n += has_letters(&bits[i], whole) | (is_member & has_letters(&bits[i], last));
        }
        n = keep_wanted(f, block, n);
        for (size_t i = 0; i < n; i++)
            __builtin_prefetch(&f->s->entries[block[i]]);
        for (size_t i = 0; i < n; i++)
            look_at_qualified(f, block[i]);
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
    free(f->wanted);
    free(f->containers);
    f->files = f->wanted = NULL;
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
