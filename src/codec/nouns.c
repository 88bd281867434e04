/* The one JSON encoding of each noun, as docs/PROTOCOL.md has it. The order of members is part of
 * it: equal nouns are equal bytes. An indexing run passes here with every entity, so these are
 * straight appends and integers are not formatted by printf. */
#include <math.h>

#include "codec/codec.h"
#include "codec/put.h"

#define U64_DIGITS 20

void
put_u64(struct buf *b, uint64_t value)
{
    char digits[U64_DIGITS];
    size_t at = U64_DIGITS;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_add(b, digits + at, U64_DIGITS - at);
}

void
put_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_add_char(b, '-');
    put_u64(b, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void
put_position(struct buf *b, const struct position *at)
{
    put_lit(b, "{\"line\":");
    put_u64(b, at->line);
    put_lit(b, ",\"character\":");
    put_u64(b, at->col_utf16);
    put_lit(b, "}");
}

void
codec_add_range(struct buf *b, const struct span *span)
{
    put_lit(b, "{\"start\":");
    put_position(b, &span->start);
    put_lit(b, ",\"end\":");
    put_position(b, &span->end);
    put_lit(b, "}");
}

/* Of an entity's name for a kind or state: ours, so nothing to escape. */
static void
put_word(struct buf *b, const char *word)
{
    buf_add_char(b, '"');
    buf_add_cstr(b, word);
    buf_add_char(b, '"');
}

static void
put_key_or_null(struct buf *b, struct str key)
{
    if (key.n > 0)
        codec_add_string(b, key);
    else
        put_lit(b, "null");
}

void
codec_add_hover(struct buf *b, const struct hover *hover)
{
    put_lit(b, "{\"state\":");
    put_word(b, hover_state_name(hover->state));
    switch (hover->state) {
    case HOVER_KNOWN:
        put_lit(b, ",\"markdown\":");
        codec_add_string(b, hover->markdown);
        break;
    case HOVER_UNKNOWN:
        if (hover->reason != HOVER_REASON_NONE) {
            put_lit(b, ",\"reason\":");
            put_word(b, hover_reason_name(hover->reason));
        }
        break;
    case HOVER_EMPTY:
    case HOVER_STATE_COUNT: break;
    }
    if (hover->stale)
        put_lit(b, ",\"stale\":true");
    if (hover->server.n > 0) {
        put_lit(b, ",\"server\":");
        codec_add_string(b, hover->server);
    }
    put_lit(b, "}");
}

static void
put_score(struct buf *b, double score)
{
    /* JSON has no word for what is not finite. */
    buf_printf(b, ",\"score\":%.9g", isfinite(score) ? score : 0.0);
}

void
codec_add_entity(struct buf *b, const struct entity_row *row, unsigned with)
{
    const struct entity *e = &row->e;
    put_lit(b, "{\"key\":");
    codec_add_string(b, row->key);
    put_lit(b, ",\"lang\":");
    codec_add_string(b, row->lang);
    put_lit(b, ",\"kind\":");
    put_word(b, entity_kind_name(e->kind));
    put_lit(b, ",\"name\":");
    codec_add_string(b, e->name);
    put_lit(b, ",\"qualified_name\":");
    codec_add_string(b, e->qualified_name);
    put_lit(b, ",\"path\":");
    codec_add_string(b, row->path);
    put_lit(b, ",\"range\":");
    codec_add_range(b, &e->range);
    put_lit(b, ",\"name_range\":");
    codec_add_range(b, &e->name_range);
    put_lit(b, ",\"signature\":");
    codec_add_string(b, e->signature);
    put_lit(b, ",\"doc\":");
    codec_add_string(b, e->doc);
    if (with & CODEC_WITH_HOVER) {
        put_lit(b, ",\"hover\":");
        codec_add_hover(b, &row->hover);
    }
    put_lit(b, ",\"parent\":");
    put_key_or_null(b, row->parent_key);
    put_lit(b, ",\"rev\":");
    put_i64(b, row->rev);
    if (with & CODEC_WITH_SCORE)
        put_score(b, row->score);
    if (row->snippet.n > 0) {
        put_lit(b, ",\"snippet\":");
        codec_add_string(b, row->snippet);
    }
    put_lit(b, "}");
}

void
codec_add_edge(struct buf *b, const struct edge_row *edge)
{
    put_lit(b, "{\"kind\":");
    put_word(b, edge_kind_name(edge->kind));
    put_lit(b, ",\"from\":");
    put_key_or_null(b, edge->from_key);
    put_lit(b, ",\"path\":");
    codec_add_string(b, edge->path);
    put_lit(b, ",\"line\":");
    put_u64(b, edge->line);
    put_lit(b, ",\"character\":");
    put_u64(b, edge->at.col_utf16);
    put_lit(b, ",\"target\":");
    codec_add_string(b, edge->target);
    if (edge->confidence != EDGE_CONFIDENCE_NONE) {
        put_lit(b, ",\"to\":");
        put_key_or_null(b, edge->to_key);
        put_lit(b, ",\"confidence\":");
        put_word(b, edge_confidence_name(edge->confidence));
    }
    put_lit(b, "}");
}
