/* A peer that hangs up is noticed without a read, once; the copy does not keep a connection alive for longer than
 * asked. Part of test_rt.c. */
#include "rt/hangup.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct hung {
    struct hangup *h;
    int n;
    bool is_over;
    bool closes_itself;
};

static void
on_hung(void *ctx)
{
    struct hung *hung = ctx;
    hung->n++;
    hung->is_over = true;
    if (hung->closes_itself)
        hangup_close(steal(hung->h));
}

static void
test_hangup_is_told_once(UNUSED void **state)
{
    OPEN_LOOP(l);
    for (int half = 0; half < 2; half++) {
        int fds[2];
        char byte;
        struct hung hung = {0};
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(hangup_open(&l, fds[0], on_hung, &hung, &hung.h), 0);
        /* What is said is no hang-up, and nobody else is kept busy by it. */
        assert_int_equal(write(fds[1], "unread", 6), 6);
        for (int i = 0; i < 10; i++)
            uv_run(&l.uv, UV_RUN_NOWAIT);
        assert_int_equal(hung.n, 0);
        assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), -1);
        if (half)
            assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
        else
            close(fds[1]);
        run_until(&l, &hung.is_over);
        for (int i = 0; i < 10; i++)
            uv_run(&l.uv, UV_RUN_NOWAIT);
        assert_int_equal(hung.n, 1);
        hangup_close(hung.h);
        close(fds[0]);
        if (half)
            close(fds[1]);
    }
    FINISH_LOOP(l);
}

static void
test_hangup_of_who_talks_on(UNUSED void **state)
{
    OPEN_LOOP(l);
    static const char talk[4096] = {0};
    int fds[2];
    size_t said = 0;
    struct hung hung = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(hangup_open(&l, fds[0], on_hung, &hung, &hung.h), 0);
    while (!hung.is_over && said < 4 * HANGUP_BYTES_MAX) {
        assert_int_equal(write(fds[1], talk, sizeof(talk)), sizeof(talk));
        said += sizeof(talk);
        uv_run(&l.uv, UV_RUN_NOWAIT);
    }
    assert_int_equal(hung.n, 1);
    assert_in_range(said, HANGUP_BYTES_MAX, HANGUP_BYTES_MAX + 2 * sizeof(talk));
    hangup_close(hung.h);
    close(fds[0]);
    close(fds[1]);
    FINISH_LOOP(l);
}

static void
test_hangup_closed_from_within(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    struct hung hung = {.closes_itself = true};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(hangup_open(&l, fds[0], on_hung, &hung, &hung.h), 0);
    close(fds[1]);
    run_until(&l, &hung.is_over);
    assert_null(hung.h);
    close(fds[0]);
    FINISH_LOOP(l);
}

static void
test_hangup_lets_go_at_once(UNUSED void **state)
{
    OPEN_LOOP(l);
    int fds[2];
    char byte;
    struct hung hung = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(hangup_open(&l, fds[0], on_hung, &hung, &hung.h), 0);
    close(fds[0]); // the owner's
    assert_int_equal(recv(fds[1], &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    hangup_close(hung.h);
    assert_int_equal(recv(fds[1], &byte, 1, MSG_DONTWAIT), 0);
    assert_int_equal(hung.n, 0);
    close(fds[1]);
    FINISH_LOOP(l);
}

static void
test_hangup_bad_descriptor(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct hung hung = {0};
    assert_int_equal(hangup_open(&l, -1, on_hung, &hung, &hung.h), -EBADF);
    assert_null(hung.h);
    hangup_close(NULL);
    FINISH_LOOP(l);
}
