/* The scanner and what it hands out: the text without its gaps, and of comments and calls those that
 * lie in them. A file of many bodies must not keep its memory for the rest of the run. */
#include "bodies/bodies.h"

#include "base/err.h"
#include "base/mem.h"
#include "bodies/internal.h"
#include "bodies/items.h"

#define KEPT_BYTES_MAX ((size_t)1024 * 1024)
#define KEPT_MAX 16384
#define release_if_large(vec)                                                            \
    do {                                                                                 \
        if ((vec)->cap > KEPT_MAX)                                                       \
            vec_finish(vec);                                                             \
    } while (0)

struct bodies *
bodies_create(void)
{
    return xnew(struct bodies);
}

void
bodies_destroy(struct bodies *b)
{
    if (!b)
        return;
    vec_finish(&b->open);
    vec_finish(&b->conditions);
    vec_finish(&b->gaps);
    vec_finish(&b->comments);
    vec_finish(&b->calls);
    vec_finish(&b->cuts);
    vec_finish(&b->places);
    vec_finish(&b->items);
    vec_finish(&b->imports);
    vec_finish(&b->kept);
    vec_finish(&b->hidden);
    buf_finish(&b->outline);
    buf_finish(&b->shown);
    free(b);
}

static void
reset(struct bodies *b, struct str text, bool with_items)
{
    release_if_large(&b->gaps);
    release_if_large(&b->comments);
    release_if_large(&b->calls);
    release_if_large(&b->cuts);
    release_if_large(&b->places);
    release_if_large(&b->items);
    release_if_large(&b->imports);
    release_if_large(&b->kept);
    release_if_large(&b->hidden);
    if (b->outline.cap > KEPT_BYTES_MAX)
        buf_finish(&b->outline);
    buf_reset(&b->outline);
    b->kept.n = b->hidden.n = b->n_ends = b->n_blocks = b->n_defines = 0;
    b->open.n = b->conditions.n = b->gaps.n = b->comments.n = b->calls.n = b->cuts.n =
        b->places.n = 0;
    b->text = text;
    b->at = b->n_braces = b->n_opaque = b->n_mute = b->n_macros = 0;
    b->branch = b->last_branch = b->virtual_braces = 0;
    b->is_virtual = b->is_lost = false;
    begin_statement(b);
    item_reset(b, with_items && b->syntax->has_items);
}

/* Of sorted stretches those that lie in a gap; the number kept. */
static size_t
keep_in_gaps(const struct bodies *b, struct stretch *v, size_t n)
{
    size_t kept = 0, gap = 0;
    for (size_t i = 0; i < n; i++) {
        while (gap < b->gaps.n && b->gaps.v[gap].end < v[i].end)
            gap++;
        if (gap < b->gaps.n && b->gaps.v[gap].start <= v[i].start)
            v[kept++] = v[i];
    }
    return kept;
}

static void
leave_out_gaps(struct bodies *b)
{
    uint32_t at = 0, left = 0;
    buf_reserve(&b->outline, b->text.n);
    vec_reserve(&b->places, b->gaps.n);
    for (size_t i = 0; i < b->gaps.n; i++) {
        struct stretch gap = b->gaps.v[i];
        buf_add(&b->outline, b->text.p + at, gap.start - at);
        left += gap.end - gap.start;
        at = gap.end;
        *vec_push(&b->places) = (struct outline_gap){(uint32_t)b->outline.n, left};
    }
    buf_add(&b->outline, b->text.p + at, b->text.n - at);
}

static int
scan(struct bodies *b, const struct bodies_syntax *syntax, struct str text,
     bool with_items, bool keeps_bodies, struct outline *ret_outline)
{
    if (text.n > UINT32_MAX - 1)
        return err_trace(-EFBIG);
    bodies_set_syntax(b, syntax);
    if (b->shown.cap > KEPT_BYTES_MAX)
        buf_finish(&b->shown);
    reset(b, text, with_items);
    b->keeps_bodies = keeps_bodies;
    bodies_run(b);
    if (!b->is_lost && b->hidden.n > 0 && condition_hide(b)) {
        reset(b, b->text, with_items);
        bodies_run(b);
    }
    if (b->is_lost)
        return BODIES_E_UNBALANCED;
    leave_out_gaps(b);
    b->comments.n = keep_in_gaps(b, b->comments.v, b->comments.n);
    b->calls.n = keep_in_gaps(b, b->calls.v, b->calls.n);
    *ret_outline = (struct outline){
        .text = b->gaps.n > 0 ? buf_str(&b->outline) : b->text,
        .gaps = b->places.v,
        .n_gaps = b->places.n,
        .shown = b->text,
        .comments = b->comments.v,
        .n_comments = b->comments.n,
        .calls = b->calls.v,
        .n_calls = b->calls.n,
        .items = b->items.v,
        .n_items = b->items.n,
        .imports = b->imports.v,
        .n_imports = b->imports.n,
        .cuts = b->cuts.v,
        .n_cuts = b->cuts.n,
    };
    return 0;
}

int
bodies_scan(struct bodies *b, const struct bodies_syntax *syntax, struct str text,
            bool with_items, struct outline *ret_outline)
{
    return scan(b, syntax, text, with_items, false, ret_outline);
}

int
bodies_scan_heads(struct bodies *b, const struct bodies_syntax *syntax, struct str text,
                  struct outline *ret_outline)
{
    return scan(b, syntax, text, false, true, ret_outline);
}
