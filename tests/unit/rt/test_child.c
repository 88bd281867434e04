/* Children, guarded and not; the guard's promise that nothing outlives its parent.
 * This executable plays further roles: "__guard" is the guard, "__parent" starts a guarded tree
 * and waits to be killed, "__tree" hides a descendant as well as it can. The death of a tree is
 * seen by the end of a FIFO that all of it holds open. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/check.h"
#include "rt/child.h"
#include "rt/guard.h"
#include "rt/proc.h"

static char own_path[4096];

static void
find_own_path(void)
{
    ssize_t n = readlink("/proc/self/exe", own_path, sizeof(own_path) - 1);
    own_path[n > 0 ? n : 0] = '\0';
}

/* -- roles -- */

static NORETURN void
wait_for_ever(void)
{
    for (;;)
        pause();
}

/* A session of its own, an orphan, deaf to TERM. Returns when it is all that. */
static void
hide_descendant(int fd)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        _exit(1);
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        if (write(fd, "hidden\n", 7) != 7 || write(ready[1], "r", 1) != 1)
            _exit(1);
        wait_for_ever();
    }
    char byte;
    wait(NULL);
    if (read(ready[0], &byte, 1) != 1)
        _exit(1);
    close(ready[0]);
    close(ready[1]);
}

static int
role_tree(const char *fifo, bool stays)
{
    int fd = open(fifo, O_WRONLY);
    if (fd < 0)
        return 1;
    hide_descendant(fd);
    if (!stays)
        return 3;
    if (write(fd, "top\n", 4) != 4)
        return 1;
    wait_for_ever();
}

static void
ignore_exit(UNUSED void *ctx, UNUSED int64_t status, UNUSED int signum)
{
}

static int
role_parent(char *fifo)
{
    struct loop l;
    struct child *c;
    char *args[] = {own_path, (char[]){"__tree"}, fifo, (char[]){"stay"}, NULL};
    struct child_options options = {
        .program = own_path, .args = args, .guard_program = own_path};
    if (loop_init(&l) < 0 || child_open(&l, &options, ignore_exit, NULL, &c) < 0)
        return 1;
    loop_run(&l);
    return 1;
}

/* -1: no role, run the tests. */
static int
play_role(int argc, char **argv)
{
    find_own_path();
    if (argc < 3)
        return -1;
    if (strcmp(argv[1], "__guard") == 0)
        return guard_main(argc, argv);
    if (strcmp(argv[1], "__parent") == 0)
        return role_parent(argv[2]);
    if (strcmp(argv[1], "__tree") == 0)
        return role_tree(argv[2], argc > 3);
    return -1;
}

/* -- a child and all it says -- */

struct run {
    struct child *c;
    struct heard in, out, err;
    bool is_over;
    int n_exits;
    int64_t status;
    int signum;
};

static void
note_exit(void *ctx, int64_t status, int signum)
{
    struct run *r = ctx;
    r->n_exits++;
    r->status = status;
    r->signum = signum;
    r->is_over = true;
}

static void
run_open(struct loop *l, struct run *r, const struct child_options *o)
{
    assert_int_equal(child_open(l, o, note_exit, r, &r->c), 0);
    r->in.s = child_stdin(r->c);
    r->out.s = child_stdout(r->c);
    r->err.s = child_stderr(r->c);
    assert_null(child_stdin(r->c)); // given away once
    stream_start(r->in.s, &hearing, &r->in);
    stream_start(r->out.s, &hearing, &r->out);
    stream_start(r->err.s, &hearing, &r->err);
}

static void
run_shell(struct loop *l, struct run *r, const char *script, bool is_guarded)
{
    char *args[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
    struct child_options o = {.program = "/bin/sh",
                              .args = args,
                              .guard_program = is_guarded ? own_path : NULL};
    run_open(l, r, &o);
}

static void
run_finish(struct run *r)
{
    heard_finish(&r->in);
    heard_finish(&r->out);
    heard_finish(&r->err);
    child_close(r->c);
}

static void
test_child_cat(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        char *args[] = {(char[]){"cat"}, NULL};
        struct child_options o = {.program = "/bin/cat",
                                  .args = args,
                                  .guard_program = guarded ? own_path : NULL};
        run_open(&l, &r, &o);
        assert_true(child_pid(r.c) > 0);
        AUTO(free) char *pattern = make_pattern(MEGABYTE);
        r.out.wanted = MEGABYTE;
        stream_write(r.in.s, str_slice(pattern, MEGABYTE));
        run_until(&l, &r.out.is_enough);
        assert_pattern(buf_str(&r.out.bytes));
        assert_true(child_rss_bytes(r.c) > 4096);
        assert_false(r.is_over);
        stream_shutdown(r.in.s);
        run_until(&l, &r.out.has_ended);
        run_until(&l, &r.is_over);
        assert_int_equal(r.status, 0);
        assert_int_equal(r.signum, 0);
        assert_int_equal(child_rss_bytes(r.c), 0);
        child_kill(r.c, SIGTERM); // nobody is there any more
        child_terminate(r.c, 1);
        run_finish(&r);
        FINISH_LOOP(l);
        assert_int_equal(r.n_exits, 1);
    }
}

static void
test_child_status_and_signal(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run a = {0}, b = {0}, c = {0};
        run_shell(&l, &a, "echo out; echo err >&2; exit 7", guarded);
        run_shell(&l, &b, "kill -USR1 $$", guarded);
        run_shell(&l, &c, "kill -KILL $$", guarded);
        run_until(&l, &a.is_over);
        run_until(&l, &b.is_over);
        run_until(&l, &c.is_over);
        run_until(&l, &a.out.has_ended);
        run_until(&l, &a.err.has_ended);
        assert_true(str_eq_c(buf_str(&a.out.bytes), "out\n"));
        assert_true(str_eq_c(buf_str(&a.err.bytes), "err\n"));
        assert_int_equal(a.status, 7);
        assert_int_equal(a.signum, 0);
        assert_int_equal(b.signum, SIGUSR1);
        assert_int_equal(c.signum, SIGKILL);
        assert_int_equal(c.status, 0);
        run_finish(&a);
        run_finish(&b);
        run_finish(&c);
        FINISH_LOOP(l);
    }
}

static void
test_child_environment(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        char *args[] = {(char[]){"a name"}, (char[]){"-c"},
                        (char[]){"echo $0 $1 $WORD $(pwd) $(ulimit -v)"}, NULL};
        char *env[] = {(char[]){"WORD=word"}, NULL};
        struct child_options o = {.program = "/bin/sh",
                                  .args = args,
                                  .env = env,
                                  .cwd = "/usr",
                                  .guard_program = guarded ? own_path : NULL,
                                  .memory_limit_bytes = (uint64_t)512 << 20};
        run_open(&l, &r, &o);
        run_until(&l, &r.out.has_ended);
        run_until(&l, &r.is_over);
        assert_true(str_eq_c(buf_str(&r.out.bytes), "a name word /usr 524288\n"));
        run_finish(&r);
        FINISH_LOOP(l);
    }
}

static void
test_child_niceness(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        char *args[] = {(char[]){"nice"}, NULL};
        struct child_options o = {.program = "/usr/bin/nice",
                                  .args = args,
                                  .guard_program = guarded ? own_path : NULL,
                                  .niceness = 7};
        int nice_is = MIN(getpriority(PRIO_PROCESS, 0) + 7, 19);
        AUTO(free) char *wanted = xasprintf("%d\n", nice_is);
        run_open(&l, &r, &o);
        run_until(&l, &r.out.has_ended);
        run_until(&l, &r.is_over);
        assert_true(str_eq_c(buf_str(&r.out.bytes), wanted));
        run_finish(&r);
        FINISH_LOOP(l);
    }
}

/* Those of a guarded one, wherever in its tree, be it hidden; of an unguarded one nothing is said. */
static void
test_child_leaves_processor(UNUSED void **state)
{
    static const char script[] =
        "n=$(nproc); echo $n; setsid sh -c 'trap \"\" HUP; while [ $(nproc) = '$n' ]; do "
        ":; "
        "done; echo left; while [ $(nproc) != '$n' ]; do :; done; echo all'";
    cpu_set_t ours;
    sched_getaffinity(0, sizeof(ours), &ours);
    OPEN_LOOP(l);
    struct run r = {0};
    run_shell(&l, &r, script, true);
    r.out.wanted = 2;
    run_until(&l, &r.out.is_enough);
    if (CPU_COUNT(&ours) > 1) {
        r.out.is_enough = false;
        r.out.wanted += strlen("left\n");
        child_leave_processor(r.c, true);
        run_until(&l, &r.out.is_enough);
        child_leave_processor(r.c, true); // as it is
        child_leave_processor(r.c, false);
        run_until(&l, &r.out.has_ended);
        run_until(&l, &r.is_over);
        AUTO(free)
        char *wanted = xasprintf("%d\nleft\nall\n", CPU_COUNT(&ours));
        assert_true(str_eq_c(buf_str(&r.out.bytes), wanted));
    } else {
        child_leave_processor(r.c, true); // the only one stays
        child_kill(r.c, SIGKILL);
        run_until(&l, &r.is_over);
    }
    child_leave_processor(r.c, true); // nobody is there any more
    run_finish(&r);
    FINISH_LOOP(l);
}

static int
open_failing(struct loop *l, struct run *r, const char *program, const char *cwd,
             bool is_guarded)
{
    char *args[] = {(char[]){"x"}, NULL};
    struct child_options o = {.program = program,
                              .args = args,
                              .cwd = cwd,
                              .guard_program = is_guarded ? own_path : NULL};
    return child_open(l, &o, note_exit, r, &r->c);
}

static void
test_child_cannot_start(UNUSED void **state)
{
    AUTO(free) char *dir = scratch_make("rt");
    AUTO(free) char *plain = xasprintf("%s/plain", dir);
    AUTO(free) char *garbage = xasprintf("%s/garbage", dir);
    AUTO(free) char *missing = xasprintf("%s/missing", dir);
    close(open(plain, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    int fd = open(garbage, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    assert_int_equal(write(fd,
                           "\x7f"
                           "ELF nothing",
                           12),
                     12);
    close(fd);
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        assert_int_equal(open_failing(&l, &r, missing, NULL, guarded), -ENOENT);
        assert_int_equal(open_failing(&l, &r, plain, NULL, guarded), -EACCES);
        assert_int_equal(open_failing(&l, &r, dir, NULL, guarded), -EACCES);
        assert_int_equal(open_failing(&l, &r, "/bin/true", missing, guarded), -ENOENT);
        assert_null(r.c);
        int g = open_failing(&l, &r, garbage, NULL, guarded);
        if (guarded) { // seen only by the guard
            assert_int_equal(g, 0);
            run_until(&l, &r.is_over);
            assert_int_equal(r.status, 127);
            child_close(r.c);
        } else {
            assert_int_equal(g, -ENOEXEC);
        }
        FINISH_LOOP(l);
        assert_int_equal(r.n_exits, guarded);
    }
    unlink(plain);
    unlink(garbage);
    assert_int_equal(rmdir(dir), 0);
}

static void
test_child_kill_reaches_group(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        r.out.wanted = 6;
        run_shell(&l, &r,
                  "trap 'echo heard; exit 5' USR2; (echo ready; exec sleep 600) & wait",
                  guarded);
        run_until(&l, &r.out.is_enough);
        r.out.is_enough = false;
        r.out.wanted = 12;
        child_kill(r.c, SIGUSR2); // ends the sleep as well, or the stdout stays open
        run_until(&l, &r.out.has_ended);
        run_until(&l, &r.is_over);
        assert_true(str_eq_c(buf_str(&r.out.bytes), "ready\nheard\n"));
        assert_int_equal(r.status, 5);
        run_finish(&r);
        FINISH_LOOP(l);
    }
}

/* What the program closes is closed: the guard holds no copy. */
static void
test_child_closes_streams(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        run_shell(&l, &r, "exec <&- >&- 2>&-; sleep 600", guarded);
        run_until(&l, &r.out.has_ended);
        run_until(&l, &r.err.has_ended);
        assert_false(r.is_over);
        stream_write(r.in.s, STR("nobody reads"));
        run_until(&l, &r.in.has_ended);
        assert_int_equal(r.in.end_r, -EPIPE);
        child_kill(r.c, SIGKILL);
        run_until(&l, &r.is_over);
        run_finish(&r);
        FINISH_LOOP(l);
    }
}

static const char deaf[] = "trap '' TERM; echo ready; sleep 600; sleep 600";

static void
test_child_terminate(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run stubborn = {0}, polite = {0};
        stubborn.out.wanted = polite.out.wanted = 6;
        run_shell(&l, &stubborn, deaf, guarded);
        run_shell(&l, &polite, "echo ready; sleep 600", guarded);
        run_until(&l, &stubborn.out.is_enough);
        run_until(&l, &polite.out.is_enough);
        int64_t start_ms = clock_mono_ms();
        child_terminate(stubborn.c, 50);
        child_terminate(polite.c, 3600000);
        run_until(&l, &stubborn.is_over);
        assert_true(clock_mono_ms() - start_ms >= 49);
        run_until(&l, &stubborn.out.has_ended); // its sleep is gone too
        run_until(&l, &polite.is_over);
        assert_int_equal(stubborn.signum, SIGKILL);
        assert_int_equal(polite.signum, SIGTERM);
        run_finish(&stubborn);
        run_finish(&polite);
        FINISH_LOOP(l);
    }
}

static void
test_child_close_kills(UNUSED void **state)
{
    for (int guarded = 0; guarded < 2; guarded++) {
        OPEN_LOOP(l);
        struct run r = {0};
        r.out.wanted = 6;
        run_shell(&l, &r, deaf, guarded);
        run_until(&l, &r.out.is_enough);
        pid_t pid = child_pid(r.c);
        child_close(r.c);
        run_until(&l, &r.out.has_ended);
        heard_finish(&r.in);
        heard_finish(&r.out);
        heard_finish(&r.err);
        FINISH_LOOP(l); // waits until it is collected
        assert_int_equal(kill(pid, 0), -1);
        assert_int_equal(r.n_exits, 0);
        child_close(NULL);

        /* At once, the streams not taken. */
        OPEN_LOOP(again);
        char *args[] = {(char[]){"cat"}, NULL};
        struct child_options o = {.program = "/bin/cat",
                                  .args = args,
                                  .guard_program = guarded ? own_path : NULL};
        assert_int_equal(child_open(&again, &o, note_exit, &r, &r.c), 0);
        child_close(r.c);
        FINISH_LOOP(again);
        assert_int_equal(r.n_exits, 0);
    }
}

/* -- the guard -- */

struct fifo {
    char *dir, *path;
    int write_fd; // ours: until the tree holds it, or the end would come at once
    struct heard heard;
};

static void
fifo_open(struct loop *l, struct fifo *f, size_t wanted)
{
    f->dir = scratch_make("rt");
    f->path = xasprintf("%s/fifo", f->dir);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    int fd = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    f->write_fd = open(f->path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && f->write_fd >= 0);
    f->heard = (struct heard){.wanted = wanted};
    open_heard(l, fd, &f->heard);
}

static void
fifo_finish(struct fifo *f)
{
    heard_finish(&f->heard);
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
    free(f->path);
    free(f->dir);
}

static void
run_role(struct loop *l, struct run *r, const char *role, char *fifo, char *extra,
         bool is_guarded)
{
    char *args[] = {own_path, (char *)(uintptr_t)role, fifo, extra, NULL};
    struct child_options o = {
        .program = own_path, .args = args, .guard_program = is_guarded ? own_path : NULL};
    run_open(l, r, &o);
}

static void
test_guard_parent_killed(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct fifo f;
    struct run r = {0};
    fifo_open(&l, &f, 11); // "hidden\n" and "top\n"
    run_role(&l, &r, "__parent", f.path, NULL, false);
    run_until(&l, &f.heard.is_enough);
    close(f.write_fd);
    assert_false(f.heard.has_ended);
    child_kill(r.c, SIGKILL); // the parent alone: its tree lives in sessions of its own
    run_until(&l, &r.is_over);
    assert_int_equal(r.signum, SIGKILL);
    run_until(&l, &f.heard.has_ended); // nobody of the tree is left
    run_finish(&r);
    fifo_finish(&f);
    FINISH_LOOP(l);
}

/* Either guard, from outside: the other one ends the tree. */
static void
test_guard_killed(UNUSED void **state)
{
    for (int is_inner = 0; is_inner < 2; is_inner++) {
        OPEN_LOOP(l);
        struct fifo f;
        struct run r = {0};
        struct proc_pids tree = {0};
        fifo_open(&l, &f, 11);
        run_role(&l, &r, "__tree", f.path, (char[]){"stay"}, true);
        run_until(&l, &f.heard.is_enough);
        close(f.write_fd);
        proc_add_descendants(child_pid(r.c), &tree);
        assert_true(tree.pids.n >= 3); // the inner one, the program, the hidden one
        kill(is_inner ? tree.pids.v[0] : child_pid(r.c), SIGKILL);
        run_until(&l, &r.is_over);
        assert_int_equal(r.signum, SIGKILL);
        run_until(&l, &f.heard.has_ended);
        vec_finish(&tree.pids);
        run_finish(&r);
        fifo_finish(&f);
        FINISH_LOOP(l);
    }
}

static void
test_guard_kill_hidden(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct fifo f;
    struct run r = {0};
    fifo_open(&l, &f, 11);
    run_role(&l, &r, "__tree", f.path, (char[]){"stay"}, true);
    run_until(&l, &f.heard.is_enough);
    close(f.write_fd);
    assert_true(child_rss_bytes(r.c) > 2 * 4096);
    child_kill(r.c, SIGKILL);
    run_until(&l, &f.heard.has_ended);
    run_until(&l, &r.is_over);
    assert_int_equal(r.signum, SIGKILL);
    run_finish(&r);
    fifo_finish(&f);
    FINISH_LOOP(l);
}

static void
test_guard_leftovers(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct fifo f;
    struct run r = {0};
    fifo_open(&l, &f, 7);
    run_role(&l, &r, "__tree", f.path, NULL, true); // ends by itself
    run_until(&l, &f.heard.is_enough);
    close(f.write_fd);
    run_until(&l, &r.is_over);
    assert_int_equal(r.status, 3);
    run_until(&l, &f.heard.has_ended);
    run_finish(&r);
    fifo_finish(&f);
    FINISH_LOOP(l);
}

static void
test_guard_outside_signals(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct run r = {0};
    r.out.wanted = 6;
    run_shell(&l, &r, "trap 'exit 9' TERM; echo ready; sleep 600 & wait", true);
    run_until(&l, &r.out.is_enough);
    kill(child_pid(r.c), SIGTERM); // from anybody: goes on to the program
    run_until(&l, &r.is_over);
    assert_int_equal(r.status, 9);
    run_finish(&r);

    struct run stopped = {0};
    stopped.out.wanted = 6;
    run_shell(&l, &stopped, "echo ready; sleep 600", true);
    run_until(&l, &stopped.out.is_enough);
    child_kill(stopped.c, SIGSTOP); // stops the program, not the guard
    child_kill(stopped.c, SIGTERM);
    child_kill(stopped.c, SIGCONT);
    run_until(&l, &stopped.is_over);
    assert_int_equal(stopped.signum, SIGTERM);
    run_finish(&stopped);
    FINISH_LOOP(l);
}

static void
test_guard_bad_arguments(UNUSED void **state)
{
    char *short_args[] = {own_path, (char[]){"__guard"}, (char[]){"1"}, NULL};
    char *no_program[] = {own_path,      (char[]){"__guard"}, (char[]){"1"},
                          (char[]){"x"}, (char[]){"--"},      NULL};
    char *bad_pid[] = {own_path,       (char[]){"__guard"},   (char[]){"one"},
                       (char[]){"--"}, (char[]){"/bin/true"}, NULL};
    assert_int_equal(guard_main(3, short_args), 2);
    assert_int_equal(guard_main(5, no_program), 2);
    assert_int_equal(guard_main(5, bad_pid), 2);

    /* A parent that is not ours: it died before the guard could ask to be told. */
    OPEN_LOOP(l);
    struct run r = {0};
    char *args[] = {own_path,
                    (char[]){"__guard"},
                    (char[]){"1"},
                    (char[]){"--"},
                    (char[]){"/bin/echo"},
                    (char[]){"started"},
                    NULL};
    struct child_options o = {.program = own_path, .args = args};
    run_open(&l, &r, &o);
    run_until(&l, &r.is_over);
    run_until(&l, &r.out.has_ended);
    assert_int_equal(r.status, 127);
    assert_int_equal(r.out.bytes.n, 0);
    run_finish(&r);
    FINISH_LOOP(l);
}
