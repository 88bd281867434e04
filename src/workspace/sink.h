#pragma once
/* Where batches go when nothing is stored. Part of workspace.h, which includes it. Loop thread. */
#include "model/batch.h"
#include "writer/writer.h"

/* Instead of an index: what is found in the files is handed on, and nothing is stored, asked or found
 * again. done once, not before the call returned; an error is that of a disk. */
struct workspace_sink {
    void (*put_file)(void *ctx, struct batch *batch, writer_done_fn done, void *done_ctx);
    /* fn with each path that was handed on before, by whomever: what of them the first walk does not find is deleted.
     * NULL: none was. */
    void (*each_known)(void *ctx, void (*fn)(void *to, struct str path), void *to);
    void (*delete_file)(void *ctx, struct str path, writer_done_fn done, void *done_ctx);
    void *ctx;
};
