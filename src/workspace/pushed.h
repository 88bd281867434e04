#pragma once
/* Workspaces of a scanner's own: no folder, nothing read, watched or asked; they have what is sent to them.
 * Part of workspace.h, which includes it. Loop thread. */
#include "base/base.h"
#include "base/str.h"
#include "model/ingest.h"

#define WORKSPACE_NAME_BYTES_MAX 64
#define WORKSPACE_PUSHED "pushed:" // NAME: in place of a root's path
/* What was sent and is not committed yet, of all workspaces together. */
#define WORKSPACE_INGEST_OPS_MAX 8192
#define WORKSPACE_INGEST_BYTES_MAX ((size_t)32 << 20)
#define WORKSPACE_INGEST_JOBS_MAX 1024
#define WORKSPACE_INGEST_PAUSE 75 // per cent, at which senders are no longer read

#define WORKSPACE_PUSHED_MAX 48 // open: the other places are for folders

struct buf;
struct workspaces;
struct workspace;

/* A name has 1 to 64 of A-Z a-z 0-9 . _ - and a letter or digit first: else -EINVAL. -ENOENT: there is none, and none may
 * be made; -EMFILE, -ESHUTDOWN. One that an engine before this one had is there again. */
int workspaces_acquire_pushed(struct workspaces *all, struct str name, bool may_create,
                              struct workspace **ret_workspace);
/* Array of {"id","name","root"}, by name: those of the state folder that are not open. */
void workspaces_add_closed(struct buf *json, const struct workspaces *all);
/* NULL: of a workspace that has a folder. */
const char *workspace_pushed_name(const struct workspace *w);

/* Of all that was sent since the start, by what became of it, and what waits now. */
struct ingest_totals {
    uint64_t stored, again, refused; // lines: done, known by their key, with a fault
    uint64_t lost;                   // in batches that were not committed
    uint64_t batches;                // that were
    size_t waiting_lines, waiting_bytes;
};
struct ingest_totals workspaces_ingest_totals(const struct workspaces *all);
/* Per cent. At 100 nothing more is taken. */
unsigned workspaces_ingest_fill(const struct workspaces *all);
/* r 0: committed, the items say what became of each; else nothing of it is stored. The batch is fn's. */
typedef void (*workspace_ingest_fn)(void *ctx, int r, struct ingest_batch *batch);
/* Takes the batch, if it is 0; batches of one urgency are committed in the order they were put. -EPERM: it has a folder; -EAGAIN: too
 * much waits; -EROFS: another engine writes the index; -EIO: it cannot be opened; -EBUSY: it is
 * deleted; -ESHUTDOWN. */
int workspace_put_entities(struct workspace *w, struct ingest_batch *batch,
                           bool is_urgent, workspace_ingest_fn fn, void *ctx);
/* Its index is removed and nobody finds it any more; for whoever still has it it is closing until the registry closes.
 * library.deleted is told first, done at the end. -EPERM: it has a folder; -EBUSY: it is being opened or closed, or another
 * engine writes it; -ENOTSUP: its index is no file. */
int workspace_delete_pushed(struct workspace *w, void (*done)(void *ctx), void *ctx);
