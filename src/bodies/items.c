/* Simple definitions of C, told from their tokens and left out of what is parsed: most of a file is
 * made of them, and a parser takes ten times as long for each. A statement is told only if it is
 * written in one of the few forms below, which a parser cannot read in another way; all others stay
 * for the tree. What entities.scm of the language says of these forms is law here, too.
 * Invariant: items are disjoint and rise, and each lies in a gap. */
#include "bodies/items.h"
#include "bodies/internal.h"
#include "bodies/tell.h"

/* A gap that only white space separates from the one before becomes one with it. */
static void
leave_out(struct bodies *b, uint32_t start, uint32_t end)
{
    struct stretch *last = b->gaps.n > 0 ? &b->gaps.v[b->gaps.n - 1] : NULL;
    uint32_t at = start;
    while (last && at > last->end &&
           (b->classes[(unsigned char)b->text.p[at - 1]] == BYTE_SPACE ||
            b->text.p[at - 1] == '\n'))
        at--;
    if (last && at == last->end)
        last->end = end;
    else
        *vec_push(&b->gaps) = (struct stretch){start, end};
}

static void
set_mark(struct bodies *b)
{
    b->mark = (struct item_mark){
        .n_items = b->items.n,
        .n_imports = b->imports.n,
        .n_gaps = b->gaps.n,
        .last_gap_end = b->gaps.n > 0 ? b->gaps.v[b->gaps.n - 1].end : 0,
    };
}

/* int f(a) char *a; { … }: what looked like statements since the last that was not told is not. */
static void
take_back(struct bodies *b)
{
    b->items.n = b->mark.n_items;
    b->imports.n = b->mark.n_imports;
    b->gaps.n = b->mark.n_gaps;
    b->needs_stop = true;
    if (b->gaps.n > 0)
        b->gaps.v[b->gaps.n - 1].end = b->mark.last_gap_end;
}

static struct item
begin_of(enum level level, size_t n_open)
{
    return (struct item){
        .start = level == LEVEL_NONE ? 0 : ITEM_NONE,
        .n_open = (uint32_t)n_open,
        .level = (uint8_t)level,
    };
}

void
item_reset(struct bodies *b, bool is_wanted)
{
    b->items.n = b->imports.n = 0;
    b->mark = (struct item_mark){0};
    b->needs_stop = false;
    b->item = begin_of(is_wanted ? LEVEL_FILE : LEVEL_NONE, 0);
}

void
item_begin(struct bodies *b)
{
    b->item.start = b->at;
    b->item.n_gaps = (uint32_t)b->gaps.n;
    b->item.n_calls = (uint32_t)b->calls.n;
    b->item.is_foreign = b->is_virtual;
}

/* Of the first statement told behind others its semicolon stays: what the parser cannot read before it
 * must not go on behind it. */
static void
end(struct bodies *b, bool is_told, uint32_t at)
{
    if (is_told) {
        bool is_kept =
            b->needs_stop && b->item.level == LEVEL_FILE && b->text.p[at - 1] == ';';
        b->gaps.n = b->item.n_gaps;
        leave_out(b, b->item.start, at - is_kept);
        b->needs_stop = b->needs_stop && !is_kept;
    } else {
        b->needs_stop = true;
        set_mark(b);
    }
    b->item.start = ITEM_NONE;
    b->item.is_foreign = false;
}

void
item_end(struct bodies *b, uint32_t at)
{
    const struct item *item = &b->item;
    if (item->start == ITEM_NONE || b->is_virtual || b->open.n > item->n_open)
        return;
    end(b, !item->is_foreign && tell_statement(b, item->start, at), at);
}

void
item_comment(struct bodies *b, uint32_t start, uint32_t end)
{
    leave_out(b, start, end);
}

bool
item_directive(struct bodies *b, uint32_t start, struct str word)
{
    uint32_t end = 0;
    if (b->item.level == LEVEL_NONE || b->item.start != ITEM_NONE || b->is_virtual)
        return false;
    if (str_eq_c(word, "define"))
        end = tell_define(b, start, (uint32_t)(word.p + word.n - b->text.p));
    else if (str_eq_c(word, "include") && b->item.level == LEVEL_FILE)
        end = tell_include(b, (uint32_t)(word.p + word.n - b->text.p));
    if (end > 0)
        leave_out(b, start, end);
    return end > 0;
}

void
item_open_brace(struct bodies *b, struct bracket *n)
{
    enum level level = LEVEL_NONE;
    if (b->item.level != LEVEL_NONE && b->item.start == ITEM_NONE) {
        take_back(b);
        n->n_gaps = (uint32_t)b->gaps.n;
        item_begin(b);
        b->item.is_foreign = true;
    } else if (b->item.level != LEVEL_NONE && !n->is_opaque &&
               b->open.n == b->item.n_open) {
        if (!b->item.is_foreign)
            level = tell_level(b, b->item.start, b->at);
        b->item.is_foreign = true;
    }
    n->item = b->item;
    b->item = begin_of(level, b->open.n + 1);
}

void
item_close_brace(struct bodies *b, const struct bracket *top)
{
    enum level inner = (enum level)b->item.level;
    b->item = top->item;
    if (b->item.level == LEVEL_NONE || b->is_virtual)
        return;
    if (inner == LEVEL_FILE) { // extern "C" { … } ends without a semicolon
        end(b, false, b->at + 1);
    } else if (top->is_opaque && !top->is_expression) {
        bool may_be_told = !b->item.is_foreign && !top->is_tainted &&
                           !bracket_has_kept(b, top) && top->branch == b->branch &&
                           b->open.n == b->item.n_open && b->item.level == LEVEL_FILE;
        end(b, may_be_told && tell_function(b, b->item.start, top->at, b->at + 1),
            b->at + 1);
    }
}
