/* Why: RocksDB opens a database once per process and SQLite is set up once, yet writers and readers live on threads of
 * their own.
 * Invariant: all fields but the thing belong to the lock; the thing itself is whole before its name can
 * be found, and is closed while the lock is held. The list is the one global that a library forces. */
#include "rt/shared.h"

#include <pthread.h>
#include <unistd.h>

#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"

struct shared {
    struct list link;
    char *name;
    void *thing;
    void (*close)(void *thing);
    pid_t pid; // whose threads work for it
    size_t refs;
    bool is_retired;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list all = {&all, &all};

static struct shared *
find_locked(const char *name)
{
    list_for_each (it, &all) {
        struct shared *s = list_entry(it, struct shared, link);
        if (!s->is_retired && s->pid == getpid() && strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

static int
open_locked(const char *name, shared_open_fn open, void (*close)(void *thing), void *ctx,
            struct shared **ret_shared)
{
    void *thing = NULL;
    int r = open(ctx, name, &thing);
    if (r < 0)
        return r;
    struct shared *s = xnew(struct shared);
    s->name = xstrdup(name);
    s->thing = thing;
    s->close = close;
    s->pid = getpid();
    list_add(&all, &s->link);
    *ret_shared = s;
    return 0;
}

int
shared_take(const char *name, shared_open_fn open, void (*close)(void *thing), void *ctx,
            struct shared **ret_shared)
{
    int r = 0;
    pthread_mutex_lock(&lock);
    struct shared *s = find_locked(name);
    if (!s)
        r = open_locked(name, open, close, ctx, &s);
    if (r == 0) {
        s->refs++;
        *ret_shared = s;
    }
    pthread_mutex_unlock(&lock);
    return err_trace(r);
}

int
shared_find(const char *name, struct shared **ret_shared)
{
    pthread_mutex_lock(&lock);
    struct shared *s = find_locked(name);
    if (s) {
        s->refs++;
        *ret_shared = s;
    }
    pthread_mutex_unlock(&lock);
    return s ? 0 : -ENOENT;
}

void *
shared_thing(const struct shared *s)
{
    return s->thing;
}

void
shared_retire(struct shared *s)
{
    pthread_mutex_lock(&lock);
    s->is_retired = true;
    pthread_mutex_unlock(&lock);
}

/* A child that forked has no threads for it: what it inherited is left as it is. */
void
shared_drop(struct shared *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&lock);
    bool is_last = --s->refs == 0;
    if (is_last) {
        list_remove(&s->link);
        if (s->pid == getpid())
            s->close(s->thing);
    }
    pthread_mutex_unlock(&lock);
    if (!is_last)
        return;
    free(s->name);
    free(s);
}
