#pragma once
/* What the files of this folder share. Nobody else includes it.
 * scan (bytes → tokens, by tokens.c) → brackets (which group is opaque) and conditions (#if) →
 * bodies (the shorter text). */
#include "base/base.h"
#include "base/vec.h"
#include "bodies/bodies.h"
#include "bodies/bytes.h"
#include "bodies/head.h"
#include "bodies/syntax.h"
#include "model/edge.h"

/* What may have to be taken back: nothing was told after it that is not said here. */
struct item_mark {
    size_t n_items, n_imports, n_gaps;
    uint32_t last_gap_end;
};

/* One open #if. */
struct condition {
    uint32_t start;
    uint32_t shown_start, shown_end; // of the branch a parser may be shown alone
    uint32_t branch_start, last_start;
    uint32_t n_branches;
    uint32_t outer_branch;
    uint32_t n_ends, n_blocks,
        n_defines;           // there were at its begin; at that of the branch
    size_t n_open, min_open; // brackets at #if, and the fewest since
    uint32_t depth;          // braces at #if
    int64_t end_depth;       // braces at the end of the first branch; -1: not known
    bool was_virtual;
    bool is_in_statement; // that began before it
    bool is_at_begin;     // of a statement
    bool is_split;        // a branch opens or closes what others do, too: the one shown
    bool is_unfinished;   // the statement at the end of the first branch
    bool is_block;        // another branch has all of a definition
};

struct bodies {
    const struct bodies_syntax *syntax; // the tables below are made for it
    uint8_t classes[256];               // enum byte_class
    uint8_t word_slots[256];            // index into words + 1, by word_hash
    uint8_t word_bytes[256];            // their lengths, by slot
    struct str text;
    uint32_t at;
    struct head head;
    VEC(struct bracket) open;
    VEC(struct condition) conditions;
    VEC(struct stretch) gaps; // disjoint, in source order
    VEC(struct stretch) comments;
    VEC(struct stretch) calls;
    VEC(struct stretch) cuts;   // macros left out of heads
    VEC(struct stretch) kept;   // directives in bodies: all that is seen of these
    VEC(struct stretch) hidden; // of #if whose branches are no whole statements
    VEC(struct outline_gap) places;
    VEC(struct outline_item) items;
    VEC(struct stretch) imports;
    struct item item;                     // of the innermost brace
    struct item_mark mark;                // behind the last statement that was not told
    bool needs_stop;                      // none was kept since then
    struct buf outline, shown;            // the text without what is hidden
    uint32_t n_ends, n_blocks, n_defines; // of statements; braces and #define in them
    uint32_t n_braces, n_opaque, n_mute, n_macros; // open ones
    uint32_t branch, last_branch;                  // of #if: no two share a number
    uint32_t virtual_braces; // in a branch whose brackets are only counted
    bool is_virtual;
    bool keeps_bodies; // only macros in heads are left out
    bool is_lost;      // not balanced
};

#define GAP_BYTES_MIN 3

/* scan.c */
enum word bodies_word(const struct bodies *b, struct str text);
void bodies_set_syntax(struct bodies *b, const struct bodies_syntax *syntax);
void bodies_run(struct bodies *b);
/* tokens.c: where what begins at `at` ends; 0: nowhere. */
uint32_t token_line_comment_end(const struct bodies *b, uint32_t at);
uint32_t token_block_comment_end(const struct bodies *b, uint32_t at);
uint32_t token_string_end(const struct bodies *b, uint32_t at);
uint32_t token_tick_end(const struct bodies *b, uint32_t at);
uint32_t token_backtick_end(const struct bodies *b, uint32_t at);
uint32_t token_number_end(const struct bodies *b, uint32_t at);
/* Of a string with a prefix that ends before `quote`: R" r#" @" $"; UINT32_MAX: it is none. */
uint32_t token_prefixed_end(const struct bodies *b, uint32_t prefix, uint32_t quote);
/* calls.c */
void call_add(struct bodies *b, uint32_t start, uint32_t end);
void call_before_bracket(struct bodies *b, char kind);
void call_by_reference(struct bodies *b, uint32_t start); // to b->at
void call_begin_pattern(struct bodies *b);
void call_begin_guard(struct bodies *b);
void call_end_pattern(struct bodies *b); // what looked like calls in it are none
void generic_open(struct bodies *b);
void generic_close(struct bodies *b);
/* macros.c: where the macro [start, end) ends that stands in a head; 0: it is none. */
uint32_t macro_end(const struct bodies *b, uint32_t start, uint32_t end);
/* brackets.c */
void bracket_open(struct bodies *b, char kind);
void bracket_close(struct bodies *b, char kind);
void bracket_trim(struct bodies *b, size_t n); // drops ( and [ that nothing closes
void bracket_taint(struct bodies *b);
bool bracket_has_kept(const struct bodies *b, const struct bracket *top);
/* conditions.c: b->at is behind the #. */
void condition_line(struct bodies *b);
/* What of #if a parser must not see, if there is such: b->text becomes a copy without, each byte at its place. */
bool condition_hide(struct bodies *b);

/* What belongs to no statement yet. */
static inline void
begin_statement(struct bodies *b)
{
    b->head = (struct head){
        .before = BEFORE_NONE,
        .pattern_calls = (uint32_t)b->calls.n,
        .guard_calls = UINT32_MAX,
    };
}
