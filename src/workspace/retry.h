#pragma once
/* Dead letters, tried again. Part of workspace.h, which includes it. */
#include "base/base.h"

struct workspace;

/* n_left: of those that were tried, how many are still there; why: of a failure, or NULL. */
typedef void (*workspace_retry_fn)(void *ctx, size_t n_tried, size_t n_left,
                                   const char *why);
/* These, or all (n_ids 0); ids that there are not are not tried. Files are indexed again from the disk, so
 * nothing old is written over what is newer; the rest goes through store_replay_letter(). -EAGAIN: the index
 * is not open. */
int workspace_retry(struct workspace *w, const int64_t *ids, size_t n_ids,
                    workspace_retry_fn fn, void *ctx);
