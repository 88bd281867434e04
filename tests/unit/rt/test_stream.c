/* Streams over pipes, sockets, files and a terminal; unix listeners. */
#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rt/check.h"
#include "rt/stream.h"

/* What a stream said. */
struct heard {
    struct stream *s;
    struct buf bytes;
    size_t wanted; // is_enough at this many bytes
    size_t pause_at;
    bool is_enough, has_ended, has_drained, is_paused;
    bool closes_on_bytes;
    int n_ends, end_r;
};

static void
hear_bytes(void *ctx, struct str bytes)
{
    struct heard *h = ctx;
    assert_false(h->has_ended || h->is_paused);
    buf_add_str(&h->bytes, bytes);
    h->is_enough = h->bytes.n >= h->wanted;
    if (h->pause_at > 0 && h->bytes.n >= h->pause_at) {
        h->pause_at = 0;
        h->is_paused = true;
        stream_pause(h->s);
    }
    if (h->closes_on_bytes) {
        stream_close(steal(h->s));
        assert_true(bytes.n > 0 && bytes.p[0] == h->bytes.p[0]); // the view lives on
    }
}

static void
hear_end(void *ctx, int r)
{
    struct heard *h = ctx;
    assert_false(h->is_paused);
    h->n_ends++;
    h->end_r = r;
    h->has_ended = true;
}

static void
hear_drain(void *ctx)
{
    struct heard *h = ctx;
    h->has_drained = true;
}

static const struct stream_events hearing = {hear_bytes, hear_end, hear_drain};

static void
heard_finish(struct heard *h)
{
    stream_close(steal(h->s));
    buf_finish(&h->bytes);
}

static void
open_heard(struct loop *l, int fd, struct heard *h)
{
    assert_int_equal(stream_open_fd(l, fd, &h->s), 0);
    stream_start(h->s, &hearing, h);
}

/* Byte i of the pattern is known, so order and gaps show. */
static char *
make_pattern(size_t n)
{
    char *p = xmalloc(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)((i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff);
    return p;
}

static void
assert_pattern(struct str bytes)
{
    AUTO(free) char *want = make_pattern(bytes.n + 1);
    assert_true(bytes.n == 0 || memcmp(want, bytes.p, bytes.n) == 0);
}

enum { MEGABYTE = 1 << 20 };

static void
test_stream_pipe(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct heard in = {0}, out = {0};
    open_heard(&l, fds[0], &in);
    open_heard(&l, fds[1], &out);
    AUTO(free) char *pattern = make_pattern(MEGABYTE);
    stream_write(out.s, str_slice(pattern, 10));
    stream_write(out.s, STR_NONE);
    struct buf given = {0};
    buf_add(&given, pattern + 10, MEGABYTE / 2);
    stream_write_buf(out.s, &given);
    assert_null(given.p);
    buf_add(&given, pattern + 10 + MEGABYTE / 2, MEGABYTE / 2 - 10);
    stream_write_buf(out.s, &given);
    assert_int_equal(given.n, 0);
    assert_true(stream_backlog(out.s) > 0);
    assert_int_equal(in.bytes.n, 0);
    stream_shutdown(out.s); // after what is pending
    stream_write(out.s, STR("too late"));
    run_until(&l, &in.has_ended);
    assert_int_equal(in.bytes.n, MEGABYTE);
    assert_pattern(buf_str(&in.bytes));
    assert_int_equal(in.end_r, 0);
    assert_int_equal(in.n_ends, 1);
    assert_true(out.has_drained);
    assert_int_equal(stream_backlog(out.s), 0);
    assert_int_equal(out.n_ends, 0);
    heard_finish(&in);
    heard_finish(&out);
    FINISH_LOOP(l);
}

static void
test_stream_backlog(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct heard a = {0}, b = {.wanted = MEGABYTE};
    open_heard(&l, fds[0], &a);
    open_heard(&l, fds[1], &b);
    stream_pause(b.s);
    b.is_paused = true;
    AUTO(free) char *pattern = make_pattern(MEGABYTE);
    for (size_t i = 0; i < MEGABYTE; i += 1024)
        stream_write(a.s, str_slice(pattern + i, 1024));
    uv_run(&l.uv, UV_RUN_NOWAIT);
    assert_true(stream_backlog(a.s) > 0 && stream_backlog(a.s) < MEGABYTE);
    assert_false(a.has_drained);
    b.is_paused = false;
    stream_resume(b.s);
    b.pause_at = MEGABYTE / 2;
    run_until(&l, &b.is_paused);
    uv_run(&l.uv, UV_RUN_NOWAIT);
    b.is_paused = false;
    stream_resume(b.s);
    stream_resume(b.s);
    run_until(&l, &b.is_enough);
    run_until(&l, &a.has_drained);
    assert_int_equal(stream_backlog(a.s), 0);
    assert_int_equal(b.bytes.n, MEGABYTE);
    assert_pattern(buf_str(&b.bytes));
    /* Half closed: the other way still works. */
    stream_shutdown(a.s);
    run_until(&l, &b.has_ended);
    stream_write(b.s, STR("answer"));
    a.wanted = 6;
    run_until(&l, &a.is_enough);
    assert_true(str_eq_c(buf_str(&a.bytes), "answer"));
    heard_finish(&a);
    heard_finish(&b);
    FINISH_LOOP(l);
}

static size_t
read_raw(int fd, struct buf *to, size_t limit)
{
    char part[4096];
    size_t total = 0;
    ssize_t n;
    while (total < limit && (n = recv(fd, part, sizeof(part), MSG_DONTWAIT)) > 0) {
        buf_add(to, part, (size_t)n);
        total += (size_t)n;
    }
    return total;
}

static void
test_stream_close_with_pending(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct stream *s = NULL;
    assert_int_equal(stream_open_fd(&l, fds[0], &s), 0);
    AUTO(free) char *pattern = make_pattern(4 * MEGABYTE);
    stream_write(s, str_slice(pattern, MEGABYTE));
    stream_write(s, str_slice(pattern + MEGABYTE, 3 * MEGABYTE));
    size_t in_kernel = 4 * MEGABYTE - stream_backlog(s);
    assert_true(in_kernel > 0 && in_kernel < 4 * MEGABYTE);
    AUTO(buf_finish) struct buf got = {0};
    assert_int_equal(read_raw(fds[1], &got, 4 * MEGABYTE), in_kernel);
    stream_close(s); // there is room again: the last try fills it
    assert_true(read_raw(fds[1], &got, 4 * MEGABYTE) > 0);
    assert_true(got.n < 4 * MEGABYTE);
    assert_pattern(buf_str(&got));
    FINISH_LOOP(l);
    char byte;
    assert_int_equal(read(fds[1], &byte, 1), 0);
    close(fds[1]);
}

static void
test_stream_close_after_small_write(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct stream *s = NULL;
    assert_int_equal(stream_open_fd(&l, fds[1], &s), 0);
    for (int i = 0; i < 3; i++)
        stream_write(s, STR("bye"));
    stream_close(s); // without a turn of the loop
    char got[16];
    assert_int_equal(read(fds[0], got, sizeof(got)), 9);
    assert_memory_equal(got, "byebyebye", 9);
    close(fds[0]);
    stream_close(NULL);
    FINISH_LOOP(l);
}

static void
test_stream_broken_pipe(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct heard out = {0};
    open_heard(&l, fds[1], &out);
    close(fds[0]);
    stream_write(out.s, STR("nobody listens")); // and no SIGPIPE ends us
    assert_int_equal(out.n_ends, 0);
    run_until(&l, &out.has_ended);
    assert_int_equal(out.end_r, -EPIPE);
    stream_write(out.s, STR("dropped"));
    assert_int_equal(stream_backlog(out.s), 0);
    uv_run(&l.uv, UV_RUN_NOWAIT);
    assert_int_equal(out.n_ends, 1);
    heard_finish(&out);
    FINISH_LOOP(l);
}

static void
test_stream_last_words(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(write(fds[1], "too many", 8), 8);
    close(fds[1]);
    /* The write fails before the first read; what the peer said still comes first. */
    struct heard h = {0};
    assert_int_equal(stream_open_fd(&l, fds[0], &h.s), 0);
    stream_write(h.s, STR("hello"));
    uv_run(&l.uv, UV_RUN_NOWAIT);
    stream_start(h.s, &hearing, &h);
    assert_int_equal(h.n_ends, 0);
    run_until(&l, &h.has_ended);
    assert_true(str_eq_c(buf_str(&h.bytes), "too many"));
    assert_int_equal(h.end_r, -EPIPE);
    heard_finish(&h);
    FINISH_LOOP(l);
}

static void
test_stream_close_inside(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct heard in = {.closes_on_bytes = true};
    open_heard(&l, fds[0], &in);
    assert_int_equal(write(fds[1], "x", 1), 1);
    run_until(&l, &in.is_enough);
    close(fds[1]);
    FINISH_LOOP(l);
    assert_int_equal(in.n_ends, 0);
    assert_null(in.s);
    heard_finish(&in);
}

/* An open file with the pattern in it, nameless. */
static int
make_file(size_t n)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    AUTO(free) char *pattern = make_pattern(n);
    assert_int_equal(fwrite(pattern, 1, n, f), n);
    assert_int_equal(fflush(f), 0);
    int fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
    fclose(f);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void
test_stream_file_read(UNUSED void **state)
{
    OPEN_LOOP(l);
    enum { N = 300000 };
    struct heard in = {.pause_at = 100000};
    open_heard(&l, make_file(N), &in);
    run_until(&l, &in.is_paused);
    size_t n_paused = in.bytes.n;
    bool later = false;
    loop_defer(&l, set_flag, &later);
    run_until(&l, &later);
    assert_int_equal(in.bytes.n, n_paused);
    in.is_paused = false;
    stream_resume(in.s);
    stream_pause(in.s); // a read is under way now: it waits
    in.is_paused = true;
    later = false;
    loop_defer(&l, set_flag, &later);
    run_until(&l, &later);
    in.is_paused = false;
    stream_resume(in.s);
    run_until(&l, &in.has_ended);
    assert_int_equal(in.end_r, 0);
    assert_int_equal(in.bytes.n, N);
    assert_pattern(buf_str(&in.bytes));
    heard_finish(&in);

    struct heard cut = {.closes_on_bytes = true}, unread = {0};
    open_heard(&l, make_file(N), &cut);
    open_heard(&l, make_file(N), &unread);
    stream_close(steal(unread.s)); // with a read under way
    run_until(&l, &cut.is_enough);
    assert_int_equal(unread.bytes.n + (size_t)cut.n_ends, 0);
    heard_finish(&cut);
    FINISH_LOOP(l);
}

static void
test_stream_file_write(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fd = make_file(0);
    int check_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    struct heard out = {0};
    assert_int_equal(stream_open_fd(&l, fd, &out.s), 0);
    AUTO(free) char *pattern = make_pattern(MEGABYTE);
    for (size_t i = 0; i < MEGABYTE; i += MEGABYTE / 16)
        stream_write(out.s, str_slice(pattern + i, MEGABYTE / 16));
    assert_true(stream_backlog(out.s) > 0);
    stream_close(steal(out.s)); // a file takes what is pending
    FINISH_LOOP(l);
    struct stat st;
    assert_int_equal(fstat(check_fd, &st), 0);
    assert_int_equal(st.st_size, MEGABYTE);
    AUTO(free) char *got = xmalloc(MEGABYTE);
    assert_int_equal(pread(check_fd, got, MEGABYTE, 0), MEGABYTE);
    assert_pattern(str_slice(got, MEGABYTE));
    close(check_fd);
}

static void
test_stream_null_device(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct heard h = {0};
    open_heard(&l, open("/dev/null", O_RDWR | O_CLOEXEC), &h);
    stream_write(h.s, STR("gone"));
    run_until(&l, &h.has_ended);
    assert_int_equal(h.end_r, 0);
    run_until(&l, &h.has_drained);
    heard_finish(&h);
    struct stream *s = NULL;
    assert_int_equal(stream_open_fd(&l, 1 << 20, &s), -EBADF);
    assert_null(s);
    FINISH_LOOP(l);
}

static void
test_stream_terminal(UNUSED void **state)
{
    OPEN_LOOP(l);
    int master, slave;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    int others = fcntl(slave, F_DUPFD_CLOEXEC, 3);
    struct heard h = {.wanted = 6};
    open_heard(&l, slave, &h);
    assert_int_equal(write(master, "hello\n", 6), 6);
    run_until(&l, &h.is_enough);
    assert_true(str_eq_c(buf_str(&h.bytes), "hello\n"));
    /* A shell on the same terminal must not find it non-blocking. */
    assert_int_equal(fcntl(others, F_GETFL) & O_NONBLOCK, 0);
    heard_finish(&h);
    FINISH_LOOP(l);
    close(others);
    close(master);
}

struct server {
    struct listener *listener;
    struct heard peers[4];
    size_t n;
    bool has_two;
    bool closes_on_first;
};

static void
take_peer(void *ctx, struct stream *stream)
{
    struct server *v = ctx;
    struct heard *h = &v->peers[v->n++];
    h->s = stream;
    h->wanted = 1;
    stream_start(stream, &hearing, h);
    stream_write(stream, STR("welcome"));
    v->has_two = v->n == 2;
    if (v->closes_on_first)
        listener_close(steal(v->listener));
}

static void
test_listener(UNUSED void **state)
{
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    AUTO(free) char *path = xasprintf("%s/socket", dir);
    struct server v = {0};
    struct stream *none = NULL;
    assert_int_equal(stream_connect_unix(&l, path, &none), -ENOENT);
    assert_int_equal(listener_open_unix(&l, path, take_peer, &v, &v.listener), 0);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);

    struct heard clients[2] = {{.wanted = 7}, {.wanted = 7}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(stream_connect_unix(&l, path, &clients[i].s), 0);
        stream_start(clients[i].s, &hearing, &clients[i]);
        stream_write(clients[i].s, i ? STR("1") : STR("0"));
    }
    run_until(&l, &v.has_two);
    for (size_t i = 0; i < 2; i++) {
        run_until(&l, &clients[i].is_enough);
        run_until(&l, &v.peers[i].is_enough);
        assert_true(str_eq_c(buf_str(&clients[i].bytes), "welcome"));
        assert_true(str_eq_c(buf_str(&v.peers[i].bytes), i ? "1" : "0"));
    }
    struct listener *second = NULL;
    assert_int_equal(listener_open_unix(&l, path, take_peer, &v, &second), -EADDRINUSE);
    assert_null(second);
    heard_finish(&clients[0]);
    run_until(&l, &v.peers[0].has_ended);
    assert_int_equal(v.peers[0].end_r, 0);
    for (size_t i = 0; i < v.n; i++) // the look of the second one was a peer too
        heard_finish(&v.peers[i]);
    listener_close(v.listener);
    assert_int_equal(access(path, F_OK), -1);
    run_until(&l, &clients[1].has_ended);
    heard_finish(&clients[1]);
    listener_close(NULL);
    FINISH_LOOP(l);
    assert_int_equal(rmdir(dir), 0); // nothing is left behind
}

static void
make_dead_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void
test_listener_dead_and_foreign_files(UNUSED void **state)
{
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    AUTO(free) char *path = xasprintf("%s/socket", dir);
    make_dead_socket(path);
    struct server v = {.closes_on_first = true};
    struct stream *client = NULL;
    assert_int_equal(stream_connect_unix(&l, path, &client), -ECONNREFUSED);
    assert_int_equal(listener_open_unix(&l, path, take_peer, &v, &v.listener), 0);
    assert_int_equal(stream_connect_unix(&l, path, &client), 0);
    while (v.n == 0)
        uv_run(&l.uv, UV_RUN_ONCE);
    assert_null(v.listener); // closed by its own callback
    heard_finish(&v.peers[0]);
    stream_close(client);

    /* A listener whose file was replaced leaves the new one alone. */
    assert_int_equal(listener_open_unix(&l, path, take_peer, &v, &v.listener), 0);
    assert_int_equal(unlink(path), 0);
    make_dead_socket(path);
    listener_close(v.listener);
    assert_int_equal(unlink(path), 0);

    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(listener_open_unix(&l, path, take_peer, &v, &v.listener), -EEXIST);
    assert_int_equal(unlink(path), 0);
    char long_path[256];
    snprintf(long_path, sizeof(long_path), "%s/%0200d", dir, 1);
    assert_int_equal(listener_open_unix(&l, long_path, take_peer, &v, &v.listener),
                     -ENAMETOOLONG);
    assert_int_equal(stream_connect_unix(&l, long_path, &client), -ENAMETOOLONG);
    AUTO(free) char *nowhere = xasprintf("%s/no/socket", dir);
    assert_int_equal(listener_open_unix(&l, nowhere, take_peer, &v, &v.listener),
                     -ENOENT);
    FINISH_LOOP(l);
    assert_int_equal(rmdir(dir), 0);
}
