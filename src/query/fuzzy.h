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
#define FUZZY_COST_BAD_START 100 // a run of letters begins inside of a word
#define FUZZY_COST_LENGTH_MAX 60
#define FUZZY_COST_KIND_MAX 10
#define FUZZY_SCORE_MAX 10000 // score = this - cost

/* Which letter stands somewhere before which in a name: a bit for each two, several share one. */
struct fuzzy_order {
    uint64_t words[2];
};

struct fuzzy_pattern {
    struct str text;               // as typed, blanks left out, at most FUZZY_PATTERN_MAX
    char typed[FUZZY_PATTERN_MAX]; // text.p
    char folded[FUZZY_PATTERN_MAX];     // in lower case
    uint64_t mask;                      // letters a name must have: see fuzzy_mask()
    uint64_t starts[FUZZY_PATTERN_MAX]; // each letter's bit among the starts, or 0
    uint64_t pairs[FUZZY_PATTERN_MAX];  // the bit of each and the letter before it
    uint64_t letters[256];    // byte → a bit for each place it has in the pattern
    struct fuzzy_order order; // what a name must have: see fuzzy_order_of()
    uint8_t
        inside[FUZZY_PATTERN_MAX]; // what a letter costs more that begins a run inside
    bool has_upper, has_lower;     // with a capital, case counts a little
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
/* Which letters a name has (bits 0-37), and which of them begin a word in it (38-63). */
uint64_t fuzzy_mask(struct str name);
/* Which two letters stand side by side: a bit each, several share one. */
uint64_t fuzzy_pairs(struct str name);
struct fuzzy_order fuzzy_order_of(struct str name);
/* FUZZY_NEVER: it does not fit. */
int fuzzy_cost(const struct fuzzy_pattern *p, struct str name);
/* Never more than fuzzy_cost() of a name with these bits that does not begin with the pattern. */
int fuzzy_cost_least(const struct fuzzy_pattern *p, uint64_t mask, uint64_t pairs,
                     size_t name_n);
/* What the parts in front say of a container ("App.Window"; perhaps empty). */
int fuzzy_container_cost(const struct fuzzy_query *q, struct str container);
/* Definitions come first among names that fit alike. */
int fuzzy_kind_cost(enum entity_kind kind);
/* In two steps, of a name that does not begin with the pattern; the second if the first says yes.
 * FUZZY_NEVER: costs more than `most`. */
bool fuzzy_has_letters(const struct fuzzy_pattern *p, struct str name);
int fuzzy_cost_inside(const struct fuzzy_pattern *p, struct str name, int most);
bool fuzzy_is_prefix(const struct fuzzy_pattern *p, struct str name);
/* By folded bytes, then by bytes. */
int fuzzy_compare(struct str a, struct str b);

static inline char
fuzzy_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
