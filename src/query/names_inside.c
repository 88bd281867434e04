/* Names that have the pattern's letters but do not begin with it. Every name's words of bits say
 * whether it may have them and what it costs at least; from the cheapest on they are laid out, until
 * the worst winner is cheaper than what is left. Each step is split among the hands by pieces of the
 * table. Invariant: a piece writes its own part of an array only: from where its names begin. */
#include "base/mem.h"
#include "query/find.h"

#define BUCKETS 128 // candidates by what they cost at least
#define BUCKET_COST 6
#define SAMPLE_STEP 509

struct piece {
    uint32_t n, n_late;
    uint32_t counts[BUCKETS]; // then where the next of each bucket goes
};

/* Names that have the letters, with the least they can cost. */
struct candidates {
    size_t from, to; // names that begin with the pattern
    struct piece *pieces;
    uint32_t *names; // ascending, so that memory is read in order
    uint8_t *buckets;
    uint32_t *late;   // have the first letter within a word only: they cost more
    uint32_t *sorted; // by bucket
    size_t n, n_late, ends[BUCKETS];
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
collect_block(struct find *f, struct candidates *c, size_t piece, const uint32_t *block,
              size_t n)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_segment *s = f->s;
    struct piece *to = &c->pieces[piece];
    uint32_t *names = c->names + piece * FIND_PIECE;
    uint8_t *buckets = c->buckets + piece * FIND_PIECE;
    int worst = find_worst(f);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&s->entries[block[i]]);
    for (size_t i = 0; i < n; i++) {
        const struct names_entry *e = &s->entries[block[i]];
        int least = fuzzy_cost_least(p, s->bits[block[i]].mask, e[0].pairs,
                                     e[1].text - e[0].text);
        size_t bucket = bucket_of(least);
        bool is_one = (least <= worst) & ((p->order.words[1] & ~e->order) == 0);
        names[to->n] = block[i];
        buckets[to->n] = (uint8_t)bucket;
        to->counts[bucket] += is_one;
        to->n += is_one;
    }
}

/* Of the names from..to, which are of a piece: where a word begins with the pattern's first letter,
 * and the late ones. */
static void
collect(struct find *f, struct candidates *c, size_t piece, size_t from, size_t to)
{
    const struct fuzzy_pattern *p = &f->q->whole;
    const struct names_bits *bits = f->s->bits;
    uint32_t *late = c->late + piece * FIND_PIECE, block[FIND_BLOCK];
    for (; from < to; from += MIN(to - from, (size_t)FIND_BLOCK)) {
        size_t n = 0, n_early = 0, end = MIN(to, from + FIND_BLOCK);
        size_t n_late = c->pieces[piece].n_late;
        for (size_t i = from; i < end; i++) {
            block[n] = (uint32_t)i;
            n += find_has_letters(&bits[i], p);
        }
        n = find_keep_wanted(f, from, end, block, n);
        for (size_t i = 0; i < n; i++) {
            uint32_t name = block[i];
            bool is_late = (p->starts[0] & ~bits[name].mask) != 0;
            block[n_early] = late[n_late] = name;
            n_early += !is_late;
            n_late += is_late;
        }
        c->pieces[piece].n_late = (uint32_t)n_late;
        collect_block(f, c, piece, block, n_early);
    }
}

static bool
collect_piece(struct find *f, size_t piece, void *what)
{
    struct candidates *c = what;
    size_t from = piece * FIND_PIECE, to = find_piece_end(f->s, piece);
    collect(f, c, piece, from, MIN(to, c->from));
    collect(f, c, piece, MAX(from, c->to), to);
    return true;
}

static bool
collect_late(struct find *f, size_t piece, void *what)
{
    struct candidates *c = what;
    const uint32_t *late = c->late + piece * FIND_PIECE;
    size_t n = c->pieces[piece].n_late;
    for (size_t at = 0; at < n; at += FIND_BLOCK)
        collect_block(f, c, piece, late + at, MIN(n - at, (size_t)FIND_BLOCK));
    return true;
}

static bool
place_piece(struct find *f UNUSED, size_t piece, void *what)
{
    struct candidates *c = what;
    struct piece *p = &c->pieces[piece];
    const uint32_t *names = c->names + piece * FIND_PIECE;
    const uint8_t *buckets = c->buckets + piece * FIND_PIECE;
    for (size_t i = 0; i < p->n; i++)
        c->sorted[p->counts[buckets[i]]++] = names[i];
    return true;
}

/* The cheapest first, of those alike the first first. */
static void
sort_by_bucket(struct find_team *t, struct candidates *c)
{
    size_t n_pieces = find_pieces(t->part->segment);
    c->n = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        for (size_t i = 0; i < n_pieces; i++) {
            uint32_t n = c->pieces[i].counts[bucket];
            c->pieces[i].counts[bucket] = (uint32_t)c->n;
            c->n += n;
        }
        c->ends[bucket] = c->n;
    }
    c->sorted = xmalloc((c->n + 1) * sizeof(*c->sorted));
    find_each(t, n_pieces, place_piece, c);
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
        int cost = fuzzy_cost_inside(p, names_at(s, block[i]), find_worst(f));
        if (cost != FUZZY_NEVER)
            find_offer(f, block[i], cost, FUZZY_NEVER);
    }
}

static bool
look_at_part(struct find *f, size_t part, void *what)
{
    struct candidates *c = what;
    size_t at = part * FIND_BLOCK, bucket = 0;
    while (c->ends[bucket] <= at)
        bucket++;
    if (least_of_bucket(bucket) > find_worst(f))
        return false;
    look_at_block(f, c->sorted + at, MIN(c->n - at, (size_t)FIND_BLOCK));
    return true;
}

static void
look_inside(struct find_team *t, struct candidates *c)
{
    sort_by_bucket(t, c);
    find_each(t, (c->n + FIND_BLOCK - 1) / FIND_BLOCK, look_at_part, c);
    find_gather(t);
    free(steal(c->sorted));
}

/* Whether so many names have the letters that all files will be asked for; judged by some of them. */
static bool
are_many(const struct find *f)
{
    size_t n = 0, n_names = f->s->n_names;
    for (size_t i = 0; i < n_names; i += SAMPLE_STEP)
        n += find_has_letters(&f->s->bits[i], &f->q->whole);
    return n * SAMPLE_STEP > n_names / FIND_WORTH_SHARE;
}

void
find_inside(struct find_team *t, size_t from, size_t to)
{
    const struct names_segment *s = t->part->segment;
    struct candidates c = {.from = from, .to = to};
    size_t n_pieces = find_pieces(s);
    if (t->has_filter && are_many(&t->hands[0]))
        find_ask_files(t);
    c.pieces = xcalloc(n_pieces + 1, sizeof(*c.pieces));
    c.late = xmalloc((s->n_names + 1) * sizeof(*c.late));
    c.names = xmalloc((s->n_names + 1) * sizeof(*c.names));
    c.buckets = xmalloc(s->n_names + 1);
    find_each(t, n_pieces, collect_piece, &c);
    look_inside(t, &c);
    if (find_worst(&t->hands[0]) >= FUZZY_COST_INSIDE + FUZZY_COST_BAD_START) {
        for (size_t i = 0; i < n_pieces; i++) {
            c.pieces[i].n = 0;
            memset(c.pieces[i].counts, 0, sizeof(c.pieces[i].counts));
        }
        find_each(t, n_pieces, collect_late, &c);
        look_inside(t, &c);
    }
    free(c.pieces);
    free(c.late);
    free(c.names);
    free(c.buckets);
}
