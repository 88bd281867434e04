#pragma once
/* Things of which a process can have only one each, because a library says so, by name and from any
 * thread: whoever comes first opens it, whoever goes last closes it. Not handed on to a forked child:
 * there it is not found, and is opened anew. */
#include "base/base.h"

struct shared;

/* Called with all others waiting: *ret_thing is what the name stands for. */
typedef int (*shared_open_fn)(void *ctx, const char *name, void **ret_thing);

/* One more reference, opening it if nobody has it. Errors are open's, and nothing is kept then. */
int shared_take(const char *name, shared_open_fn open, void (*close)(void *thing),
                void *ctx, struct shared **ret_shared);
/* One more reference to what somebody has; -ENOENT. */
int shared_find(const char *name, struct shared **ret_shared);
void *shared_thing(const struct shared *s);
/* It is found no more; who has it keeps it. The next shared_take() opens another one. */
void shared_retire(struct shared *s);
/* NULL is allowed. The last one closes the thing before anybody can open it anew. */
void shared_drop(struct shared *s);
