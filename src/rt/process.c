/* pidfd_open(2) becomes readable when the process ends; a pid that was given to another process
 * meanwhile cannot be mistaken for it. */
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "rt/process.h"

struct process_watch {
    uv_poll_t poll;
    int fd;
    void (*on_exit)(void *ctx);
    void *ctx;
};

static void
on_poll(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct process_watch *w = container_of(poll, struct process_watch, poll);

    uv_poll_stop(poll);
    w->on_exit(w->ctx);
}

int
process_watch_open(struct loop *l, int pid, void (*on_exit)(void *ctx), void *ctx,
                   struct process_watch **ret_watch)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), r;
    struct process_watch *w;

    ASSERT_LOOP();
    if (fd < 0)
        return -errno;
    w = xnew(struct process_watch);
    w->fd = fd;
    w->on_exit = on_exit;
    w->ctx = ctx;
    r = uv_poll_init(&l->uv, &w->poll, fd);
    if (r < 0) {
        close(fd);
        free(w);
        return r;
    }
    uv_poll_start(&w->poll, UV_READABLE, on_poll);
    *ret_watch = w;
    return 0;
}

static void
on_closed(uv_handle_t *handle)
{
    struct process_watch *w = container_of(handle, struct process_watch, poll);

    close(w->fd);
    free(w);
}

void
process_watch_close(struct process_watch *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->poll, on_closed);
}
