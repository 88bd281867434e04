/* Searching a view of the name table. Names that begin with the pattern are a range, found by halving,
 * and cost less than all others: often they are enough. Else every name is looked at, by all hands
 * that the pool can spare; a table of some thousand names by one. Invariant: skipping changes no
 * answer, since a skipped name would cost more than the worst winner. */
#include "base/mem.h"
#include "query/find.h"

#define UNKNOWN 0
#define WANTED 1
#define UNWANTED 2
#define FILES_PIECE 1024
#define WORTH_SHARE_MEMBERS 2 // as FIND_WORTH_SHARE, with containers to ask

/* ---- hands ---- */

struct task {
    struct find_team *team;
    find_part_fn part;
    void *what;
};

static bool
do_part(void *ctx, unsigned hand, size_t part)
{
    struct task *task = ctx;
    return task->part(&task->team->hands[hand], part, task->what);
}

void
find_each(struct find_team *t, size_t n_parts, find_part_fn part, void *what)
{
    struct task task = {t, part, what};
    if (t->n > 1 && n_parts > 1) {
        pool_split(t->pool, t->n, n_parts, do_part, &task);
        return;
    }
    for (size_t i = 0; i < n_parts && part(&t->hands[0], i, what); i++)
        continue;
}

void
find_gather(struct find_team *t)
{
    struct winners *all = t->hands[0].winners;
    for (unsigned i = 1; i < t->n; i++) {
        for (size_t k = 0; k < t->winners[i].n; k++)
            winners_offer(all, &t->winners[i].heap[k]);
        t->winners[i].n = 0;
    }
    for (unsigned i = 0; i < t->n; i++)
        t->hands[i].ceiling = winners_worst(all);
}

/* ---- filters ---- */

static bool
is_file_wanted(struct find *f, uint32_t file)
{
    const struct find_team *t = f->team;
    const struct names_part *p = t->part;
    if (!t->has_filter && !p->hidden)
        return true;
    if (f->files[file] != UNKNOWN)
        return f->files[file] == WANTED;
    bool is = !p->hidden || !(p->hidden[file / 8] & 1u << file % 8);
    is = is && (t->lang < 0 || f->s->file_langs[file] == t->lang);
    is = is && (!t->has_glob || glob_fits(&t->glob, intern_at(&f->s->files, file)));
    f->files[file] = is ? WANTED : UNWANTED;
    return is;
}

static enum entity_kind
kind_of(uint32_t file_kind)
{
    return (enum entity_kind)(file_kind & ((1u << NAMES_KIND_BITS) - 1));
}

static bool
is_wanted(struct find *f, uint32_t file_kind)
{
    return (f->team->kinds & 1u << kind_of(file_kind)) &&
           is_file_wanted(f, file_kind >> NAMES_FILE_SHIFT);
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
        if (is_wanted(f, f->s->file_kinds[k]))
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

static bool
ask_files(struct find *f, size_t piece, void *what UNUSED)
{
    uint8_t *files = f->team->hands[0].files;
    size_t end = MIN((piece + 1) * FILES_PIECE, f->s->files.at.n);
    for (size_t i = piece * FILES_PIECE; i < end; i++)
        files[i] = is_file_wanted(f, (uint32_t)i) ? WANTED : UNWANTED;
    return true;
}

void
find_ask_files(struct find_team *t)
{
    size_t n_files = t->part->segment->files.at.n;
    find_each(t, (n_files + FILES_PIECE - 1) / FILES_PIECE, ask_files, NULL);
    for (unsigned i = 1; i < t->n; i++)
        t->hands[i].files = t->hands[0].files;
    t->are_files_asked = true;
}

/* One pass over the entities, which lie as the names do. */
void
find_want(struct find *f, size_t from, size_t to, uint8_t *ret_wanted)
{
    const struct names_segment *s = f->s;
    uint32_t kinds = f->team->kinds, end = first_of(f, to);
    bool is_qualified = f->q->is_qualified;
    size_t name = 0;
    memset(ret_wanted, 0, to - from);
    for (uint32_t k = first_of(f, from); k < end; k++) {
        uint32_t file_kind = s->file_kinds[k];
        bool is_file = f->files[file_kind >> NAMES_FILE_SHIFT] == WANTED;
        bool is = is_file & (kinds >> kind_of(file_kind) & 1);
        ret_wanted[name] |= (uint8_t)is; // FIND_WANTED
        if (is_qualified && is &&
            container_cost(f, s->entity_containers[k]) != FUZZY_NEVER)
            ret_wanted[name] |= FIND_MEMBER;
        name += (file_kind & NAMES_LAST) != 0;
    }
}

/* To ask all of a block costs less than to ask many of it. */
size_t
find_keep_wanted(struct find *f, size_t from, size_t to, uint32_t *names, size_t n)
{
    uint8_t wanted[FIND_BLOCK];
    size_t n_wanted = 0;
    bool is_pass = f->team->are_files_asked && n > (to - from) / FIND_WORTH_SHARE;
    if (!f->team->has_filter)
        return n;
    if (is_pass)
        find_want(f, from, to, wanted);
    for (size_t i = 0; i < n && !is_pass; i++)
        __builtin_prefetch(&f->s->file_kinds[first_of(f, names[i])]);
    for (size_t i = 0; i < n; i++) {
        uint32_t name = names[i];
        names[n_wanted] = name;
        n_wanted += is_pass ? wanted[name - from] & FIND_WANTED : has_wanted(f, name);
    }
    return n_wanted;
}

/* whole, last: what the name costs for the text as it is, and for its last part. */
void
find_offer(struct find *f, size_t name, int whole, int last)
{
    for (uint32_t k = first_of(f, name); k < first_of(f, name + 1); k++) {
        uint32_t file_kind = f->s->file_kinds[k];
        struct winner w = {.kind = kind_of(file_kind), .cost = whole};
        if (!is_wanted(f, file_kind))
            continue;
        if (last != FUZZY_NEVER) {
            int outside = container_cost(f, f->s->entity_containers[k]);
            if (outside != FUZZY_NEVER)
                w.cost = MIN(w.cost, last + outside);
        }
        if (w.cost == FUZZY_NEVER)
            continue;
        w.cost += fuzzy_kind_cost(w.kind);
        if (w.cost > find_worst(f))
            continue;
        w.id = f->s->ids[k];
        w.name = names_at(f->s, name);
        w.path = intern_at(&f->s->files, file_kind >> NAMES_FILE_SHIFT);
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
                find_worst(f))
            continue;
        find_offer(f, i, fuzzy_cost(p, names_at(f->s, i)), FUZZY_NEVER);
    }
}

static void
find_plain(struct find_team *t)
{
    struct find *f = &t->hands[0];
    size_t from = 0, to = 0;
    if (f->q->whole.text.n > 0) {
        from = bound(f, false);
        to = bound(f, true);
        find_beginnings(f, from, to);
    }
    find_gather(t);
    if (find_worst(f) >= FUZZY_COST_INSIDE)
        find_inside(t, from, to);
}

/* ---- a qualified one ---- */

/* Whether the name may still be a winner. */
static bool
may_fit(const struct find *f, const struct fuzzy_pattern *p, size_t name)
{
    return find_least(f->s, p, name) <= find_worst(f) ||
           fuzzy_is_prefix(p, names_at(f->s, name));
}

static void
look_at_qualified(struct find *f, size_t name, bool is_whole, bool is_last)
{
    const struct fuzzy_query *q = f->q;
    int whole = FUZZY_NEVER, last = FUZZY_NEVER;
    if (is_whole)
        whole = fuzzy_cost(&q->whole, names_at(f->s, name));
    if (is_last)
        last = fuzzy_cost(&q->last, names_at(f->s, name));
    if (MIN(whole, last) <= find_worst(f))
        find_offer(f, name, whole, last);
}

/* Names of a piece that have the letters; a bit each. */
struct qualified {
    size_t begin;
    uint64_t whole[FIND_WORDS], last[FIND_WORDS];
    const uint8_t *wanted; // of each, when all were asked
};

static bool
has_bit(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static void
look_at_list(struct find *f, struct qualified *of, const uint32_t *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = names[i] - of->begin;
        uint8_t is = of->wanted ? of->wanted[k] : FIND_WANTED | FIND_MEMBER;
        bool is_whole = (is & FIND_WANTED) && has_bit(of->whole, k) &&
                        may_fit(f, &f->q->whole, names[i]);
        bool is_last = (is & FIND_MEMBER) && has_bit(of->last, k) &&
                       may_fit(f, &f->q->last, names[i]);
        if (!of->wanted && (is_whole || is_last))
            find_want(f, names[i], names[i] + 1, &is);
        is_whole = is_whole && (is & FIND_WANTED);
        is_last = is_last && (is & FIND_MEMBER);
        if (is_whole || is_last)
            look_at_qualified(f, names[i], is_whole, is_last);
    }
}

static bool
qualified_piece(struct find *f, size_t piece, void *what UNUSED)
{
    struct qualified of = {.begin = piece * FIND_PIECE};
    size_t end = find_piece_end(f->s, piece), n_words = find_piece_words(f->s, piece);
    uint64_t either[FIND_WORDS];
    uint32_t names[FIND_PIECE];
    uint8_t wanted[FIND_PIECE];
    find_have(f->s, &f->q->whole, piece, 0, 0, of.whole);
    find_have(f->s, &f->q->last, piece, 0, 0, of.last);
    for (size_t i = 0; i < n_words; i++)
        either[i] = of.whole[i] | of.last[i];
    size_t n = find_list(either, piece * FIND_WORDS, n_words, names);
    if (n > (end - of.begin) / WORTH_SHARE_MEMBERS) {
        find_want(f, of.begin, end, wanted);
        of.wanted = wanted;
    }
    look_at_list(f, &of, names, n);
    return true;
}

static void
find_qualified(struct find_team *t)
{
    find_gather(t);
    find_ask_files(t);
    find_each(t, find_pieces(t->part->segment), qualified_piece, NULL);
    find_gather(t);
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
find_in_part(struct find_team *t, const struct query_search *search)
{
    const struct names_segment *s = t->part->segment;
    size_t n_files = s->files.at.n + 1, n_containers = s->containers.at.n + 1;
    AUTO(free) uint8_t *files = xcalloc(t->n * n_files, 1);
    AUTO(free) int *containers = NULL;
    bool is_qualified = t->hands[0].q->is_qualified;
    t->lang = search->lang.n > 0 ? lang_number(s, search->lang) : -1;
    t->are_files_asked = false;
    if (is_qualified) {
        containers = xcalloc(t->n * n_containers, sizeof(*containers));
        memset(containers, 0xff, t->n * n_containers * sizeof(*containers));
    }
    for (unsigned i = 0; i < t->n; i++) {
        t->hands[i].s = s;
        t->hands[i].files = files + i * n_files;
        t->hands[i].containers = containers ? containers + i * n_containers : NULL;
    }
    if (is_qualified)
        find_qualified(t);
    else
        find_plain(t);
}

void
names_find(const struct names_view *v, const struct query_search *search,
           const struct fuzzy_query *q, const struct names_help *help, struct winners *w)
{
    struct find_team t = {.pool = help->pool, .n = help->n_hands};
    t.has_glob = search->path_glob.n > 0;
    t.has_filter = t.has_glob || search->lang.n > 0 || search->n_kinds > 0;
    t.kinds = search->n_kinds == 0 ? UINT32_MAX : 0;
    for (size_t i = 0; i < search->n_kinds; i++)
        t.kinds |= 1u << search->kinds[i];
    if (t.has_glob)
        glob_init(&t.glob, search->path_glob);
    for (unsigned i = 0; i < t.n; i++) {
        t.winners[i].limit = w->limit;
        t.hands[i] = (struct find){.team = &t, .q = q, .ceiling = FUZZY_NEVER};
        t.hands[i].winners = i > 0 ? &t.winners[i] : w;
        if (i > 0)
            t.winners[i].heap = xcalloc(w->limit, sizeof(*w->heap));
    }
    for (size_t i = 0; i < v->n_parts; i++) {
        t.part = &v->parts[i];
        find_in_part(&t, search);
    }
    for (unsigned i = 1; i < t.n; i++)
        free(t.winners[i].heap);
}
