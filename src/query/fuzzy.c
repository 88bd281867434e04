/* How well a typed pattern fits a name. The best way to lay the pattern's letters into the name is
 * searched (a table of pattern × name), since the first way found often misses the starts of words:
 * "pc" in "specialProcessCommand". Pure. */
#include "query/query.h"

#define NAME_MAX_SEARCHED 256 // of longer names the first part is looked at
#define PATTERN_MAX 64

#define SCORE_LETTER 1.0
#define SCORE_CASE 0.5 // same case
#define SCORE_WORD_START 6.0
#define SCORE_NAME_START 8.0
#define SCORE_RUN 5.0  // right behind the letter before
#define COST_SKIP 0.15 // a letter of the name left out between two
#define COST_LEAD 0.02 // or before the first
#define SCORE_PREFIX 30.0
#define SCORE_WHOLE 60.0
#define SCORE_WHOLE_CASE 20.0
#define NEVER (-1e9)

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_letter_or_digit(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80);
}

static bool
starts_word(struct str s, size_t i)
{
    if (i == 0 || !is_letter_or_digit(s.p[i - 1]))
        return is_letter_or_digit(s.p[i]);
    if (!is_upper(s.p[i]))
        return false;
    return !is_upper(s.p[i - 1]) ||
           (i + 1 < s.n && s.p[i + 1] >= 'a' && s.p[i + 1] <= 'z');
}

static bool
is_subsequence(struct str pattern, struct str name)
{
    size_t k = 0;
    for (size_t i = 0; i < name.n && k < pattern.n; i++)
        k += lower(name.p[i]) == lower(pattern.p[k]);
    return k == pattern.n;
}

static double
letter_score(struct str name, size_t i, char wanted)
{
    double score = SCORE_LETTER + (name.p[i] == wanted ? SCORE_CASE : 0);
    if (i == 0)
        score += SCORE_NAME_START;
    else if (starts_word(name, i))
        score += SCORE_WORD_START;
    return score;
}

/* row[j]: the best for the pattern so far, its last letter at j. */
static double
best_layout(struct str pattern, struct str name)
{
    double row[NAME_MAX_SEARCHED], before[NAME_MAX_SEARCHED];
    for (size_t k = 0; k < pattern.n; k++) {
        double far =
            NEVER; // best end at least two letters back, with what the skips cost
        memcpy(before, row, k > 0 ? name.n * sizeof(*row) : 0);
        for (size_t j = 0; j < name.n; j++) {
            if (k > 0 && j >= 2)
                far = MAX(far, before[j - 2]) - COST_SKIP;
            row[j] = NEVER;
            if (lower(name.p[j]) != lower(pattern.p[k]))
                continue;
            double so_far = -COST_LEAD * (double)j;
            if (k > 0)
                so_far = MAX(far, j > 0 ? before[j - 1] + SCORE_RUN : NEVER);
            if (so_far > NEVER / 2)
                row[j] = so_far + letter_score(name, j, pattern.p[k]);
        }
    }
    double best = NEVER;
    for (size_t j = 0; j < name.n; j++)
        best = MAX(best, row[j]);
    return best;
}

static bool
is_prefix(struct str pattern, struct str name)
{
    for (size_t i = 0; i < pattern.n; i++) {
        if (i >= name.n || lower(pattern.p[i]) != lower(name.p[i]))
            return false;
    }
    return true;
}

double
fuzzy_score(struct str pattern, struct str name)
{
    char letters[PATTERN_MAX];
    struct str p = {.p = letters};
    for (size_t i = 0; i < pattern.n && p.n < sizeof(letters); i++) {
        if (pattern.p[i] != ' ')
            letters[p.n++] = pattern.p[i];
    }
    if (p.n == 0)
        return 1;
    struct str head = str_slice(name.p, MIN(name.n, (size_t)NAME_MAX_SEARCHED));
    if (!is_subsequence(p, head))
        return 0;
    double score = best_layout(p, head);
    if (is_prefix(p, name)) {
        score += SCORE_PREFIX;
        if (p.n == name.n)
            score += SCORE_WHOLE + (str_eq(p, name) ? SCORE_WHOLE_CASE : 0);
    }
    return MAX(score, 0.01);
}
