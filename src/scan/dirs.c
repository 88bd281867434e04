/* The folders that are not ignored, as a tree, by path and by (device, inode). It
 * exists because rules, watches and the order of reading belong to folders; files are
 * not remembered, but for those in folders that could not be watched.
 * Invariant: a folder is in by_path and its parent's children from dir_add to dir_drop;
 * in by_id from its first reading; in scan.queue exactly while DIR_QUEUED; its job
 * points back at it. */
#include "base/mem.h"
#include "base/path.h"
#include "scan/internal.h"

struct str
dir_path(const struct dir *d)
{
    return str_slice(d->path, d->path_n);
}

struct str
path_below_dir(struct str dir, struct str name, struct buf *space)
{
    buf_reset(space);
    if (dir.n > 0) {
        buf_add_str(space, dir);
        buf_add_char(space, '/');
    }
    buf_add_str(space, name);
    return buf_str(space);
}

struct dir *
dir_find(const struct scan *s, struct str path)
{
    return map_get(s->by_path, path);
}

struct dir *
dir_find_above(const struct scan *s, struct str path)
{
    while (path.n > 0) {
        const char *slash = memrchr(path.p, '/', path.n);
        path.n = slash ? (size_t)(slash - path.p) : 0;
        struct dir *d = dir_find(s, path);
        if (d)
            return d;
    }
    return s->dirs;
}

struct dir *
dir_add(struct scan *s, struct dir *parent, struct str path)
{
    struct dir *d = xnew(struct dir);
    d->parent = parent;
    d->path = str_dup(path);
    d->path_n = path.n;
    list_init(&d->sibling);
    list_init(&d->children);
    list_init(&d->queued);
    list_init(&d->unwatched);
    list_init(&d->waiting);
    if (parent)
        list_add(&parent->children, &d->sibling);
    map_put(s->by_path, dir_path(d), d);
    return d;
}

struct id {
    uint64_t device, inode;
};

static struct str
id_key(const struct id *id)
{
    return str_slice((const char *)id, sizeof(*id));
}

struct dir *
dir_find_id(const struct scan *s, uint64_t device, uint64_t inode)
{
    struct id id = {device, inode};
    return map_get(s->by_id, id_key(&id));
}

void
dir_set_id(struct scan *s, struct dir *d, uint64_t device, uint64_t inode)
{
    if (d->inode && dir_find_id(s, d->device, d->inode) == d) {
        struct id old = {d->device, d->inode};
        map_remove(s->by_id, id_key(&old));
    }
    d->device = device;
    d->inode = inode;
    if (inode) {
        struct id id = {device, inode};
        map_put(s->by_id, id_key(&id), d);
    }
}

void
dir_forget_files(struct scan *s, struct dir *d)
{
    size_t iter = 0;
    struct str name;
    void *known;
    if (!d->known)
        return;
    list_remove(&d->unwatched);
    s->n_unwatched--;
    while (map_next(d->known, &iter, &name, &known))
        free(known);
    map_destroy(d->known);
    d->known = NULL;
}

static char *
absolute_path(const struct scan *s, const struct dir *d)
{
    return d->path_n ? path_join(s->root, d->path) : xstrdup(s->root);
}

static void
count_watched(struct scan *s, int change)
{
    s->n_watched += (size_t)change;
    if (s->budget)
        s->budget->n_used += (size_t)change;
}

void
dir_unwatch(struct scan *s, struct dir *d)
{
    if (d->is_watched) {
        AUTO(free) char *path = absolute_path(s, d);
        if (s->watch)
            watch_remove(s->watch, path);
        d->is_watched = false;
        count_watched(s, -1);
    }
    dir_forget_files(s, d);
}

static void
count_unwatched(struct scan *s, struct dir *d)
{
    if (d->known)
        return;
    list_add(&s->unwatched, &d->unwatched);
    s->n_unwatched++;
    d->known = map_create();
    if (!timer_is_armed(s->poll_timer))
        timer_start(s->poll_timer, SCAN_POLL_MS, SCAN_POLL_MS);
}

void
dir_watch(struct scan *s, struct dir *d)
{
    if (!s->is_watching_wanted)
        return;
    AUTO(free) char *path = absolute_path(s, d);
    int r = -ENOSPC;
    bool is_within_limit =
        d->is_watched || !s->budget || s->budget->n_used < s->budget->n_max;
    if (s->watch && (d->is_watched || (is_within_limit && !s->is_budget_spent)))
        r = watch_add(s->watch, path);
    if (r == 0) {
        /* What is known of its files stays for this reading: the watch came before it. */
        if (!d->is_watched)
            count_watched(s, 1);
        d->is_watched = true;
        d->is_watch_lost = false;
        return;
    }
    if (d->is_watched)
        dir_unwatch(s, d);
    if (r == -ENOSPC) {
        s->is_budget_spent = true;
        count_unwatched(s, d);
    }
    /* Anything else, the reading that follows meets too and tells. */
}

void
dir_drop(struct scan *s, struct dir *d)
{
    while (!list_is_empty(&d->children))
        dir_drop(s, list_first(&d->children, struct dir, sibling));
    if (d->job)
        walk_forget_job(d->job);
    dir_unwatch(s, d);
    dir_set_id(s, d, 0, 0);
    map_remove(s->by_path, dir_path(d));
    list_remove(&d->sibling);
    list_remove(&d->queued);
    change_wake(s, &d->waiting);
    if (s->dirs == d)
        s->dirs = NULL;
    ignore_unref(d->ignore);
    free(d->path);
    free(d);
}

void
dir_drop_and_tell(struct scan *s, struct dir *d)
{
    if (!d || !d->parent)
        return;
    AUTO(free) char *path = xstrdup(d->path);
    dir_drop(s, d);
    s->events->on_removed(s->ctx, str_of(path));
}

void
dir_queue(struct scan *s, struct dir *d, enum dir_reading reading)
{
    switch (d->state) {
    case DIR_IDLE:
        d->state = DIR_QUEUED;
        d->reading = reading;
        /* The newest first: depth first, so that few folders wait. */
        list_add_first(&s->queue, &d->queued);
        break;
    case DIR_QUEUED: d->reading = MAX(d->reading, reading); break;
    case DIR_READING: d->again = MAX(d->again, reading); break;
    }
}

const struct ignore *
dir_rules(const struct scan *s, const struct dir *d)
{
    while (d && !d->ignore)
        d = d->parent;
    return d ? d->ignore : s->base;
}

bool
dir_is_settled(const struct dir *d)
{
    return d->state == DIR_IDLE && (d->ignore || d->has_failed);
}

bool
dir_ignores(const struct ignore *fixed, const struct ignore *ignore, struct str path,
            bool is_dir)
{
    if (is_vcs_folder(path_basename(path)))
        return true;
    enum verdict v = ignore_verdict(fixed, path, is_dir);
    if (v == VERDICT_NONE)
        v = ignore_verdict(ignore, path, is_dir);
    return v == VERDICT_IGNORED;
}
