/* Why: other people's programs, with pipes, a bounded life and a known end.
 * Invariant: fork and exec are ours, not libuv's, because the death signal, the memory limit and
 * the blocked GUARD_SIGNAL have to be set between the two; libuv reaps only what it spawned, so
 * the exit is ours to collect, once, on SIGCHLD. `pid` is signalled only until it is collected. */
#include "rt/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "rt/guard.h"
#include "rt/proc.h"
#include "rt/timer.h"

#define CHILD_ARGS_MAX 4096
#define EXIT_NOT_STARTED 127

extern char **environ;

struct child {
    struct loop *loop;
    uv_signal_t sigchld;
    struct timer *grace;
    pid_t pid;
    bool is_guarded;
    bool is_over;
    bool is_closed;
    bool is_handle_closed;
    struct stream *streams[3];
    void (*on_exit)(void *ctx, int64_t status, int signum);
    void *ctx;
};

/* What the new process needs; all of it made before the fork. */
struct launch {
    const char *path;
    char **argv;
    char *const *env;
    const char *cwd;
    uint64_t memory_limit_bytes;
    int niceness;
    bool is_guarded;
    pid_t parent;
    int stdio[3];
    int error_fd;
};

static int
check_program(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EACCES;
    return access(path, X_OK) < 0 ? -errno : 0;
}

/* A pipe whose ends lie above stdio, so that dup2 to 0..2 in the new process destroys neither. */
static int
open_pipe(int ret_fds[2])
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_trace(-errno);
    for (int i = 0; i < 2; i++) {
        if (fds[i] > STDERR_FILENO)
            continue;
        int above = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        int r = -errno;
        close(fds[i]);
        fds[i] = above;
        if (above < 0) {
            close(fds[0] == above ? fds[1] : fds[0]);
            return err_trace(r);
        }
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return 0;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the new process: nothing but system calls until exec. */
static NORETURN void
become(const struct launch *launch)
{
    sigset_t mask;
    setsid();
    if (launch->niceness > 0)
        setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + launch->niceness);
    if (!launch->is_guarded) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != launch->parent)
            _exit(EXIT_NOT_STARTED);
        if (launch->memory_limit_bytes > 0) {
            struct rlimit limit = {launch->memory_limit_bytes,
                                   launch->memory_limit_bytes};
            setrlimit(RLIMIT_AS, &limit);
        }
    }
    for (int signum = 1; signum < NSIG; signum++)
        signal(signum, SIG_DFL);
    sigemptyset(&mask);
    if (launch->is_guarded)
        sigaddset(&mask, GUARD_SIGNAL);
    int error = 0;
    for (int i = 0; i < 3 && error == 0; i++)
        if (dup2(launch->stdio[i], i) < 0)
            error = errno;
    if (error == 0 && launch->cwd && chdir(launch->cwd) < 0)
        error = errno;
    if (error == 0) {
        /* Descriptors that a library of ours forgot to mark. */
        close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        execve(launch->path, launch->argv, launch->env);
        error = errno;
    }
    ssize_t n UNUSED = write(launch->error_fd, &error, sizeof(error));
    _exit(EXIT_NOT_STARTED);
}

/* Returns after the exec. */
static int
fork_and_exec(struct launch *launch, pid_t *ret_pid)
{
    int fds[2];
    int r = open_pipe(fds);
    if (r < 0)
        return err_trace(r);
    launch->error_fd = fds[1];
    launch->parent = getpid();
    /* libuv's handlers must not run in the new process: they write to a pipe it shares with us. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    r = pid < 0 ? -errno : 0;
    if (pid == 0)
        become(launch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(fds[1]);
    int error = 0;
    ssize_t n = 0;
    while (r == 0 && (n = read(fds[0], &error, sizeof(error))) < 0 && errno == EINTR)
        ;
    close(fds[0]);
    if (n == sizeof(error)) {
        waitpid(pid, NULL, 0);
        r = -error;
    }
    if (r == 0)
        *ret_pid = pid;
    return r;
}

/* argv of the guard, or of the program itself; the strings are in *ret_text. */
static int
make_argv(const struct child_options *o, char ***ret_argv, char *ret_text[3])
{
    size_t n = 0;
    while (o->args[n])
        n++;
    if (n == 0 || n > CHILD_ARGS_MAX)
        return err_trace(-EINVAL);
    char **argv = xcalloc(n + 8, sizeof(*argv));
    size_t at = 0;
    if (o->guard_program) {
        static char gloss[] = "gloss", guard[] = "__guard", dashes[] = "--";
        argv[at++] = gloss;
        argv[at++] = guard;
        argv[at++] = ret_text[0] = xasprintf("%d", (int)getpid());
        if (o->memory_limit_bytes > 0)
            argv[at++] = ret_text[1] =
                xasprintf("--memory=%" PRIu64, o->memory_limit_bytes);
        if (strcmp(o->args[0], o->program) != 0)
            argv[at++] = ret_text[2] = xasprintf("--name=%s", o->args[0]);
        argv[at++] = dashes;
        argv[at++] = (char *)(uintptr_t)o->program;
    } else {
        argv[at++] = o->args[0];
    }
    for (size_t i = 1; i < n; i++)
        argv[at++] = o->args[i];
    *ret_argv = argv;
    return 0;
}

/* pipes[i]: {the program's end, ours}. */
static int
open_stdio(int pipes[3][2])
{
    for (int i = 0; i < 3; i++) {
        int fds[2];
        int r = open_pipe(fds);
        if (r < 0)
            return err_trace(r);
        pipes[i][0] = i == STDIN_FILENO ? fds[0] : fds[1];
        pipes[i][1] = i == STDIN_FILENO ? fds[1] : fds[0];
    }
    return 0;
}

static int
launch_program(struct child *c, const struct child_options *o, const int pipes[3][2])
{
    char *text[3] = {NULL, NULL, NULL};
    struct launch launch = {
        .path = o->guard_program ? o->guard_program : o->program,
        .env = o->env ? o->env : environ,
        .cwd = o->cwd,
        .memory_limit_bytes = o->memory_limit_bytes,
        .niceness = o->niceness,
        .is_guarded = o->guard_program != NULL,
        .stdio = {pipes[0][0], pipes[1][0], pipes[2][0]},
    };
    int r = make_argv(o, &launch.argv, text);
    if (r == 0) {
        r = fork_and_exec(&launch, &c->pid);
        free(launch.argv);
    }
    for (size_t i = 0; i < ARRAY_LEN(text); i++)
        free(text[i]);
    return r;
}

static void
child_free_if_done(struct child *c)
{
    if (c->is_closed && c->is_handle_closed)
        free(c);
}

static void
on_handle_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;
    c->is_handle_closed = true;
    child_free_if_done(c);
}

static void
close_streams(struct child *c)
{
    for (int i = 0; i < 3; i++)
        stream_close(steal(c->streams[i]));
}

static void
on_sigchld(uv_signal_t *handle, UNUSED int signum)
{
    struct child *c = handle->data;
    int status = 0;
    pid_t pid;
    do
        pid = waitpid(c->pid, &status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    if (pid == 0)
        return;
    c->is_over = true;
    timer_close(steal(c->grace));
    uv_close((uv_handle_t *)&c->sigchld, on_handle_closed);
    if (c->is_closed || !c->on_exit)
        return;

    int64_t code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    int killer = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (c->is_guarded && code > 128 && code < 128 + NSIG) {
        killer = (int)code - 128;
        code = 0;
    }
    c->on_exit(c->ctx, code, killer);
}

static int
wrap_streams(struct child *c, int pipes[3][2])
{
    for (int i = 0; i < 3; i++) {
        int r = stream_open_fd(c->loop, pipes[i][1], &c->streams[i]);
        if (r < 0)
            return err_trace(r);
        pipes[i][1] = -1;
    }
    return 0;
}

static void
on_grace_over(void *ctx)
{
    child_kill(ctx, SIGKILL);
}

int
child_open(struct loop *l, const struct child_options *options,
           void (*on_exit)(void *ctx, int64_t status, int signum), void *ctx,
           struct child **ret_child)
{
    ASSERT_LOOP();
    int r = check_program(options->program);
    if (r < 0)
        return r;
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    struct child *c = xnew(struct child);
    c->loop = l;
    c->on_exit = on_exit;
    c->ctx = ctx;
    c->is_guarded = options->guard_program != NULL;
    c->pid = -1;
    uv_signal_init(&l->uv, &c->sigchld);
    c->sigchld.data = c;
    c->grace = timer_open(l, on_grace_over, c);

    r = open_stdio(pipes);
    if (r == 0)
        r = wrap_streams(c, pipes);
    /* Before the fork: the program may be over before we are back. */
    if (r == 0)
        r = uv_signal_start(&c->sigchld, on_sigchld, SIGCHLD);
    if (r == 0)
        r = launch_program(c, options, (const int(*)[2])pipes);
    for (int i = 0; i < 3; i++) {
        close_fd(&pipes[i][0]);
        close_fd(&pipes[i][1]);
    }
    if (r < 0) {
        close_streams(c);
        timer_close(steal(c->grace));
        c->is_closed = true;
        uv_close((uv_handle_t *)&c->sigchld, on_handle_closed);
        return err_trace(r);
    }
    *ret_child = c;
    return 0;
}

struct stream *
child_stdin(struct child *c)
{
    return steal(c->streams[0]);
}

struct stream *
child_stdout(struct child *c)
{
    return steal(c->streams[1]);
}

struct stream *
child_stderr(struct child *c)
{
    return steal(c->streams[2]);
}

int
child_pid(const struct child *c)
{
    return c->pid;
}

void
child_kill(struct child *c, int signum)
{
    ASSERT_LOOP();
    if (c->is_over)
        return;
    if (!c->is_guarded) {
        kill(-c->pid, signum);
        return;
    }
    union sigval value = {.sival_int = signum};
    /* The kernel's queue may be full; KILL of the guard at least takes the program with it. */
    if (sigqueue(c->pid, GUARD_SIGNAL, value) < 0)
        kill(c->pid, signum);
}

void
child_leave_processor(struct child *c, bool is_left)
{
    ASSERT_LOOP();
    union sigval value = {.sival_int =
                              is_left ? GUARD_LEAVE_PROCESSOR : GUARD_TAKE_PROCESSORS};
    if (c->is_guarded && !c->is_over)
        sigqueue(c->pid, GUARD_SIGNAL, value);
}

void
child_terminate(struct child *c, uint64_t grace_ms)
{
    ASSERT_LOOP();
    if (c->is_over)
        return;
    child_kill(c, SIGTERM);
    timer_start(c->grace, grace_ms, 0);
}

uint64_t
child_rss_bytes(const struct child *c)
{
    if (c->is_over)
        return 0;
    /* The guard is ours, not the program's. */
    uint64_t sum = c->is_guarded ? 0 : proc_rss_bytes(c->pid);
    struct proc_pids tree = {0};
    proc_add_descendants(c->pid, &tree);
    for (size_t i = c->is_guarded; i < tree.pids.n; i++) // nor is the inner one
        sum += proc_rss_bytes(tree.pids.v[i]);
    vec_finish(&tree.pids);
    return sum;
}

void
child_close(struct child *c)
{
    if (!c)
        return;
    ASSERT_LOOP();
    assert(!c->is_closed);
    close_streams(c);
    timer_close(steal(c->grace));
    c->is_closed = true;
    if (!c->is_over)
        child_kill(c, SIGKILL); // on_sigchld collects it
    child_free_if_done(c);
}
