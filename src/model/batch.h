#pragma once
/* Everything found in one file. Owns its arena; nothing points from one batch into another.
 * Made on a worker, given to the writer, destroyed there or where its completion runs. */
#include "base/arena.h"
#include "base/base.h"
#include "model/edge.h"
#include "model/entity.h"
#include "model/file.h"

struct batch {
    struct arena arena; // everything below lives here
    struct file file;
    struct entity *
        entities; // sorted by range.start_byte, then outer first: parents precede children
    size_t n_entities;
    /* Told with the entities, by the same index; NULL: nothing is. An unknown one leaves what is known, and says
     * why nothing is of an entity that is new. */
    const struct hover *hovers;
    struct edge *edges; // in source order
    size_t n_edges;
    struct str edges_text; // store_prepare() made it of them; empty: nobody did
};

/* A batch for `path`, state FILE_INDEXED, empty. */
struct batch *batch_create(struct str path) MUST_USE;
void batch_destroy(struct batch *b);
DEFINE_AUTO(batch_destroy, struct batch *)
