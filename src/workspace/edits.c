/* The difference of two versions by lines (Myers' greedy search, bounded). It exists because
 * a save often changes places far apart, an import and its use, and one edit over all that
 * is between them would leave nothing of a tree to build on.
 * Invariant: lines are compared by hash in the search, by their bytes before a result is
 * given; after EDITS_STEPS_MAX lines that differ the search ends, and the only edit is what
 * is between the common ends. */
#include "workspace/edits.h"

#include <limits.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"

#define EDITS_STEPS_MAX 256    // lines taken out and put in
#define EDITS_SMALL_BYTES 1024 // less than this in one of the texts is one edit
#define EDITS_COMMON_BYTES 64  // a shorter common part is not worth an edit of its own

struct line {
    uint64_t hash;
    size_t start;
};

/* Part of a text; one line more than there are: its end. */
struct part {
    struct str text;
    VEC(struct line) lines;
    int n;
};

/* Lines that are the same in both. */
struct run {
    int old_line, new_line, n;
};

struct search {
    struct part old_part, new_part;
    int *reached;         // of step d, diagonal k: the old line reached, at d * d + d + k
    VEC(struct run) runs; // the last one first
};

static size_t
common_start(struct str a, struct str b)
{
    size_t n = 0, n_max = MIN(a.n, b.n);

    while (n + 64 <= n_max && memcmp(a.p + n, b.p + n, 64) == 0)
        n += 64;
    while (n < n_max && a.p[n] == b.p[n])
        n++;
    return n;
}

static size_t
common_end(struct str a, struct str b, size_t n_max)
{
    size_t n = 0;

    while (n + 64 <= n_max && memcmp(a.p + a.n - n - 64, b.p + b.n - n - 64, 64) == 0)
        n += 64;
    while (n < n_max && a.p[a.n - n - 1] == b.p[b.n - n - 1])
        n++;
    return n;
}

static void
split_lines(struct part *part)
{
    struct str rest = part->text;

    while (rest.n > 0) {
        const char *newline = memchr(rest.p, '\n', rest.n);
        size_t n = newline ? (size_t)(newline - rest.p) + 1 : rest.n;

        *vec_push(&part->lines) =
            (struct line){hash64(str_slice(rest.p, n)), (size_t)(rest.p - part->text.p)};
        rest = str_slice(rest.p + n, rest.n - n);
    }
    part->n = (int)part->lines.n;
    *vec_push(&part->lines) = (struct line){0, part->text.n};
}

static int *
reached_at(const struct search *s, int d, int k)
{
    return &s->reached[d * d + d + k];
}

/* Whether step d comes to diagonal k by a line put in, from the diagonal above. */
static bool
is_put_in(const struct search *s, int d, int k)
{
    return k == -d ||
           (k != d && *reached_at(s, d - 1, k - 1) < *reached_at(s, d - 1, k + 1));
}

/* The number of lines that differ; -1: too many. */
static int
find_steps(const struct search *s)
{
    const struct line *old_lines = s->old_part.lines.v, *new_lines = s->new_part.lines.v;

    for (int d = 0; d <= EDITS_STEPS_MAX; d++) {
        for (int k = -d; k <= d; k += 2) {
            int x = 0, y;

            if (d > 0)
                x = is_put_in(s, d, k) ? *reached_at(s, d - 1, k + 1)
                                       : *reached_at(s, d - 1, k - 1) + 1;
            y = x - k;
            while (x < s->old_part.n && y < s->new_part.n &&
                   old_lines[x].hash == new_lines[y].hash)
                x++, y++;
            *reached_at(s, d, k) = x;
            if (x >= s->old_part.n && y >= s->new_part.n)
                return d;
        }
    }
    return -1;
}

static void
collect_runs(struct search *s, int d)
{
    int k = s->old_part.n - s->new_part.n;

    for (; d >= 0; d--) {
        int end = *reached_at(s, d, k), begin = 0, next_k = k;

        if (d > 0 && is_put_in(s, d, k)) {
            next_k = k + 1;
            begin = *reached_at(s, d - 1, next_k);
        } else if (d > 0) {
            next_k = k - 1;
            begin = *reached_at(s, d - 1, next_k) + 1;
        }
        if (end > begin)
            *vec_push(&s->runs) = (struct run){begin, begin - k, end - begin};
        k = next_k;
    }
}

/* What is between the runs; 0: two lines had one hash by chance. */
static size_t
take_edits(const struct search *s, const struct text_edit *all,
           struct text_edit ret_edits[EDITS_MAX])
{
    struct text_edit edit = *all;
    size_t n = 0;

    for (size_t i = s->runs.n; i-- > 0 && n < EDITS_MAX - 1;) {
        const struct run *run = &s->runs.v[i];
        size_t old_at = s->old_part.lines.v[run->old_line].start,
               new_at = s->new_part.lines.v[run->new_line].start,
               n_bytes = s->old_part.lines.v[run->old_line + run->n].start - old_at;

        if (n_bytes < EDITS_COMMON_BYTES)
            continue;
        if (n_bytes != s->new_part.lines.v[run->new_line + run->n].start - new_at ||
            memcmp(s->old_part.text.p + old_at, s->new_part.text.p + new_at, n_bytes))
            return 0;
        edit.old_end = all->old_start + old_at;
        edit.new_end = all->new_start + new_at;
        if (edit.old_end > edit.old_start || edit.new_end > edit.new_start)
            ret_edits[n++] = edit;
        edit.old_start = edit.old_end + n_bytes;
        edit.new_start = edit.new_end + n_bytes;
    }
    edit.old_end = all->old_end;
    edit.new_end = all->new_end;
    if (edit.old_end > edit.old_start || edit.new_end > edit.new_start)
        ret_edits[n++] = edit;
    return n;
}

size_t
edits_between(struct str old_text, struct str new_text,
              struct text_edit ret_edits[EDITS_MAX])
{
    size_t start = common_start(old_text, new_text);
    size_t n_end = common_end(old_text, new_text, MIN(old_text.n, new_text.n) - start);
    struct text_edit all = {start, old_text.n - n_end, start, new_text.n - n_end};
    struct search s = {0};
    size_t n = 0;
    int n_steps;

    s.old_part.text = str_slice(old_text.p + start, all.old_end - start);
    s.new_part.text = str_slice(new_text.p + start, all.new_end - start);
    if (MIN(s.old_part.text.n, s.new_part.text.n) >= EDITS_SMALL_BYTES &&
        MAX(s.old_part.text.n, s.new_part.text.n) <= INT_MAX / 4) {
        split_lines(&s.old_part);
        split_lines(&s.new_part);
        s.reached = xcalloc((EDITS_STEPS_MAX + 1) * (EDITS_STEPS_MAX + 1), sizeof(int));
        n_steps = find_steps(&s);
        if (n_steps >= 0)
            collect_runs(&s, n_steps);
        n = take_edits(&s, &all, ret_edits);
    }
    if (n == 0)
        ret_edits[n++] = all;
    vec_finish(&s.old_part.lines);
    vec_finish(&s.new_part.lines);
    vec_finish(&s.runs);
    free(s.reached);
    return n;
}
