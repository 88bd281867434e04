#pragma once
/* One segment under one question, walked by several hands at once: names_find.c, names_inside.c, names_bits.c.
 * Each hand has winners of its own and they are put together after: since the order of winners is
 * total, the answer is that of one walk. */
#include "query/names.h"
#include "query/query.h"
#include "rt/pool.h"

#define NAMES_HANDS_MAX 4 // of one search
#define FIND_BLOCK 256    // names; fits the first cache with what it points to
#define FIND_PIECE 8192   // names, what a hand takes at a time
#define FIND_WORDS (FIND_PIECE / 64)
#define FIND_BLOCK_WORDS (FIND_BLOCK / 64)
#define FIND_WORTH_SHARE 10
#define FIND_WANTED 1 // of a name: one of its entities is
#define FIND_MEMBER 2 // and the container of one fits

/* Who walks: the caller, inside of a job of the pool, and other workers that have time. */
struct names_help {
    struct pool *pool; // NULL: only with one hand
    unsigned n_hands;  // 1 … NAMES_HANDS_MAX
};

/* names_find.c: adds what fits to the winners, whose views are into the view's segments. What is found
 * does not depend on who helps. */
void names_find(const struct names_view *v, const struct query_search *search,
                const struct fuzzy_query *q, const struct names_help *help,
                struct winners *w);

/* ---- for those three only ---- */

struct find_team;

/* What one hand works with; what files and containers say is asked once each. */
struct find {
    struct find_team *team;
    const struct names_segment *s;
    const struct fuzzy_query *q;
    struct winners *winners;
    int ceiling;     // what costs more is no winner, whatever this hand has seen
    uint8_t *files;  // of this hand, or of all when all files were asked
    int *containers; // -1: not asked yet; of a qualified pattern
};

struct find_team {
    struct pool *pool;
    unsigned n; // hands
    struct find hands[NAMES_HANDS_MAX];
    struct winners winners[NAMES_HANDS_MAX]; // but the first's, which are the caller's
    const struct names_part *part;
    uint32_t kinds; // a bit each
    int lang;       // number in the segment; -1: all
    struct glob glob;
    bool has_glob, has_filter;
    bool are_files_asked; // all, once for all hands
};

typedef bool (*find_part_fn)(struct find *f, size_t part, void *what);

/* ---- names_find.c ---- */

/* All parts, by all hands; false from one: enough. */
void find_each(struct find_team *t, size_t n_parts, find_part_fn part, void *what);
/* The winners of all go to the first, and what they cost at most is known to all. */
void find_gather(struct find_team *t);
void find_ask_files(struct find_team *t);
/* Of names from..to, when all files were asked. */
void find_want(struct find *f, size_t from, size_t to, uint8_t *ret_wanted);
/* Those of the n `names`, which are of from..to, that the filters let through; returns how many. */
size_t find_keep_wanted(struct find *f, size_t from, size_t to, uint32_t *names,
                        size_t n);
/* whole, last: what the name costs for the text as it is, and for its last part. */
void find_offer(struct find *f, size_t name, int whole, int last);

static inline int
find_worst(const struct find *f)
{
    return MIN(f->ceiling, winners_worst(f->winners));
}

static inline size_t
find_pieces(const struct names_segment *s)
{
    return (s->n_names + FIND_PIECE - 1) / FIND_PIECE;
}

static inline size_t
find_piece_end(const struct names_segment *s, size_t piece)
{
    return MIN((piece + 1) * FIND_PIECE, s->n_names);
}

static inline size_t
find_piece_words(const struct names_segment *s, size_t piece)
{
    return MIN((size_t)FIND_WORDS, s->n_words - piece * FIND_WORDS);
}

/* ---- names_bits.c ---- */

/* Of the piece's names but from..to: a bit each, whether it may have the pattern's letters in their
 * order. */
void find_have(const struct names_segment *s, const struct fuzzy_pattern *p, size_t piece,
               size_t from, size_t to, uint64_t *ret_have);
/* The names of n words of bits, of which the first is the segment's word `at`; returns how many. */
size_t find_list(const uint64_t *have, size_t at, size_t n, uint32_t *ret_names);
/* Never more than what a name costs that does not begin with the pattern. */
int find_least(const struct names_segment *s, const struct fuzzy_pattern *p, size_t name);

/* ---- names_inside.c ---- */

/* All names but those that begin with the pattern, which are from..to. */
void find_inside(struct find_team *t, size_t from, size_t to);
