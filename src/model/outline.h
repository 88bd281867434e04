#pragma once
/* A source without what holds no definition: the insides of bodies and initializers, comments. A
 * parser reads the shorter text; whatever it finds is at a place of the source again by the gaps.
 * What the parser cannot see was looked for by whoever left it out. Plain data, any thread. */
#include "base/str.h"
#include "model/entity.h"
#include "model/span.h"

struct outline_gap {
    uint32_t at;         // in the outline: what follows was behind the gap
    uint32_t left_bytes; // left out up to here, this gap's included
};

/* A definition that was left out and told instead, for it needs no parser. */
struct outline_item {
    struct stretch range, name, body; // body empty: none
    enum entity_kind kind;
    bool is_flat; // stands alone, whatever is around it
};

struct outline {
    struct str text;
    const struct outline_gap *gaps; // in rising order
    size_t n_gaps;
    struct str shown; // the source, blanks where branches of #if are hidden
    /* Places of the source, in rising order, within what was left out: */
    const struct stretch *comments;
    size_t n_comments;
    const struct stretch *calls; // names called
    size_t n_calls;
    const struct outline_item
        *items; // each by its begin, inner ones before those around them
    size_t n_items;
    const struct stretch *imports; // with their quotes
    size_t n_imports;
    const struct stretch *cuts; // words of heads, which belong to what begins behind them
    size_t n_cuts;
};

/* The place in the source of the outline's byte. */
uint32_t outline_to_source(const struct outline *o, uint32_t at);
/* The same for a stretch: it ends behind its last byte, not behind a gap that follows. */
struct stretch outline_stretch_to_source(const struct outline *o, struct stretch s);
