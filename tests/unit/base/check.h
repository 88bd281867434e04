#pragma once
/* What the tests of base share. cmocka comes first: it names what base bans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/str.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_str(s, text) assert_bytes((s), STR(text), __FILE__, __LINE__)
#define assert_heap(call, text) assert_heap_string((call), (text), __FILE__, __LINE__)

static void
assert_bytes(struct str got, struct str want, const char *file, int line)
{
    if (!str_eq(got, want)) {
        print_error("got \"%.*s\", want \"%.*s\"\n", STR_ARG(got), STR_ARG(want));
        _fail(file, line);
    }
}

static void
assert_heap_string(char *got, const char *want, const char *file, int line)
{
    AUTO(free) char *owned = got;
    _assert_string_equal(owned, want, file, line);
}

/* Run `work` in a child. What it wrote to stderr goes to ret_text, how often it wrote to
 * ret_writes (a socket of packets keeps them apart), how it ended is returned. */
static int
run_in_child(void (*work)(void), struct buf *ret_text, size_t *ret_writes)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        work();
        _exit(0);
    }
    close(fds[1]);

    char packet[65536];
    ssize_t n;
    *ret_writes = 0;
    while ((n = read(fds[0], packet, sizeof(packet))) > 0) {
        buf_add(ret_text, packet, (size_t)n);
        ++*ret_writes;
    }
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void
assert_aborts(void (*work)(void))
{
    AUTO(buf_finish) struct buf text = {0};
    size_t writes;
    int status = run_in_child(work, &text, &writes);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_true(str_starts_with(buf_str(&text), STR("gloss: out of memory: ")));
    assert_int_equal(str_find_char(buf_str(&text), '\n'), text.n - 1);
    assert_int_equal(writes, 1);
}
