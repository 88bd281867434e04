/* Names that have the pattern's letters but do not begin with it. Every name's bits say whether it may
 * have them and what it costs at least; from the cheapest on they are laid out, until the worst winner
 * is cheaper than what is left. Each step is split among the hands by pieces of the table. Invariant: a
 * piece writes its own part of an array only: from where its names begin. */
#include "base/mem.h"
#include "query/find.h"

#define BUCKETS 128 // candidates by what they cost at least
#define BUCKET_COST 6

struct piece {
    uint32_t n, n_have;
    uint32_t counts[BUCKETS]; // then where the next of each bucket goes
};

/* Names that have the letters, with the least they can cost. */
struct candidates {
    size_t from, to; // names that begin with the pattern
    struct piece *pieces;
    uint64_t *have;  // a bit for each name of the segment
    bool is_late;    // have the first letter within a word only: they cost more
    uint32_t *names; // ascending, so that memory is read in order
    uint8_t *buckets;
    uint32_t *sorted; // by bucket
    size_t n, ends[BUCKETS];
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

static bool
mark_piece(struct find *f, size_t piece, void *what)
{
    struct candidates *c = what;
    uint64_t *have = c->have + piece * FIND_WORDS;
    find_have(f->s, &f->q->whole, piece, c->from, c->to, have);
    for (size_t i = 0; i < find_piece_words(f->s, piece); i++)
        c->pieces[piece].n_have += (uint32_t)__builtin_popcountll(have[i]);
    return true;
}

/* Of the n names, which are of a piece, those that may be winners. No jump in the loop. */
static void
collect_block(struct find *f, struct candidates *c, size_t piece, const uint32_t *block,
              size_t n)
{
    struct piece *to = &c->pieces[piece];
    uint32_t *names = c->names + piece * FIND_PIECE;
    uint8_t *buckets = c->buckets + piece * FIND_PIECE;
    int worst = find_worst(f);
    for (size_t i = 0; i < n; i++) {
        int least = find_least(f->s, &f->q->whole, block[i]);
        size_t bucket = bucket_of(least);
        bool is_one = least <= worst;
        names[to->n] = block[i];
        buckets[to->n] = (uint8_t)bucket;
        to->counts[bucket] += is_one;
        to->n += is_one;
    }
}

/* Those that have a word begin with the pattern's first letter, or the late ones. */
static void
choose(const struct find *f, const struct candidates *c, size_t at, uint64_t *ret_have)
{
    unsigned start = f->q->whole.starts[0];
    const uint64_t *column = names_column(f->s, start) + at;
    for (size_t i = 0; i < FIND_BLOCK_WORDS; i++) {
        uint64_t is_early = start == 0 ? UINT64_MAX : column[i];
        ret_have[i] = c->have[at + i] & (c->is_late ? ~is_early : is_early);
    }
}

static bool
collect_piece(struct find *f, size_t piece, void *what)
{
    struct candidates *c = what;
    size_t at = piece * FIND_WORDS, end = at + find_piece_words(f->s, piece);
    c->pieces[piece].n = 0;
    memset(c->pieces[piece].counts, 0, sizeof(c->pieces[piece].counts));
    for (; at < end && c->pieces[piece].n_have > 0; at += FIND_BLOCK_WORDS) {
        uint64_t have[FIND_BLOCK_WORDS];
        uint32_t block[FIND_BLOCK];
        size_t from = at * 64, to = MIN(from + FIND_BLOCK, f->s->n_names);
        choose(f, c, at, have);
        size_t n = find_list(have, at, FIND_BLOCK_WORDS, block);
        n = n > 0 ? find_keep_wanted(f, from, to, block, n) : 0;
        collect_block(f, c, piece, block, n);
    }
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
    int costs[FIND_BLOCK];
    size_t n_fit = 0, n_best = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&s->entries[block[i]]);
    for (size_t i = 0; i < n; i++) {
        __builtin_prefetch(s->text + s->entries[block[i]].text);
        __builtin_prefetch(s->text + s->entries[block[i] + 1].text); // where it ends
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t name = block[i];
        block[n_fit] = name;
        n_fit += fuzzy_has_letters(p, names_at(s, name));
    }
    for (size_t i = 0; i < n_fit; i++) {
        uint32_t name = block[i];
        block[n_best] = name;
        costs[n_best] = fuzzy_cost_inside(p, names_at(s, name), find_worst(f));
        if (costs[n_best] == FUZZY_NEVER)
            continue;
        __builtin_prefetch(&s->file_kinds[s->entries[name].first]);
        n_best++;
    }
    for (size_t i = 0; i < n_best; i++)
        find_offer(f, block[i], costs[i], FUZZY_NEVER);
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

static size_t
count_all(const struct candidates *c, size_t n_pieces)
{
    size_t n = 0;
    for (size_t i = 0; i < n_pieces; i++)
        n += c->pieces[i].n_have;
    return n;
}

void
find_inside(struct find_team *t, size_t from, size_t to)
{
    const struct names_segment *s = t->part->segment;
    struct candidates c = {.from = from, .to = to};
    size_t n_pieces = find_pieces(s);
    c.pieces = xcalloc(n_pieces + 1, sizeof(*c.pieces));
    c.have = xmalloc((s->n_words + 1) * sizeof(*c.have));
    c.names = xmalloc((s->n_names + 1) * sizeof(*c.names));
    c.buckets = xmalloc(s->n_names + 1);
    find_each(t, n_pieces, mark_piece, &c);
    if (t->has_filter && count_all(&c, n_pieces) > s->n_names / FIND_WORTH_SHARE)
        find_ask_files(t);
    find_each(t, n_pieces, collect_piece, &c);
    look_inside(t, &c);
    if (find_worst(&t->hands[0]) >= FUZZY_COST_INSIDE + FUZZY_COST_BAD_START) {
        c.is_late = true;
        find_each(t, n_pieces, collect_piece, &c);
        look_inside(t, &c);
    }
    free(c.pieces);
    free(c.have);
    free(c.names);
    free(c.buckets);
}
