/* Reading folders: one pool job each, a few at a time, the rules of a folder parsed
 * where it is read. It exists so that the loop only passes on what workers found.
 * Invariant: a walk job belongs to one folder from submission until its last chunk is
 * delivered; n_walking counts them; a folder that was dropped meanwhile leaves a job
 * without a folder, whose result nobody hears of. A rescan names files again; after
 * rules changed only what they decide otherwise is named, so nothing has to be
 * remembered per file. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "scan/internal.h"

enum entry_kind { ENTRY_FILE, ENTRY_DIR, ENTRY_IGNORED };

struct entry {
    size_t name_at, name_n; // in walk_job.names
    enum entry_kind kind;
    struct fs_stat stat; // of ENTRY_FILE
};

/* A file of rules that could not be read. */
struct bad_rules {
    const char *name;
    int r;
};

struct walk_job {
    struct scan_job base;
    struct dir *dir; // NULL: dropped meanwhile
    /* in */
    char *path;  // absolute
    char *below; // relative to the root
    const struct ignore *fixed;
    struct ignore *old; // the rules of the reading before; or NULL
    enum dir_reading reading;
    char *rival; // absolute path of a folder that had the same identity; or NULL
    uint64_t rival_device, rival_inode;
    bool is_rival_root;
    /* kept between chunks */
    DIR *stream;
    struct ignore
        *ignore; // above, then with the folder's own; the worker's while it runs
    /* out */
    VEC(struct entry) entries;
    struct buf names;
    struct fs_stat stat; // of the folder; the inode is 0 until it was opened
    struct bad_rules bad_rules[IGNORE_FILE_COUNT];
    size_t n_bad_rules;
    size_t n_ignored; // of this chunk
    bool has_cargo;
    bool is_rival_there; // and is the same folder: a bind mount
    bool is_end;
    int r;
    /* delivery */
    bool is_opened; // the first chunk was looked at
    size_t next;
};

static void
walk_job_destroy(struct scan_job *job)
{
    struct walk_job *w = container_of(job, struct walk_job, base);
    if (w->dir)
        w->dir->job = NULL;
    if (w->stream)
        closedir(w->stream);
    ignore_unref(w->old);
    ignore_unref(w->ignore);
    vec_finish(&w->entries);
    buf_finish(&w->names);
    free(w->rival);
    free(w->path);
    free(w->below);
    free(w);
}

void
walk_forget_job(struct walk_job *w)
{
    w->dir->job = NULL;
    w->dir = NULL;
}

/* ---- on a worker ---- */

static void
take_stat(const struct stat *st, struct fs_stat *ret_stat)
{
    *ret_stat = (struct fs_stat){
        .size_bytes = (uint64_t)st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .inode = st->st_ino,
        .device = st->st_dev,
        .mode = st->st_mode,
    };
}

static bool
is_same_folder(const char *path, bool is_root, uint64_t device, uint64_t inode)
{
    struct stat st;
    return fstatat(AT_FDCWD, path, &st, is_root ? 0 : AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode) && st.st_dev == device && st.st_ino == inode;
}

static void
read_rules(struct walk_job *w, int fd)
{
    struct str below = str_of(w->below);
    struct stat st;
    w->has_cargo = fstatat(fd, "Cargo.toml", &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (w->has_cargo)
        w->ignore = ignore_parse(w->ignore, below, STR("/target/\n"));
    AUTO(buf_finish) struct buf text = {0};
    for (size_t i = 0; i < IGNORE_FILE_COUNT; i++) {
        int r = base_rules_read(fd, ignore_file_names[i], &text);
        if (r == 0)
            w->ignore = ignore_parse(w->ignore, below, buf_str(&text));
        else if (r != -ENOENT)
            w->bad_rules[w->n_bad_rules++] = (struct bad_rules){ignore_file_names[i], r};
    }
}

static int
open_folder(struct walk_job *w)
{
    bool is_root = w->below[0] == '\0'; // named by the user, link or not
    int fd =
        open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_root ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? -ENOENT : -errno;
    struct stat st;
    if (fstat(fd, &st) < 0 || !(w->stream = fdopendir(fd))) {
        int r = -errno;
        close(fd);
        return r;
    }
    take_stat(&st, &w->stat);
    if (w->reading != READ_POLL)
        read_rules(w, fd);
    return 0;
}

/* False when it is nothing that is ever reported. */
static bool
look_at(struct walk_job *w, const struct dirent *e, struct buf *space)
{
    struct str name = str_of(e->d_name);
    if (str_eq(name, STR(".")) || str_eq(name, STR("..")))
        return false;
    unsigned char type = e->d_type;
    struct stat st;
    bool has_stat = false;
    if (type == DT_UNKNOWN) {
        if (fstatat(dirfd(w->stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return false;
        has_stat = true;
        type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_LNK;
    }
    /* A link's target is visited by its own name, or lies outside. */
    if (type != DT_DIR && type != DT_REG)
        return false;
    bool is_dir = type == DT_DIR;
    struct str path = path_below_dir(str_of(w->below), name, space);
    bool is_ignored = dir_ignores(w->fixed, w->ignore, path, is_dir);
    w->n_ignored += is_ignored && !is_vcs_folder(name);
    bool is_compared = w->old && !is_dir && (is_ignored || w->reading == READ_DIFF);
    if (is_compared ? dir_ignores(w->fixed, w->old, path, false) == is_ignored
                    : is_ignored)
        return false;
    struct entry entry = {.name_at = w->names.n, .name_n = name.n};
    entry.kind = is_dir ? ENTRY_DIR : is_ignored ? ENTRY_IGNORED : ENTRY_FILE;
    if (entry.kind == ENTRY_FILE) {
        if (!has_stat &&
            fstatat(dirfd(w->stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return false; // gone already
        if (!S_ISREG(st.st_mode))
            return false;
        take_stat(&st, &entry.stat);
    }
    buf_add_str(&w->names, name);
    *vec_push(&w->entries) = entry;
    return true;
}

static void
walk_work(struct pool_job *job, UNUSED unsigned worker)
{
    struct walk_job *w = container_of(job, struct walk_job, base.job);
    w->entries.n = 0;
    w->next = w->n_ignored = 0;
    buf_reset(&w->names);
    if (w->rival && !w->stream) {
        w->is_rival_there =
            is_same_folder(w->rival, w->is_rival_root, w->rival_device, w->rival_inode);
        w->is_end = true;
        return;
    }
    if (!w->stream && (w->r = open_folder(w)) < 0) {
        w->is_end = true;
        return;
    }
    AUTO(buf_finish) struct buf space = {0};
    while (w->entries.n < SCAN_CHUNK_ENTRIES) {
        errno = 0;
        const struct dirent *e = readdir(w->stream);
        if (!e) {
            /* A folder that is removed while it is read ends early, without a fault of
             * its own. */
            w->r = errno == ENOENT ? 0 : -errno;
            w->is_end = true;
            closedir(w->stream);
            w->stream = NULL;
            return;
        }
        look_at(w, e, &space);
    }
}

/* ---- on the loop ---- */

static bool walk_deliver(struct scan_job *job);

static void
submit(struct scan *s, struct walk_job *w)
{
    scan_submit(s, &w->base, POOL_BULK, walk_work);
}

static void
start_reading(struct scan *s, struct dir *d)
{
    list_remove(&d->queued);
    d->state = DIR_READING;
    d->serial++;
    dir_watch(s, d);

    struct walk_job *w = xnew(struct walk_job);
    w->base.deliver = walk_deliver;
    w->base.destroy = walk_job_destroy;
    w->dir = d;
    d->job = w;
    w->below = xstrdup(d->path);
    w->path = d->path_n ? path_join(s->root, d->path) : xstrdup(s->root);
    w->fixed = s->fixed;
    if (d->reading == READ_DIFF && !d->ignore)
        d->reading = READ_ALL; // nothing to differ from
    w->reading = d->reading;
    if (w->reading == READ_POLL)
        w->ignore = ignore_ref(d->ignore);
    else
        w->ignore = ignore_ref(d->parent ? d->parent->ignore : s->base);
    /* In an unwatched folder what is known of the files tells what is new. */
    if (w->reading != READ_POLL && !d->known)
        w->old = ignore_ref(d->ignore);
    s->n_walking++;
    submit(s, w);
}

static void
tell_problem(struct scan *s, struct str path, int r)
{
    s->n_problems++;
    s->events->on_problem(s->ctx, path, r);
}

/* The folder is what it was, read or not; what waited for it can go on. */
static void
end_reading(struct scan *s, struct dir *d)
{
    d->state = DIR_IDLE;
    if (d->is_watched)
        dir_forget_files(s,
                         d); // watched since before this reading: they need no memory now
    enum dir_reading again = d->again;
    d->again = READ_NONE;
    if (again != READ_NONE)
        dir_queue(s, d, again);
    else
        change_wake(s, &d->waiting);
}

static void
end_job(struct scan *s, struct walk_job *w)
{
    s->n_walking--;
    walk_job_destroy(&w->base);
}

static void
deliver_failed(struct scan *s, struct walk_job *w)
{
    struct dir *d = w->dir;
    int r = w->r;
    end_job(s, w);
    /* A folder that is gone is told by its parent's watch or next reading. */
    bool is_told = r != -ENOENT;
    bool is_news = !d->has_failed;
    bool is_root = !d->parent;
    d->has_failed = true;
    AUTO(free) char *path = xstrdup(d->path);
    end_reading(s, d);
    if (is_root) {
        s->n_problems++;
        change_root_lost(s, r);
    } else if (is_told && is_news) {
        tell_problem(s, str_of(path), r);
    } else if (is_told) {
        s->n_problems++;
    }
}

/* The other folder of the same identity was asked about. */
static bool
deliver_rival(struct scan *s, struct walk_job *w)
{
    struct dir *d = w->dir;
    struct dir *other = dir_find_id(s, w->rival_device, w->rival_inode);
    bool is_there = w->is_rival_there;
    end_job(s, w);
    d->state = DIR_IDLE;
    if (is_there && other && other != d) {
        /* Mounted twice: visited once, by its first name. */
        dir_unwatch(s, d);
        if (!d->ignore)
            d->ignore = ignore_ref(d->parent ? d->parent->ignore : s->base);
        end_reading(s, d);
        return true;
    }
    if (other && !other->parent) {
        dir_set_id(s, other, 0, 0); // the root itself
    } else if (other && other != d) {
        /* It was moved here, and the event that says so is still on its way. Its old name may
         * be a new folder's by now, and that one d's own parent: then d goes with it. */
        AUTO(free) char *path = xstrdup(d->path);
        AUTO(free) char *other_path = xstrdup(other->path);
        dir_drop_and_tell(s, other);
        change_add(s, str_of(other_path), 0, false);
        d = dir_find(s, str_of(path));
    }
    /* The watch may have been the other one's: once more from the start. */
    if (d)
        dir_queue(s, d, READ_ALL);
    return true;
}

/* Another folder has the name now, before any event said so: nothing known of it holds. */
static void
restart_as_new(struct scan *s, struct walk_job *w)
{
    struct dir *d = w->dir, *parent = d->parent;
    AUTO(free) char *path = xstrdup(d->path);
    dir_drop_and_tell(s, d);
    end_job(s, w);
    d = dir_add(s, parent, str_of(path));
    d->named_serial = parent->serial;
    dir_queue(s, d, READ_ALL);
}

/* First look at an opened folder. False: the job was used up otherwise. */
static bool
deliver_opened(struct scan *s, struct walk_job *w)
{
    struct dir *d = w->dir;
    struct dir *other = dir_find_id(s, w->stat.device, w->stat.inode);
    w->is_opened = true;
    if (other && other != d) {
        if (w->stream)
            closedir(steal(w->stream));
        w->rival = other->path_n ? path_join(s->root, other->path) : xstrdup(s->root);
        w->is_rival_root = !other->parent;
        w->rival_device = w->stat.device;
        w->rival_inode = w->stat.inode;
        submit(s, w);
        return false;
    }
    if (d->parent && d->inode &&
        (d->inode != w->stat.inode || d->device != w->stat.device)) {
        restart_as_new(s, w);
        return false;
    }
    dir_set_id(s, d, w->stat.device, w->stat.inode);
    d->has_failed = false;
    if (!d->parent)
        s->is_root_lost = false;
    if (w->reading != READ_POLL) {
        ignore_unref(d->ignore);
        d->ignore = ignore_ref(w->ignore);
        d->has_cargo = w->has_cargo;
    }
    for (size_t i = 0; i < w->n_bad_rules; i++) {
        AUTO(buf_finish) struct buf space = {0};
        struct str path =
            path_below_dir(dir_path(d), str_of(w->bad_rules[i].name), &space);
        s->events->on_problem(s->ctx, path, w->bad_rules[i].r);
    }
    return true;
}

static bool
is_same_stat(const struct fs_stat *a, const struct fs_stat *b)
{
    return a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
           a->inode == b->inode && a->device == b->device;
}

static bool
changes_rules(struct str name)
{
    return is_ignore_file(name) || str_eq(name, STR("Cargo.toml"));
}

/* In an unwatched folder: true when the file has to be reported. */
static bool
note_known(struct scan *s, struct dir *d, struct str name, const struct fs_stat *stat,
           enum dir_reading reading)
{
    struct known *k = map_get(d->known, name);
    bool is_news = !k || !is_same_stat(&k->stat, stat);
    if (!k) {
        k = xnew(struct known);
        map_put(d->known, name, k);
    }
    k->stat = *stat;
    k->serial = d->serial;
    if (is_news && reading == READ_POLL && changes_rules(name))
        dir_queue(s, d, READ_DIFF);
    return is_news || reading == READ_ALL;
}

static void
deliver_folder(struct scan *s, struct dir *d, struct str path, enum dir_reading reading)
{
    if (s->root_n + 1 + path.n >= PATH_BYTES_MAX) {
        tell_problem(s, path, -ENAMETOOLONG);
        return;
    }
    struct dir *child = dir_find(s, path);
    if (!child) {
        struct known *was_file =
            d->known ? map_remove(d->known, path_basename(path)) : NULL;
        if (was_file)
            s->events->on_removed(s->ctx, path);
        free(was_file);
        child = dir_add(s, d, path);
        dir_queue(s, child, READ_ALL);
    } else if (reading != READ_POLL || child->has_failed) {
        dir_queue(s, child, child->has_failed ? READ_ALL : reading);
    }
    child->named_serial = d->serial;
}

static void
deliver_entry(struct scan *s, struct walk_job *w, const struct entry *e)
{
    AUTO(buf_finish) struct buf space = {0};
    struct dir *d = w->dir;
    struct str name = str_slice(w->names.p + e->name_at, e->name_n);
    struct str path = path_below_dir(dir_path(d), name, &space);
    switch (e->kind) {
    case ENTRY_DIR: deliver_folder(s, d, path, w->reading); break;
    case ENTRY_FILE:
        dir_drop_and_tell(s, list_is_empty(&d->children) ? NULL : dir_find(s, path));
        if (!d->known || note_known(s, d, name, &e->stat, w->reading))
            s->events->on_file(s->ctx, path, &e->stat);
        break;
    case ENTRY_IGNORED: s->events->on_removed(s->ctx, path); break;
    }
}

/* What this reading did not name is gone or ignored. False when the scan was stopped. */
static void
sweep(struct scan *s, struct walk_job *w)
{
    AUTO(buf_finish) struct buf space = {0};
    struct dir *d = w->dir;
    list_for_each_safe (it, &d->children) {
        struct dir *child = list_entry(it, struct dir, sibling);
        if (child->named_serial != d->serial)
            dir_drop_and_tell(s, child);
    }
    size_t iter = 0;
    struct str name;
    void *value;
    while (d->known && map_next(d->known, &iter, &name, &value)) {
        struct known *k = value;
        if (k->serial == d->serial)
            continue;
        if (w->reading == READ_POLL && changes_rules(name))
            dir_queue(s, d, READ_DIFF);
        path_below_dir(dir_path(d), name, &space);
        map_remove(d->known, name);
        free(k);
        s->events->on_removed(s->ctx, buf_str(&space));
    }
}

static bool
walk_deliver(struct scan_job *job)
{
    struct walk_job *w = container_of(job, struct walk_job, base);
    struct scan *s = job->scan;
    if (!w->dir) {
        end_job(s, w);
        return true;
    }
    if (w->rival)
        return deliver_rival(s, w);
    if (w->r < 0 && !w->is_opened && w->stat.inode == 0) {
        deliver_failed(s, w);
        return true;
    }
    if (!w->is_opened && !deliver_opened(s, w))
        return true;
    if (w->reading == READ_ALL && s->is_walking)
        s->n_ignored += w->n_ignored;
    w->n_ignored = 0;
    while (w->next < w->entries.n && !s->is_cancelled) {
        if (s->is_paused)
            return false;
        deliver_entry(s, w, &w->entries.v[w->next++]);
    }
    if (s->is_cancelled)
        return false;
    if (!w->is_end) {
        submit(s, w);
        return true;
    }
    struct dir *d = w->dir;
    if (w->r < 0)
        tell_problem(s, dir_path(d), w->r); // cut short: what is not named may be there
    else
        sweep(s, w);
    end_job(s, w);
    end_reading(s, d);
    return true;
}

void
walk_pump(struct scan *s)
{
    while (!s->is_paused && !s->is_cancelled && s->n_walking < SCAN_WALK_JOBS_MAX &&
           !list_is_empty(&s->queue))
        start_reading(s, list_first(&s->queue, struct dir, queued));
    if (!s->is_walking || s->base_job || s->n_walking > 0 || !list_is_empty(&s->queue))
        return;
    s->is_walking = false;
    bool is_complete = s->n_problems == 0 && !s->is_cancelled && !s->is_rescan_wanted;
    if (!s->is_closing)
        s->events->on_walked(s->ctx, is_complete);
    if (s->is_rescan_wanted && !s->is_cancelled) {
        s->is_rescan_wanted = false;
        scan_rescan(s);
    }
}

void
walk_poll(void *scan)
{
    struct scan *s = scan;
    if (s->is_cancelled || s->is_paused || s->is_walking || s->n_walking > 0 ||
        !list_is_empty(&s->queue))
        return;
    s->is_budget_spent = false; // somebody may have given watches back
    if (s->n_unwatched == 0) {
        timer_stop(s->poll_timer);
        return;
    }
    list_for_each (it, &s->unwatched) {
        struct dir *d = list_entry(it, struct dir, unwatched);
        dir_queue(s, d, d->ignore ? READ_POLL : READ_ALL);
    }
    walk_pump(s);
}
