/* What the columns of a segment say of its names before their text is read. Some bits are asked for, so
 * a word of 64 names is passed over as one: nearly all that a search passes over, it does here.
 * Invariant: a name that fits is never passed over, nor said to cost more than it does. */
#include "query/find.h"

#define STEPS_PER_LOOK 16 // columns between two looks whether any name is left

/* So many that the compiler needs no loop. */
static void
and_step(uint64_t *restrict have, const uint64_t *restrict column)
{
    for (size_t i = 0; i < NAMES_COLUMN_STEP; i++)
        have[i] &= column[i];
}

static bool
is_any(const uint64_t *have, size_t n)
{
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= have[i];
    return all != 0;
}

/* Bits from `from` on. */
static uint64_t
word_from(size_t name, size_t from)
{
    return name >= from        ? UINT64_MAX
           : name + 64 <= from ? 0
                               : UINT64_MAX << (from - name);
}

void
find_have(const struct names_segment *s, const struct fuzzy_pattern *p, size_t piece,
          size_t from, size_t to, uint64_t *ret_have)
{
    size_t at = piece * FIND_WORDS, n = find_piece_words(s, piece);
    for (size_t i = 0; i < n; i++) {
        size_t name = (at + i) * 64;
        ret_have[i] =
            ~word_from(name, s->n_names) & (~word_from(name, from) | word_from(name, to));
    }
    for (size_t k = 0; k < p->n_asked; k++) {
        const uint64_t *column = names_column(s, p->asked[k]) + at;
        if (k % STEPS_PER_LOOK == 0 && !is_any(ret_have, n))
            return;
        for (size_t i = 0; i < n; i += NAMES_COLUMN_STEP)
            and_step(ret_have + i, column + i);
    }
}

size_t
find_list(const uint64_t *have, size_t at, size_t n, uint32_t *ret_names)
{
    size_t n_names = 0;
    for (size_t i = 0; i < n; i++) {
        for (uint64_t word = have[i]; word != 0; word &= word - 1)
            ret_names[n_names++] =
                (uint32_t)((at + i) * 64) + (uint32_t)__builtin_ctzll(word);
    }
    return n_names;
}

/* A letter that neither follows the one before it nor begins a word is inside of one. No jumps. */
int
find_least(const struct names_segment *s, const struct fuzzy_pattern *p, size_t name)
{
    size_t at = name / 64;
    unsigned bit = name % 64;
    int cost = FUZZY_COST_INSIDE + fuzzy_length_cost(p, s->lengths[name]);
    if (p->starts[0] != 0 && !(names_column(s, p->starts[0])[at] >> bit & 1))
        cost += FUZZY_COST_BAD_START;
    for (size_t i = 1; i < p->text.n; i++) {
        int is_run = !(names_column(s, p->pairs[i])[at] >> bit & 1);
        int is_bad = !(names_column(s, p->starts[i])[at] >> bit & 1);
        cost += is_run * (FUZZY_COST_RUN + is_bad * p->inside[i]);
    }
    return cost;
}
