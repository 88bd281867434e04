#pragma once
/* Tells when the other end of somebody else's socket hung up, though nobody else reads from it. Loop thread. */
#include "base/base.h"
#include "rt/loop.h"

#define HANGUP_BYTES_MAX 65536

struct hangup;

/* fn once, from the loop; hangup_close() is still the owner's. What the peer still says is read and thrown away;
 * who says more than HANGUP_BYTES_MAX is taken for gone. A copy of the descriptor is watched: its owner may close
 * it at any time, but the connection ends only when the copy is closed too. -EMFILE and other -errno: nothing is
 * open. */
int hangup_open(struct loop *l, int fd, void (*fn)(void *ctx), void *ctx,
                struct hangup **ret_hangup);
/* The copy is closed when this returns. No callback; frees itself. NULL is allowed. */
void hangup_close(struct hangup *h);
