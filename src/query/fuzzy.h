#pragma once
/* A typed pattern made ready, and what it costs to lay it into a name: 0 is a perfect fit, more is worse.
 * Costs come in bands that do not overlap, so a search may stop early: the whole name, its beginning,
 * runs at starts of words, an infix, scattered letters. Pure; any thread. Inside of src/query only. */
#include "base/base.h"
#include "base/str.h"
#include "model/entity.h"

#define FUZZY_PATTERN_MAX 64 // letters of it that are looked at
#define FUZZY_NAME_MAX 256   // of longer names the first part
#define FUZZY_PARTS_MAX 8    // of a qualified pattern, in front of the last

#define FUZZY_NEVER INT32_MAX
#define FUZZY_COST_CASE_WHOLE 20 // the whole name, in other case
#define FUZZY_COST_PREFIX 100
#define FUZZY_COST_INSIDE 220
#define FUZZY_COST_RUN 10        // each run of letters but the first
#define FUZZY_COST_BAD_START 100 // a run of letters begins inside of a word
#define FUZZY_COST_LENGTH_MAX 60
#define FUZZY_COST_KIND_MAX 10
#define FUZZY_SCORE_MAX 10000 // score = this - cost

/* What is noted of every name, a bit each: letters it has (digits share some bits, all other bytes one),
 * letters that begin a word in it, pairs that stand side by side (several share one), and which class of
 * letters has one before one of which: frequent letters are a class of their own or share it with a rare
 * one. */
#define FUZZY_BITS_LETTERS 32
#define FUZZY_BITS_STARTS 26
#define FUZZY_BITS_PAIRS 64
#define FUZZY_CLASSES 13
#define FUZZY_AT_STARTS FUZZY_BITS_LETTERS
#define FUZZY_AT_PAIRS (FUZZY_AT_STARTS + FUZZY_BITS_STARTS)
#define FUZZY_AT_ORDER (FUZZY_AT_PAIRS + FUZZY_BITS_PAIRS)
#define FUZZY_BITS (FUZZY_AT_ORDER + FUZZY_CLASSES * FUZZY_CLASSES)
#define FUZZY_WORDS ((FUZZY_BITS + 63) / 64)

struct fuzzy_bits {
    uint64_t words[FUZZY_WORDS];
};

struct fuzzy_pattern {
    struct str text;               // as typed, blanks left out, at most FUZZY_PATTERN_MAX
    char typed[FUZZY_PATTERN_MAX]; // text.p
    char folded[FUZZY_PATTERN_MAX]; // in lower case
    uint64_t letters[256];          // byte → a bit for each place it has in the pattern
    uint16_t asked[FUZZY_BITS];     // numbers of bits that a name must have
    size_t n_asked;
    uint16_t starts[FUZZY_PATTERN_MAX]; // each letter's bit among the starts, or 0
    uint16_t pairs[FUZZY_PATTERN_MAX];  // the bit of each and the letter before it
    uint8_t inside[FUZZY_PATTERN_MAX];  // what it costs more that begins a run inside
    bool has_upper, has_lower;          // with a capital, case counts a little
};

/* What is searched: the text as a name; when it has '.', '::' or '#', also its last part as a name
 * whose container is named by the parts in front. */
struct fuzzy_query {
    struct fuzzy_pattern whole, last;
    struct fuzzy_pattern parts[FUZZY_PARTS_MAX];
    size_t n_parts;
    bool is_qualified;
};

void fuzzy_pattern_init(struct fuzzy_pattern *p, struct str text);
void fuzzy_query_init(struct fuzzy_query *q, struct str text);
void fuzzy_bits_of(struct str name, struct fuzzy_bits *ret_bits);
/* FUZZY_NEVER: it does not fit. */
int fuzzy_cost(const struct fuzzy_pattern *p, struct str name);
/* What the parts in front say of a container ("App.Window"; perhaps empty). */
int fuzzy_container_cost(const struct fuzzy_query *q, struct str container);
/* Definitions come first among names that fit alike. */
int fuzzy_kind_cost(enum entity_kind kind);
/* In two steps, of a name that does not begin with the pattern; the second if the first says yes.
 * FUZZY_NEVER: costs more than `most`. */
bool fuzzy_has_letters(const struct fuzzy_pattern *p, struct str name);
int fuzzy_cost_inside(const struct fuzzy_pattern *p, struct str name, int most);
bool fuzzy_is_prefix(const struct fuzzy_pattern *p, struct str name);
/* Of a name alone: 0 no match, else higher is better. Subsequence, case-insensitive; within a band shorter
 * names first, and case counts if the pattern has a capital. */
double fuzzy_score(struct str pattern, struct str name);
/* By folded bytes, then by bytes. */
int fuzzy_compare(struct str a, struct str b);

static inline char
fuzzy_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline int
fuzzy_length_cost(const struct fuzzy_pattern *p, size_t name_n)
{
    size_t more = name_n - MIN(name_n, p->text.n);
    return (int)MIN(more, (size_t)FUZZY_COST_LENGTH_MAX);
}
