/* The life of a batch: all it holds is in its arena, so that its end is one free. */
#include "model/batch.h"

#include "base/mem.h"

struct batch *
batch_create(struct str path)
{
    struct batch *b = xnew(struct batch);
    b->file.path = arena_str(&b->arena, path);
    b->file.state = FILE_INDEXED;
    b->file.reason = FILE_REASON_NONE;
    return b;
}

void
batch_destroy(struct batch *b)
{
    if (!b)
        return;
    arena_finish(&b->arena);
    free(b);
}
