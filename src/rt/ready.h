#pragma once
/* Tells when a descriptor that is somebody else's can be read, or is closed at the other end. Loop. */
#include "base/base.h"
#include "rt/loop.h"

struct ready;

/* fn once, from the loop. The descriptor must stay open until ready_close(). */
int ready_open(struct loop *l, int fd, void (*fn)(void *ctx), void *ctx,
               struct ready **ret_ready);
/* Nothing is known of the descriptor after it. No callback; frees itself. NULL is allowed. */
void ready_close(struct ready *r);
