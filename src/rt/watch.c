/* Why: "something changed in this directory", with lost events said aloud; libuv's watcher hides
 * IN_Q_OVERFLOW.
 * Invariant: by_wd and by_dir hold the same entries. inotify follows the inode, we follow the
 * name: when one inode is added under a second name the newer name wins. An entry taken out while
 * events are handed out stays in memory until that is over, since callbacks hold its dir. */
#include "rt/watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define WATCH_READ_BYTES ((size_t)64 << 10)
#define WATCH_READS_PER_ROUND 16 // then others get their turn
#define WATCH_MASK                                                                       \
    (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB |  \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
#define WATCH_MASK_NAMES                                                                 \
    (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |              \
     IN_MOVE_SELF | IN_ONLYDIR)

struct watch_dir {
    struct list link; // of `retired`, once out of the maps
    int wd;
    uint32_t mask;
    char *dir;
};

struct watch {
    uv_poll_t poll;
    int fd;
    watch_fn fn;
    void *ctx;
    struct map *by_wd;
    struct map *by_dir;
    struct list retired;
    bool is_dispatching;
    bool is_closed;
    _Alignas(struct inotify_event) char events[WATCH_READ_BYTES];
};

static struct str
wd_key(const int *wd)
{
    return str_slice((const char *)wd, sizeof(*wd));
}

static void
dir_destroy(struct watch_dir *d)
{
    free(d->dir);
    free(d);
}

static void
free_retired(struct watch *w)
{
    list_for_each_safe (it, &w->retired) {
        list_remove(it);
        dir_destroy(list_entry(it, struct watch_dir, link));
    }
}

/* Out of the maps; the kernel's side is the caller's. */
static void
retire(struct watch *w, struct watch_dir *d)
{
    map_remove(w->by_wd, wd_key(&d->wd));
    map_remove(w->by_dir, str_of(d->dir));
    list_add(&w->retired, &d->link);
    if (!w->is_dispatching)
        free_retired(w);
}

/* A watched directory was moved. True when its name leads to the same inode again. */
static bool
is_still_there(struct watch *w, const struct watch_dir *d)
{
    int wd = inotify_add_watch(w->fd, d->dir, d->mask);
    if (wd >= 0 && wd != d->wd && !map_get(w->by_wd, wd_key(&wd)))
        inotify_rm_watch(w->fd,
                         wd); // something new under the old name: the caller's decision
    return wd == d->wd;
}

static void
dir_gone(struct watch *w, struct watch_dir *d)
{
    inotify_rm_watch(w->fd, d->wd);
    retire(w, d);
    w->fn(w->ctx, WATCH_DIR_GONE, d->dir, NULL, true);
}

static void
handle_event(struct watch *w, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW) {
        w->fn(w->ctx, WATCH_OVERFLOW, NULL, NULL, false);
        return;
    }
    struct watch_dir *d = map_get(w->by_wd, wd_key(&e->wd));
    if (!d)
        return; // removed while its events were in the queue
    if (e->mask & (IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) {
        dir_gone(w, d);
        return;
    }
    if (e->mask & IN_MOVE_SELF) {
        if (!is_still_there(w, d))
            dir_gone(w, d);
        return;
    }
    if (e->len == 0)
        return; // attributes of the directory itself: its parent's watch tells
    enum watch_change change;
    if (e->mask & IN_CREATE)
        change = WATCH_CREATED;
    else if (e->mask & IN_MOVED_TO)
        change = WATCH_MOVED_IN;
    else if (e->mask & IN_CLOSE_WRITE)
        change = WATCH_WRITTEN;
    else if (e->mask & (IN_DELETE | IN_MOVED_FROM))
        change = WATCH_DELETED;
    else if (e->mask & IN_ATTRIB)
        change = WATCH_ATTRIB;
    else
        return;
    w->fn(w->ctx, change, d->dir, e->name, (e->mask & IN_ISDIR) != 0);
}

static void
on_readable(uv_poll_t *poll, UNUSED int status, UNUSED int events)
{
    struct watch *w = poll->data;
    w->is_dispatching = true;
    for (int round = 0; round < WATCH_READS_PER_ROUND && !w->is_closed; round++) {
        ssize_t n = read(w->fd, w->events, sizeof(w->events));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        for (size_t at = 0; at < (size_t)n && !w->is_closed;) {
            const struct inotify_event *e = (const void *)(w->events + at);
            at += sizeof(*e) + e->len;
            handle_event(w, e);
        }
    }
    w->is_dispatching = false;
    free_retired(w);
}

int
watch_open(struct loop *l, watch_fn fn, void *ctx, struct watch **ret_watch)
{
    ASSERT_LOOP();
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return err_trace(-errno);
    struct watch *w = xnew(struct watch);
    int r = uv_poll_init(&l->uv, &w->poll, fd);
    if (r < 0) {
        close(fd);
        free(w);
        return err_trace(r);
    }
    w->poll.data = w;
    w->fd = fd;
    w->fn = fn;
    w->ctx = ctx;
    w->by_wd = map_create();
    w->by_dir = map_create();
    list_init(&w->retired);
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    *ret_watch = w;
    return 0;
}

static int
add(struct watch *w, const char *dir, uint32_t mask)
{
    ASSERT_LOOP();
    struct watch_dir *same_name = map_get(w->by_dir, str_of(dir));
    if (same_name)
        mask |= same_name->mask;
    int wd = inotify_add_watch(w->fd, dir, mask);
    if (wd < 0)
        return err_trace(-errno);
    struct watch_dir *same_inode = map_get(w->by_wd, wd_key(&wd));
    if (same_inode && same_inode == same_name) {
        same_name->mask = mask;
        return 0;
    }
    struct watch_dir *d = xnew(struct watch_dir);
    d->wd = wd;
    d->mask = mask;
    d->dir = xstrdup(dir);
    if (same_name) { // another directory had this name before
        inotify_rm_watch(w->fd, same_name->wd);
        retire(w, same_name);
    }
    if (same_inode)
        retire(w, same_inode);
    map_put(w->by_wd, wd_key(&d->wd), d);
    map_put(w->by_dir, str_of(d->dir), d);
    return 0;
}

int
watch_add(struct watch *w, const char *dir)
{
    return add(w, dir, WATCH_MASK);
}

int
watch_add_names(struct watch *w, const char *dir)
{
    return add(w, dir, WATCH_MASK_NAMES);
}

void
watch_remove(struct watch *w, const char *dir)
{
    ASSERT_LOOP();
    struct watch_dir *d = map_get(w->by_dir, str_of(dir));
    if (!d)
        return;
    inotify_rm_watch(w->fd, d->wd);
    retire(w, d);
}

size_t
watch_user_max(void)
{
    char text[32];
    uint64_t n = 0;
    int fd = open("/proc/sys/fs/inotify/max_user_watches", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof(text));
    close(fd);
    if (got <= 0 || str_to_u64(str_trim(str_slice(text, (size_t)got)), &n) < 0)
        return 0;
    return n;
}

size_t
watch_count(const struct watch *w)
{
    return map_count(w->by_dir);
}

static void
on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    size_t iter = 0;
    struct str key;
    void *value;
    while (map_next(w->by_dir, &iter, &key, &value))
        dir_destroy(value);
    free_retired(w);
    map_destroy(w->by_dir);
    map_destroy(w->by_wd);
    free(w);
}

void
watch_close(struct watch *w)
{
    if (!w)
        return;
    ASSERT_LOOP();
    assert(!w->is_closed);
    w->is_closed = true;
    uv_close((uv_handle_t *)&w->poll, on_watch_closed);
    close(w->fd);
}
