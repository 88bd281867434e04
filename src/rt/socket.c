/* Why: unix sockets, where the engine is found and where exactly one engine may listen.
 * Invariant: whoever looks whether a socket file is dead, removes it or binds a new one holds a
 * lock (flock) on its directory, so two engines that start at once cannot take the file from each
 * other, and no lock file is left behind. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "rt/stream.h"
#include "rt/timer.h"

#define LISTEN_BACKLOG 64
#define ACCEPTS_PER_ROUND 16
/* Out of descriptors: wait for some to come back instead of spinning. */
#define ACCEPT_RETRY_MS 100
/* A peer that listens and does not accept is alive but of no use. */
#define CONNECT_TIMEOUT_S 2

struct listener {
    struct loop *loop;
    uv_poll_t poll;
    struct timer *retry;
    int fd;
    char *path;
    dev_t device;
    ino_t inode;
    bool is_closed;
    void (*on_connection)(void *ctx, struct stream *stream);
    void *ctx;
};

static int
unix_address(const char *path, struct sockaddr_un *ret_address)
{
    size_t n = strlen(path);
    if (n == 0)
        return -EINVAL;
    if (n >= sizeof(ret_address->sun_path))
        return -ENAMETOOLONG;
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->sun_family = AF_UNIX;
    memcpy(ret_address->sun_path, path, n);
    return 0;
}

static int
connect_fd(const char *path, int *ret_fd)
{
    struct sockaddr_un address;
    int r = unix_address(path, &address);
    if (r < 0)
        return err_trace(r);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_trace(-errno);
    struct timeval limit = {.tv_sec = CONNECT_TIMEOUT_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    do
        r = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
                                                                                : 0;
    while (r == -EINTR);
    if (r < 0) {
        close(fd);
        return r == -EAGAIN ? -ETIMEDOUT : r;
    }
    *ret_fd = fd;
    return 0;
}

int
stream_connect_unix(struct loop *l, const char *path, struct stream **ret_stream)
{
    ASSERT_LOOP();
    int fd = -1;
    int r = connect_fd(path, &fd);
    if (r < 0)
        return r;
    r = stream_open_fd(l, fd, ret_stream);
    if (r < 0)
        close(fd);
    return r;
}

/* Closing the descriptor gives the lock back. */
static int
lock_directory_of(const char *path, int *ret_fd)
{
    AUTO(free) char *dir = str_dup(path_dirname(str_of(path)));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_trace(-errno);
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR) {
            int r = -errno;
            close(fd);
            return err_trace(r);
        }
    }
    *ret_fd = fd;
    return 0;
}

/* 0 when nothing is left at `path`. */
static int
remove_dead_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_trace(-errno);
    if (!S_ISSOCK(st.st_mode))
        return err_trace(-EEXIST);
    int fd = -1;
    int r = connect_fd(path, &fd);
    if (r == 0)
        close(fd);
    if (r == 0 || r == -ETIMEDOUT)
        return -EADDRINUSE;
    if (r != -ECONNREFUSED && r != -ENOENT)
        return err_trace(r);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_trace(-errno);
    return 0;
}

static int
bind_and_listen(const char *path, int *ret_fd, struct stat *ret_stat)
{
    struct sockaddr_un address;
    int r = unix_address(path, &address);
    if (r < 0)
        return err_trace(r);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_trace(-errno);
    /* The mode of the unbound socket becomes the file's: no moment with a wider one, and no
     * umask() that other threads would see. */
    bool is_bound = fchmod(fd, 0600) == 0 &&
                    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    if (!is_bound || listen(fd, LISTEN_BACKLOG) < 0 || lstat(path, ret_stat) < 0) {
        r = -errno;
        if (is_bound)
            unlink(path);
        close(fd);
        return err_trace(r);
    }
    *ret_fd = fd;
    return 0;
}

static void on_listener_readable(uv_poll_t *poll, int status, int events);

static void
on_retry(void *ctx)
{
    struct listener *l = ctx;
    uv_poll_start(&l->poll, UV_READABLE, on_listener_readable);
}

static void
on_listener_readable(uv_poll_t *poll, UNUSED int status, UNUSED int events)
{
    struct listener *l = poll->data;
    for (int i = 0; i < ACCEPTS_PER_ROUND && !l->is_closed; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        struct stream *stream = NULL;
        if (fd < 0 || stream_open_fd(l->loop, fd, &stream) < 0) {
            if (fd >= 0)
                close(fd);
            uv_poll_stop(&l->poll);
            timer_start(l->retry, ACCEPT_RETRY_MS, 0);
            return;
        }
        l->on_connection(l->ctx, stream);
    }
}

int
listener_open_unix(struct loop *loop, const char *path,
                   void (*on_connection)(void *ctx, struct stream *stream), void *ctx,
                   struct listener **ret_listener)
{
    ASSERT_LOOP();
    int lock = -1, fd = -1;
    struct stat st;
    int r = lock_directory_of(path, &lock);
    if (r < 0)
        return err_trace(r);
    r = remove_dead_socket(path);
    if (r == 0)
        r = bind_and_listen(path, &fd, &st);
    close(lock);
    if (r < 0)
        return r;

    struct listener *l = xnew(struct listener);
    r = uv_poll_init(&loop->uv, &l->poll, fd);
    if (r < 0) {
        unlink(path);
        close(fd);
        free(l);
        return err_trace(r);
    }
    l->loop = loop;
    l->poll.data = l;
    l->fd = fd;
    l->path = xstrdup(path);
    l->device = st.st_dev;
    l->inode = st.st_ino;
    l->on_connection = on_connection;
    l->ctx = ctx;
    l->retry = timer_open(loop, on_retry, l);
    uv_poll_start(&l->poll, UV_READABLE, on_listener_readable);
    *ret_listener = l;
    return 0;
}

static void
on_listener_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    free(l->path);
    free(l);
}

void
listener_close(struct listener *l)
{
    if (!l)
        return;
    ASSERT_LOOP();
    assert(!l->is_closed);
    l->is_closed = true;
    int lock = -1;
    int r = lock_directory_of(l->path, &lock);
    struct stat st;
    /* Somebody may have put a socket of their own there. */
    if (lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
        unlink(l->path);
    if (r == 0)
        close(lock);
    timer_close(l->retry);
    uv_close((uv_handle_t *)&l->poll, on_listener_closed);
    close(l->fd);
}
