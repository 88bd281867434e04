/* From "something happened at this path" to on_file or on_removed. It exists because
 * events come in bursts, are late, and say little that still holds: each path that was
 * named is looked at again by a worker once it is quiet, and what is there then counts.
 * Invariant: a path has at most one change; it is in `due` or `at_once`, in the waiting list of the
 * folder that is being read, or with a job. A path is looked at only after its folder's
 * reading was delivered, so that a listing never overtakes what came after it. */
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "scan/internal.h"

struct check_job {
    struct scan_job base;
    const char *root;
    struct change *changes[SCAN_CHECK_BATCH];
    size_t n, next;
};

static void
change_destroy(struct scan *s, struct change *c)
{
    map_remove(s->changes, str_slice(c->path, c->path_n));
    list_remove(&c->link);
    free(c->path);
    free(c);
}

void
change_clear(struct scan *s)
{
    size_t iter = 0;
    struct str path;
    void *value;
    while (map_next(s->changes, &iter, &path, &value)) {
        struct change *c = value;
        if (!c->is_checking)
            change_destroy(s, c);
    }
}

/* ---- when ---- */

void
change_arm(struct scan *s)
{
    bool is_at_once = !list_is_empty(&s->at_once);
    if (s->is_cancelled || s->n_checking >= SCAN_CHECK_JOBS_MAX ||
        (!is_at_once && list_is_empty(&s->due)))
        return;
    int64_t now = clock_mono_ms();
    int64_t at = is_at_once ? now : list_first(&s->due, struct change, link)->due_ms;
    if (s->hold_until_ms && !is_at_once)
        at = MAX(at, s->hold_until_ms);
    timer_start(s->timer, at > now ? (uint64_t)(at - now) : 0, 0);
}

/* Keeps `due` sorted; most are the latest. */
static void
put_due(struct scan *s, struct change *c)
{
    struct list *at = &s->due;
    while (at->prev != &s->due &&
           list_entry(at->prev, struct change, link)->due_ms > c->due_ms)
        at = at->prev;
    list_add(at, &c->link);
}

void
change_add(struct scan *s, struct str path, int64_t delay_ms, bool was_there)
{
    int64_t now = clock_mono_ms();
    struct change *c = map_get(s->changes, path);
    if (!c) {
        if (map_count(s->changes) >= SCAN_CHANGES_MAX) {
            change_clear(s);
            scan_rescan(s);
            return;
        }
        c = xnew(struct change);
        list_init(&c->link);
        c->path = str_dup(path);
        c->path_n = path.n;
        c->limit_ms = now + MAX(delay_ms, SCAN_DEBOUNCE_MAX_MS);
        map_put(s->changes, path, c);
    } else if (c->is_checking) {
        c->is_again = true;
        c->again_was_there |= was_there;
        return;
    }
    c->was_there |= was_there;
    if (now + delay_ms > c->limit_ms)
        return; // its turn comes
    c->due_ms = now + delay_ms;
    list_remove(&c->link);
    if (delay_ms == 0)
        list_add(&s->at_once, &c->link);
    else
        put_due(s, c);
    change_arm(s);
}

void
change_wake(struct scan *s, struct list *waiting)
{
    if (list_is_empty(waiting))
        return;
    /* They were due before anything that is due now. */
    list_splice(waiting, &s->due);
    list_splice(&s->due, waiting);
    change_arm(s);
}

void
change_hold(struct scan *s)
{
    s->hold_until_ms = clock_mono_ms() + SCAN_LOCK_MAX_MS;
    s->n_held = 0;
}

/* ---- looking, on a worker ---- */

static void
check_work(struct pool_job *job, UNUSED unsigned worker)
{
    struct check_job *j = container_of(job, struct check_job, base.job);
    for (size_t i = 0; i < j->n; i++) {
        struct change *c = j->changes[i];
        AUTO(free)
        char *path = c->path_n ? path_join(j->root, c->path) : xstrdup(j->root);
        if (c->path_n) {
            c->r = fs_lstat_file(path, &c->stat);
            continue;
        }
        /* Named by the user, link or not; and it counts as there when it can be read. */
        c->r = fs_stat_file(path, &c->stat);
        if (c->r == 0 && access(path, R_OK | X_OK) < 0)
            c->r = -errno;
    }
}

/* ---- what follows from it ---- */

static void
check_destroy(struct scan_job *job)
{
    struct check_job *j = container_of(job, struct check_job, base);
    for (; j->next < j->n; j->next++)
        change_destroy(job->scan, j->changes[j->next]);
    free(j);
}

static void
tell_removed(struct scan *s, struct str path)
{
    if (path.n > 0)
        s->events->on_removed(s->ctx, path);
}

/* Its folder is not known. Either that is ignored, or it is about to be found. */
static void
settle_unknown(struct scan *s, struct dir *above, struct str path)
{
    size_t n = above->path_n ? above->path_n + 1 : 0;
    const char *slash = memchr(path.p + n, '/', path.n - n);
    struct str next = str_slice(path.p, slash ? (size_t)(slash - path.p) : path.n);
    if (dir_ignores(s->fixed, dir_rules(s, above), next, true))
        tell_removed(s, path);
    else
        change_add(s, next, 0, false);
}

void
change_root_lost(struct scan *s, int r)
{
    s->is_root_lost = true;
    s->events->on_problem(s->ctx, STR_NONE, r);
    if (s->is_watching_wanted)
        change_add(s, STR_NONE, SCAN_ROOT_MS, false);
}

/* Files of the root itself are not remembered, so another folder in its place is walked. */
static void
settle_root(struct scan *s, const struct change *c)
{
    const struct dir *d = s->dirs;
    int r = c->r == 0 && !S_ISDIR(c->stat.mode) ? -ENOTDIR : c->r;
    bool is_other =
        d->inode && (d->inode != c->stat.inode || d->device != c->stat.device);
    if (r < 0 && s->is_root_lost)
        change_add(s, STR_NONE, SCAN_ROOT_MS, false);
    else if (r < 0)
        change_root_lost(s, r);
    else if (s->is_root_lost || d->is_watch_lost || is_other)
        scan_rescan(s);
}

static void
settle_folder(struct scan *s, struct dir *parent, struct str path, const struct change *c)
{
    struct dir *d = dir_find(s, path);
    bool is_read = d && d->inode != 0;
    bool is_other = is_read && (d->inode != c->stat.inode || d->device != c->stat.device);
    /* The folder may be one whose creation was seen before the end of a file of its name was
     * told: whatever was there is taken back, and what is there now is looked at anew. */
    if (d && (d->is_watch_lost || is_other || c->was_there)) {
        dir_drop_and_tell(s, d);
        d = NULL;
    } else if (d && (d->is_watch_lost || is_other || d->has_failed ||
                     (!is_read && d->state == DIR_READING))) {
        dir_queue(s, d, READ_ALL);
    } else if (!d && c->was_there) {
        tell_removed(s, path); // a file, perhaps
    }
    if (d)
        return;
    if (dir_ignores(s->fixed, dir_rules(s, parent), path, true)) {
        tell_removed(s, path);
        return;
    }
    d = dir_add(s, parent, path);
    d->named_serial = parent->serial;
    dir_queue(s, d, READ_ALL);
}

static void
settle_file(struct scan *s, struct dir *parent, struct str path,
            const struct fs_stat *stat)
{
    dir_drop_and_tell(s, dir_find(s, path));
    if (dir_ignores(s->fixed, dir_rules(s, parent), path, false)) {
        tell_removed(s, path);
        return;
    }
    if (parent->known) {
        struct str name = path_basename(path);
        struct known *k = map_get(parent->known, name);
        if (!k) {
            k = xnew(struct known);
            map_put(parent->known, name, k);
        }
        *k = (struct known){*stat, parent->serial};
    }
    s->events->on_file(s->ctx, path, stat);
}

static void
forget_file(struct dir *parent, struct str path)
{
    if (parent->known)
        free(map_remove(parent->known, path_basename(path)));
}

/* Rules may stand in that file. */
static void
settle_rules(struct scan *s, struct dir *parent, struct str path, bool is_there)
{
    struct str name = path_basename(path);
    if (is_ignore_file(name) ||
        (str_eq(name, STR("Cargo.toml")) && is_there != parent->has_cargo))
        dir_queue(s, parent, READ_DIFF);
}

static void
settle(struct scan *s, const struct change *c)
{
    struct str path = str_slice(c->path, c->path_n);
    struct dir *above = dir_find_above(s, path);
    struct str parent_path = path_dirname(path);
    bool is_parent_known =
        str_eq(dir_path(above), str_eq(parent_path, STR(".")) ? STR_NONE : parent_path);
    bool is_there = c->r == 0 && (S_ISREG(c->stat.mode) || S_ISDIR(c->stat.mode));
    if (path.n == 0) {
        settle_root(s, c);
        return;
    }
    if (!dir_is_settled(above)) { // it is being read again: that comes first
        change_add(s, path, 0, c->was_there);
        return;
    }
    if (c->r < 0 && c->r != -ENOENT && c->r != -ENOTDIR) {
        s->events->on_problem(s->ctx, path, c->r);
        return;
    }
    if (is_parent_known)
        settle_rules(s, above, path, is_there);
    if (!is_there) {
        struct dir *d = dir_find(s, path);
        if (is_parent_known)
            forget_file(above, path);
        if (d)
            dir_drop_and_tell(s, d);
        else
            tell_removed(s, path);
    } else if (!is_parent_known) {
        settle_unknown(s, above, path);
    } else if (S_ISDIR(c->stat.mode)) {
        settle_folder(s, above, path, c);
    } else {
        settle_file(s, above, path, &c->stat);
    }
}

static struct lately *
lately_at(struct scan *s, struct str path, uint64_t *ret_hash)
{
    *ret_hash = hash64(path);
    return &s->lately[*ret_hash % SCAN_LATELY_SLOTS];
}

static void
note_lately(struct scan *s, struct str path)
{
    uint64_t hash;
    struct lately *l = lately_at(s, path, &hash);
    *l = (struct lately){hash, clock_mono_ms(),
                         l->hash == hash ? l->at_ms : INT64_MIN / 2};
}

static bool
check_deliver(struct scan_job *job)
{
    struct check_job *j = container_of(job, struct check_job, base);
    struct scan *s = job->scan;
    while (j->next < j->n) {
        if (s->is_paused || s->is_cancelled)
            return false;
        struct change *c = j->changes[j->next++];
        /* Out of the table first: what settling adds is a change of its own. */
        map_remove(s->changes, str_slice(c->path, c->path_n));
        note_lately(s, str_slice(c->path, c->path_n));
        settle(s, c);
        if (c->is_again)
            change_add(s, str_slice(c->path, c->path_n), SCAN_DEBOUNCE_MS,
                       c->again_was_there);
        free(c->path);
        free(c);
    }
    s->n_checking--;
    check_destroy(job);
    change_arm(s);
    return true;
}

static struct change *
next_due(struct scan *s, int64_t now)
{
    if (!list_is_empty(&s->at_once))
        return list_first(&s->at_once, struct change, link);
    if (list_is_empty(&s->due) || s->hold_until_ms)
        return NULL;
    struct change *c = list_first(&s->due, struct change, link);
    return c->due_ms <= now ? c : NULL;
}

void
on_change_timer(void *scan)
{
    struct scan *s = scan;
    int64_t now = clock_mono_ms();
    if (s->is_cancelled || !s->is_started)
        return;
    if (now >= s->hold_until_ms)
        s->hold_until_ms = 0;
    struct check_job *j = NULL;
    struct change *c;
    while (s->n_checking < SCAN_CHECK_JOBS_MAX && (c = next_due(s, now))) {
        list_remove(&c->link);
        struct dir *above = dir_find_above(s, str_slice(c->path, c->path_n));
        if (!dir_is_settled(above) && c->path_n > 0) {
            list_add(&above->waiting, &c->link);
            continue;
        }
        if (!j) {
            j = xnew(struct check_job);
            j->base.deliver = check_deliver;
            j->base.destroy = check_destroy;
            j->root = s->root;
        }
        c->is_checking = true;
        j->changes[j->n++] = c;
        if (j->n == SCAN_CHECK_BATCH) {
            s->n_checking++;
            scan_submit(s, &steal(j)->base, POOL_INTERACTIVE, check_work);
        }
    }
    if (j) {
        s->n_checking++;
        scan_submit(s, &j->base, POOL_INTERACTIVE, check_work);
    }
    change_arm(s);
}

/* ---- what the watch says ---- */

/* Of the repository's own folder only the lock matters, besides what is a source of rules. */
static void
on_git_change(struct scan *s, enum watch_change change, const char *name)
{
    if (strcmp(name, "index.lock") != 0)
        return;
    if (change == WATCH_CREATED) {
        change_hold(s);
    } else if (change == WATCH_DELETED && s->hold_until_ms) {
        s->hold_until_ms = 0;
        change_arm(s);
    }
}

/* A file that is complete now, alone, and not written all the time: somebody saved it and waits for
 * what comes of it. */
static int64_t
delay_of(struct scan *s, enum watch_change change, struct str path)
{
    uint64_t hash;
    const struct lately *l = lately_at(s, path, &hash);
    bool is_complete = change == WATCH_WRITTEN || change == WATCH_MOVED_IN;
    bool is_lately = l->hash == hash && clock_mono_ms() - l->before_ms < SCAN_AGAIN_MS;
    /* What was moved is found at its new path before it is missed at the old one. */
    if (change == WATCH_DELETED)
        return SCAN_GONE_MS;
    if (s->hold_until_ms && ++s->n_held > SCAN_LOCK_SINGLE_MAX)
        return SCAN_DEBOUNCE_MS;
    return is_complete && !is_lately && map_count(s->changes) < SCAN_SINGLE_MAX
               ? 0
               : SCAN_DEBOUNCE_MS;
}

void
on_watch_change(void *scan, enum watch_change change, const char *dir, const char *name,
                bool is_dir)
{
    struct scan *s = scan;
    if (s->is_cancelled)
        return;
    if (change == WATCH_OVERFLOW) {
        scan_rescan(s);
        return;
    }
    if (sources_have(&s->sources, dir, name))
        scan_load_base(s, READ_DIFF);
    if (s->git_dir && strcmp(dir, s->git_dir) == 0) {
        if (name)
            on_git_change(s, change, name);
        return;
    }
    if (s->above && strcmp(dir, s->above) == 0) {
        if (!name || str_eq_c(path_basename(str_of(s->root)), name))
            change_add(s, STR_NONE, SCAN_DEBOUNCE_MS, false);
        return;
    }
    struct str below = path_below(str_slice(s->root, s->root_n), str_of(dir));
    struct dir *d = below.p ? dir_find(s, below) : NULL;
    if (!d)
        return; // dropped meanwhile
    if (change == WATCH_DIR_GONE || !name) {
        if (change == WATCH_DIR_GONE) {
            d->is_watch_lost = true;
            dir_unwatch(s, d);
        }
        change_add(s, below, SCAN_DEBOUNCE_MS, change == WATCH_DIR_GONE);
        return;
    }
    AUTO(buf_finish) struct buf space = {0};
    struct str file = str_of(name);
    struct str path = path_below_dir(below, file, &space);
    if (d == s->dirs && strcmp(name, ".git") == 0 && change != WATCH_ATTRIB)
        scan_load_base(s, READ_DIFF); // a repository from now on, or no longer
    if (s->root_n + 1 + path.n >= PATH_BYTES_MAX || is_vcs_folder(file))
        return;
    /* Builds write what is ignored. While the folder is read its rules may be new. */
    if (d->state == DIR_IDLE && !is_ignore_file(file) && !dir_find(s, path) &&
        dir_ignores(s->fixed, d->ignore, path, is_dir))
        return;
    change_add(s, path, delay_of(s, change, path), change == WATCH_DELETED);
}
