/* Names in pieces among their arguments: -add:(id)x to:(id)y and [a add:x to:y] are both add:to:.
 * A piece ends with a colon; only the first may be without arguments, and only others without words. */
#include "extract/found.h"
#include "extract/text.h"

/* Whether the node at the cursor opens an argument: the colon alone, or what begins with it. */
static bool
begins_with_colon(const struct finds *f, TSNode node)
{
    uint32_t at = ts_node_start_byte(node);
    return at < f->parsed.n && f->parsed.p[at] == ':';
}

TSNode
first_child_like(TSNode node, TSSymbol symbol)
{
    TSTreeCursor cursor = ts_tree_cursor_new(node);
    TSNode found = {0};
    for (bool more = ts_tree_cursor_goto_first_child(&cursor);
         more && ts_node_is_null(found); more = ts_tree_cursor_goto_next_sibling(&cursor))
        if (ts_node_symbol(ts_tree_cursor_current_node(&cursor)) == symbol)
            found = ts_tree_cursor_current_node(&cursor);
    ts_tree_cursor_delete(&cursor);
    return found;
}

struct stretch
first_child_opening(const struct finds *f, TSNode node, uint32_t from, struct str bytes)
{
    TSTreeCursor cursor = ts_tree_cursor_new(node);
    struct stretch found = {0, 0};
    for (bool more = ts_tree_cursor_goto_first_child(&cursor);
         more && stretch_is_empty(found);
         more = ts_tree_cursor_goto_next_sibling(&cursor)) {
        struct stretch child = node_stretch(ts_tree_cursor_current_node(&cursor), f);
        if (child.start >= from && !stretch_is_empty(child) &&
            str_find_char(bytes, f->text.p[child.start]) >= 0)
            found = child;
    }
    ts_tree_cursor_delete(&cursor);
    return found;
}

struct pieces
collect_pieces(struct finds *f, TSNode node, TSNode first)
{
    struct pieces pieces = {.first = (uint32_t)f->pieces.n};
    TSTreeCursor cursor = ts_tree_cursor_new(node);
    TSNode word = {0};
    TSFieldId field = 0;
    bool is_begun = false;
    for (bool more = ts_tree_cursor_goto_first_child(&cursor); more;
         more = ts_tree_cursor_goto_next_sibling(&cursor)) {
        TSNode child = ts_tree_cursor_current_node(&cursor);
        if (!is_begun && ts_node_eq(child, first)) {
            field = ts_tree_cursor_current_field_id(&cursor);
            is_begun = true;
            word = child;
        } else if (begins_with_colon(f, child) && pieces.n < PIECES_MAX && is_begun) {
            *vec_push(&f->pieces) = node_stretch(word, f);
            pieces.n++;
            word = (TSNode){0};
        } else if (is_begun) {
            bool is_word = ts_node_symbol(child) == ts_node_symbol(first) &&
                           ts_tree_cursor_current_field_id(&cursor) == field;
            word = is_word ? child : (TSNode){0};
        }
    }
    ts_tree_cursor_delete(&cursor);
    return pieces;
}

void
text_add_pieces(struct buf *b, const struct finds *f, struct pieces pieces)
{
    size_t start = b->n;
    for (uint32_t i = 0; i < pieces.n; i++) {
        struct stretch piece = f->pieces.v[pieces.first + i];
        size_t left = ENTITY_NAME_BYTES_MAX - (b->n - start);
        if (piece.end - piece.start >= left)
            break;
        text_add_limited(b, stretch_text(piece, f->text), left - 1);
        buf_add_char(b, ':');
    }
}
