/* Why: bytes in and out of pipes, sockets, terminals and plain files behind one contract.
 * Invariant: at most one write is in flight; what comes meanwhile gathers in `pending`, so order
 * is kept and backlog is exact. The memory lives until is_closed and n_busy is 0, where n_busy
 * counts everything that will still call back: the uv handle, requests, a deferred call.
 * on_end is told once, from the loop, and nothing after it. */
#include "rt/stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define STREAM_READ_BYTES ((size_t)64 << 10)
/* A write buffer above this is given back once written. */
#define STREAM_KEEP_BYTES ((size_t)256 << 10)
/* After a failed write, how much of what the peer said before it left is still read. */
#define STREAM_LAST_WORDS_BYTES ((size_t)4 << 20)

struct stream {
    struct loop *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
    } uv;
    bool is_file; // no uv handle: requests in libuv's threads on fd
    bool is_socket;
    int fd; // of a file, or of the handle

    struct stream_events events;
    void *ctx;
    char *read_buf;
    bool is_started;
    bool is_paused;
    bool is_reading; // uv reads, or a file request is under way
    ssize_t held;    // of a file: result that came while paused
    bool has_held;
    bool has_ended; // end_r is set
    bool is_end_told;
    bool is_kicked; // a deferred call is under way
    bool is_write_dead;
    bool has_last_words; // the end came from a write: read what is there first
    int end_r;

    struct buf flight;
    struct buf pending;
    size_t flight_done; // of a file
    bool is_writing;
    bool wants_shutdown;
    bool is_shut;

    bool is_closed;
    bool is_handle_closing;
    unsigned n_busy;

    uv_write_t write_req;
    uv_shutdown_t shutdown_req;
    uv_fs_t read_fs;
    uv_fs_t write_fs;
};

static void stream_write_next(struct stream *s);
static void stream_read_on(struct stream *s);

static void
stream_release(struct stream *s)
{
    assert(s->n_busy > 0);
    if (--s->n_busy > 0 || !s->is_closed)
        return;
    if (s->is_file && s->fd > STDERR_FILENO)
        close(s->fd);
    buf_finish(&s->flight);
    buf_finish(&s->pending);
    free(s->read_buf);
    free(s);
}

static bool
is_readable(const struct stream *s)
{
    return s->is_file || (!s->is_handle_closing && uv_is_readable(&s->uv.stream));
}

static int
uv_fd(const struct stream *s)
{
    uv_os_fd_t fd = -1;
    if (uv_fileno(&s->uv.handle, &fd) < 0)
        return -1;
    return fd;
}

/* -- the end -- */

static void
read_last_words(struct stream *s)
{
    int fd = uv_fd(s);
    for (size_t total = 0; fd >= 0 && total < STREAM_LAST_WORDS_BYTES;) {
        ssize_t n = read(fd, s->read_buf, STREAM_READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        total += (size_t)n;
        s->events.on_bytes(s->ctx, str_slice(s->read_buf, (size_t)n));
        if (s->is_closed || s->is_paused)
            return;
    }
}

/* On the loop, from a callback of uv. */
static void
tell_end(struct stream *s)
{
    if (!s->has_ended || s->is_end_told || !s->is_started || s->is_closed)
        return;
    if (is_readable(s) && s->is_paused)
        return; // told by resume, after what was said before
    if (s->has_last_words && s->is_socket && is_readable(s))
        read_last_words(s);
    if (s->is_closed || s->is_paused)
        return;
    s->is_end_told = true;
    s->events.on_end(s->ctx, s->end_r);
}

static void
stream_end(struct stream *s, int r)
{
    if (s->has_ended)
        return;
    s->has_ended = true;
    s->end_r = r;
    if (s->is_reading && !s->is_file) {
        uv_read_stop(&s->uv.stream);
        s->is_reading = false;
    }
}

static void
on_kick(void *ctx)
{
    struct stream *s = ctx;
    s->is_kicked = false;
    if (!s->is_closed) {
        stream_read_on(s);
        tell_end(s);
    }
    stream_release(s);
}

/* Callbacks never run inside a call of the user's. */
static void
kick(struct stream *s)
{
    if (s->is_kicked)
        return;
    s->is_kicked = true;
    s->n_busy++;
    loop_defer(s->loop, on_kick, s);
}

/* -- reading -- */

static void
on_alloc(uv_handle_t *handle, UNUSED size_t suggested_bytes, uv_buf_t *ret_buf)
{
    struct stream *s = handle->data;
    *ret_buf = uv_buf_init(s->read_buf, STREAM_READ_BYTES);
}

static void
on_uv_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = stream->data;
    if (n > 0) {
        s->events.on_bytes(s->ctx, str_slice(buf->base, (size_t)n));
    } else if (n < 0) {
        stream_end(s, n == UV_EOF ? 0 : (int)n);
        tell_end(s);
    }
}

static void
take_file_bytes(struct stream *s, ssize_t n)
{
    if (n > 0)
        s->events.on_bytes(s->ctx, str_slice(s->read_buf, (size_t)n));
    else
        stream_end(s, (int)n);
}

static void
on_file_read(uv_fs_t *req)
{
    struct stream *s = req->data;
    ssize_t n = req->result;
    uv_fs_req_cleanup(req);
    s->is_reading = false;
    if (!s->is_closed && s->is_paused) {
        s->has_held = true;
        s->held = n;
    } else if (!s->is_closed && !s->has_ended) {
        take_file_bytes(s, n);
        if (!s->is_closed) {
            stream_read_on(s);
            tell_end(s);
        }
    }
    stream_release(s);
}

static void
file_read_on(struct stream *s)
{
    if (s->has_held) {
        s->has_held = false;
        take_file_bytes(s, s->held);
        if (s->is_closed || s->is_paused || s->has_ended || s->is_reading)
            return;
    }
    uv_buf_t buf = uv_buf_init(s->read_buf, STREAM_READ_BYTES);
    s->read_fs.data = s;
    int r = uv_fs_read(&s->loop->uv, &s->read_fs, s->fd, &buf, 1, -1, on_file_read);
    if (r < 0) {
        stream_end(s, r);
        kick(s);
        return;
    }
    s->is_reading = true;
    s->n_busy++;
}

/* Begins or goes on when it may. */
static void
stream_read_on(struct stream *s)
{
    if (!s->is_started || s->is_paused || s->is_reading || s->has_ended ||
        !is_readable(s))
        return;
    if (s->is_file) {
        file_read_on(s);
        return;
    }
    int r = uv_read_start(&s->uv.stream, on_alloc, on_uv_read);
    if (r < 0) {
        stream_end(s, r);
        kick(s);
        return;
    }
    s->is_reading = true;
}

void
stream_start(struct stream *s, const struct stream_events *events, void *ctx)
{
    ASSERT_LOOP();
    assert(events->on_bytes && events->on_end);
    s->events = *events;
    s->ctx = ctx;
    s->is_started = true;
    if (!s->read_buf)
        s->read_buf = xmalloc(STREAM_READ_BYTES);
    if (s->has_held || s->has_ended)
        kick(s);
    else
        stream_read_on(s);
}

void
stream_pause(struct stream *s)
{
    ASSERT_LOOP();
    s->is_paused = true;
    if (s->is_reading && !s->is_file) {
        uv_read_stop(&s->uv.stream);
        s->is_reading = false;
    }
}

void
stream_resume(struct stream *s)
{
    ASSERT_LOOP();
    if (!s->is_paused)
        return;
    s->is_paused = false;
    if (s->has_held || s->has_ended)
        kick(s);
    else
        stream_read_on(s);
}

/* -- writing -- */

static void
on_shutdown(uv_shutdown_t *req, UNUSED int status)
{
    stream_release(req->data);
}

static void
on_handle_closed(uv_handle_t *handle)
{
    stream_release(handle->data);
}

static void
close_handle(struct stream *s)
{
    if (s->is_file || s->is_handle_closing)
        return;
    s->is_handle_closing = true;
    s->is_reading = false;
    uv_close(&s->uv.handle, on_handle_closed);
}

static void
shut_now(struct stream *s)
{
    if (s->is_shut || s->is_file || s->is_handle_closing)
        return;
    s->is_shut = true;
    if (s->is_socket) {
        s->shutdown_req.data = s;
        if (uv_shutdown(&s->shutdown_req, &s->uv.stream, on_shutdown) == 0)
            s->n_busy++;
    } else if (!uv_is_readable(&s->uv.stream)) {
        close_handle(s); // the end of a pipe is its descriptor's
    }
}

static void
write_failed(struct stream *s, int r)
{
    s->is_write_dead = true;
    buf_finish(&s->flight);
    buf_finish(&s->pending);
    if (!s->is_closed && !s->has_ended) {
        s->has_last_words = true;
        stream_end(s, r);
        kick(s);
    }
}

static void
write_done(struct stream *s, int r)
{
    s->is_writing = false;
    if (r < 0) {
        write_failed(s, r);
        return;
    }
    if (s->flight.cap > STREAM_KEEP_BYTES)
        buf_finish(&s->flight);
    else
        buf_reset(&s->flight);
    if (s->is_closed && !s->is_file)
        return; // the last try was made by stream_close
    if (s->pending.n > 0) {
        struct buf next = s->pending;
        s->pending = s->flight;
        s->flight = next;
        stream_write_next(s);
        return;
    }
    if (s->is_closed)
        return;
    if (s->wants_shutdown)
        shut_now(s);
    if (s->is_started && s->events.on_drain)
        s->events.on_drain(s->ctx);
}

static void
on_uv_written(uv_write_t *req, int status)
{
    struct stream *s = req->data;
    write_done(s, status);
    stream_release(s);
}

static void
on_file_written(uv_fs_t *req)
{
    struct stream *s = req->data;
    ssize_t n = req->result;
    uv_fs_req_cleanup(req);
    if (n > 0)
        s->flight_done += (size_t)n;
    if (n > 0 && s->flight_done < s->flight.n)
        stream_write_next(s);
    else
        write_done(s, n > 0 ? 0 : n < 0 ? (int)n : -EIO);
    stream_release(s);
}

/* Hands what is in `flight` (of a file: the rest of it) to the kernel. */
static void
stream_write_next(struct stream *s)
{
    int r;
    if (s->is_file) {
        if (!s->is_writing)
            s->flight_done = 0;
        uv_buf_t rest = uv_buf_init(s->flight.p + s->flight_done,
                                    (unsigned)MIN(s->flight.n - s->flight_done, INT_MAX));
        s->write_fs.data = s;
        r = uv_fs_write(&s->loop->uv, &s->write_fs, s->fd, &rest, 1, -1, on_file_written);
    } else {
        uv_buf_t all = {.base = s->flight.p, .len = s->flight.n};
        s->write_req.data = s;
        r = uv_write(&s->write_req, &s->uv.stream, &all, 1, on_uv_written);
    }
    if (r < 0) {
        s->is_writing = false;
        write_failed(s, r);
        return;
    }
    s->is_writing = true;
    s->n_busy++;
}

static bool
takes_writes(const struct stream *s)
{
    return !s->is_write_dead && !s->wants_shutdown && !s->is_closed;
}

void
stream_write(struct stream *s, struct str bytes)
{
    ASSERT_LOOP();
    if (!takes_writes(s) || bytes.n == 0)
        return;
    buf_add_str(s->is_writing ? &s->pending : &s->flight, bytes);
    if (!s->is_writing)
        stream_write_next(s);
}

void
stream_write_buf(struct stream *s, struct buf *bytes)
{
    ASSERT_LOOP();
    struct buf *to = s->is_writing ? &s->pending : &s->flight;
    if (takes_writes(s) && bytes->n > 0 && to->n == 0) {
        buf_finish(to);
        *to = *bytes;
        *bytes = (struct buf){0};
        if (!s->is_writing)
            stream_write_next(s);
        return;
    }
    stream_write(s, buf_str(bytes));
    buf_finish(bytes);
    *bytes = (struct buf){0};
}

static size_t
flight_left(const struct stream *s)
{
    if (!s->is_writing)
        return 0;
    if (s->is_file)
        return s->flight.n - s->flight_done;
    return uv_stream_get_write_queue_size(&s->uv.stream);
}

size_t
stream_backlog(const struct stream *s)
{
    return flight_left(s) + s->pending.n;
}

void
stream_shutdown(struct stream *s)
{
    ASSERT_LOOP();
    if (s->wants_shutdown)
        return;
    s->wants_shutdown = true;
    if (!s->is_writing)
        shut_now(s);
}

/* -- opening and closing -- */

/* True when all of it went. */
static bool
write_at_once(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_slice(bytes.p + n, bytes.n - (size_t)n);
    }
    return true;
}

static void
write_last(struct stream *s)
{
    int fd = uv_fd(s);
    if (fd < 0 || s->is_write_dead)
        return;
    size_t left = flight_left(s);
    if (write_at_once(fd, str_slice(s->flight.p + s->flight.n - left, left)))
        write_at_once(fd, buf_str(&s->pending));
}

void
stream_close(struct stream *s)
{
    if (!s)
        return;
    ASSERT_LOOP();
    assert(!s->is_closed);
    if (!s->is_file && !s->is_handle_closing)
        write_last(s);
    s->is_closed = true;
    if (s->is_file && s->is_reading)
        uv_cancel((uv_req_t *)&s->read_fs);
    close_handle(s);
    /* The reference of stream_open_fd: on a file it stands for the object, else the object is the
     * second one beside the handle. */
    stream_release(s);
}

static void
keep_only_reopened(int fd, const struct stream *s)
{
    /* uv opens a terminal anew, so that our non-blocking mode is not everybody's. */
    if (uv_fd(s) != fd && fd > STDERR_FILENO)
        close(fd);
}

int
stream_open_fd(struct loop *l, int fd, struct stream **ret_stream)
{
    ASSERT_LOOP();
    if (fd < 0 || fcntl(fd, F_GETFD) < 0)
        return err_trace(-EBADF);
    struct stream *s = xnew(struct stream);
    s->loop = l;
    s->fd = fd;
    s->n_busy = 1;
    uv_handle_type type = uv_guess_handle(fd);
    s->is_file = type == UV_FILE;
    int r = 0;
    if (type == UV_TTY && uv_tty_init(&l->uv, &s->uv.tty, fd, 0) == 0) {
        s->n_busy++;
        keep_only_reopened(fd, s);
    } else if (!s->is_file) {
        int socket_type;
        socklen_t len = sizeof(socket_type);
        s->is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &socket_type, &len) == 0;
        uv_pipe_init(&l->uv, &s->uv.pipe, 0);
        s->n_busy++;
        r = uv_pipe_open(&s->uv.pipe, fd);
    }
    if (!s->is_file)
        s->uv.handle.data = s;
    if (r < 0) {
        s->is_closed = true;
        close_handle(s);
        stream_release(s);
        return err_trace(r);
    }
    *ret_stream = s;
    return 0;
}
