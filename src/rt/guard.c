/* Why: a language server must not outlive us, not even after kill -9, and not by hiding in a
 * session of its own. A process group does not catch that; a subreaper does: every orphan below
 * comes back to it as a child. There are two of them, one below the other, for a guard may be killed
 * like any process: the other one then ends what is left.
 * Invariant: all signals we act on are blocked and taken one by one with sigwaitinfo, so nothing
 * races; the guard ends only when it has no child left. */
#include "rt/guard.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "rt/proc.h"

#define PARENT_GONE_SIGNAL (SIGRTMIN + 6)
#define GRACE_PARENT_GONE_MS 2000
/* For what a program left behind when it ended by itself. */
#define GRACE_LEFTOVER_MS 500
#define EXIT_NOT_STARTED 127
#define SPREAD_LOOKS_MAX 8

struct guard {
    pid_t parent;
    const char *program;
    const char *name; // args[0]
    char **args;      // args[0] is to be set to name
    uint64_t memory_limit_bytes;
    sigset_t signals;
    pid_t pid;     // of the program, or of the inner guard
    bool is_outer; // the program is the inner guard's
    bool is_program_over;
    int exit_code;
    cpu_set_t processors; // ours, and so the program's at first
};

static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static int
parse_args(struct guard *g, int argc, char **argv)
{
    uint64_t parent = 0;
    if (argc < 5 || str_to_u64(str_of(argv[2]), &parent) < 0 || parent > INT_MAX)
        return -EINVAL;
    g->parent = (pid_t)parent;
    int i = 3;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        struct str option = str_of(argv[i]);
        struct str memory = STR("--memory=");
        struct str name = STR("--name=");
        if (str_starts_with(option, name)) {
            g->name = argv[i] + name.n;
        } else if (str_starts_with(option, memory)) {
            option = str_slice(option.p + memory.n, option.n - memory.n);
            if (str_to_u64(option, &g->memory_limit_bytes) < 0)
                return -EINVAL;
        } else {
            return -EINVAL;
        }
    }
    if (i + 1 >= argc)
        return -EINVAL;
    g->program = argv[i + 1];
    g->args = &argv[i + 1];
    if (!g->name)
        g->name = g->program;
    return 0;
}

static void
take_over_signals(struct guard *g)
{
    sigemptyset(&g->signals);
    sigaddset(&g->signals, SIGCHLD);
    sigaddset(&g->signals, GUARD_SIGNAL);
    sigaddset(&g->signals, PARENT_GONE_SIGNAL);
    for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
        sigaddset(&g->signals, forwarded[i]);
    sigprocmask(SIG_BLOCK, &g->signals, NULL);
    signal(SIGCHLD,
           SIG_DFL); // ignored by inheritance it would not come, nor leave a status
}

/* In the new process, until exec. */
static NORETURN void
become_program(const struct guard *g, pid_t guard_pid, int error_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard_pid)
        _exit(EXIT_NOT_STARTED);
    setsid();
    if (g->memory_limit_bytes > 0) {
        struct rlimit limit = {g->memory_limit_bytes, g->memory_limit_bytes};
        setrlimit(RLIMIT_AS, &limit);
    }
    for (int signum = 1; signum < NSIG; signum++)
        signal(signum, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    g->args[0] = (char *)(uintptr_t)g->name;
    execv(g->program, g->args);
    int error = errno;
    ssize_t n UNUSED = write(error_fd, &error, sizeof(error));
    _exit(EXIT_NOT_STARTED);
}

/* Returns after the exec: from then on the program has its session and its signals. */
static int
start_program(struct guard *g)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    pid_t guard_pid = getpid();
    g->pid = fork();
    if (g->pid == 0)
        become_program(g, guard_pid, fds[1]);
    int r = g->pid < 0 ? -errno : 0;
    close(fds[1]);
    int error = 0;
    ssize_t n = 0;
    while (r == 0 && (n = read(fds[0], &error, sizeof(error))) < 0 && errno == EINTR)
        ;
    close(fds[0]);
    if (n == sizeof(error))
        r = -error;
    if (r < 0 && g->pid > 0)
        waitpid(g->pid, NULL, 0);
    return r;
}

/* Our copies would keep the pipes open behind the program's end. */
static void
let_go_of_stdio(void)
{
    int fd = open("/dev/null", O_RDWR);
    for (int to = 0; fd >= 0 && to <= STDERR_FILENO; to++)
        dup2(fd, to);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void
note_exit(struct guard *g, pid_t pid, int status)
{
    if (pid != g->pid || g->is_program_over)
        return;
    g->is_program_over = true;
    g->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* False when no child is left. */
static bool
reap(struct guard *g)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            return true;
        if (pid < 0 && errno != EINTR)
            return false;
        if (pid > 0)
            note_exit(g, pid, status);
    }
}

static void
signal_tree(const struct guard *g, int signum)
{
    /* Once reaped, its number may be anybody's. */
    if (!g->is_program_over)
        kill(-g->pid, signum);
    struct proc_pids tree = {0};
    proc_add_descendants(getpid(), &tree);
    for (size_t i = 0; i < tree.pids.n; i++)
        kill(tree.pids.v[i], signum);
    vec_finish(&tree.pids);
}

static void
kill_all(struct guard *g)
{
    /* Whoever forked in time comes to us as an orphan: look again after every death. */
    int status;
    do {
        signal_tree(g, SIGKILL);
        pid_t pid = waitpid(-1, &status, 0);
        if (pid > 0)
            note_exit(g, pid, status);
        else if (errno != EINTR)
            return;
    } while (true);
}

static bool
is_kill_order(const siginfo_t *info)
{
    return info->si_signo == GUARD_SIGNAL && info->si_value.sival_int == SIGKILL;
}

static bool
is_parent_gone(const struct guard *g)
{
    return getppid() != g->parent;
}

/* TERM, then up to grace_ms, then KILL, until no child is left. */
static void
end_all(struct guard *g, int64_t grace_ms)
{
    if (!reap(g))
        return;
    signal_tree(g, SIGTERM);
    signal_tree(g, SIGCONT); // who is stopped could not hear it
    int64_t deadline_ms = clock_mono_ms() + grace_ms;
    while (reap(g)) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            break;
        struct timespec left = {.tv_sec = (time_t)(left_ms / 1000),
                                .tv_nsec = (long)(left_ms % 1000) * 1000000L};
        siginfo_t info;
        if (sigtimedwait(&g->signals, &info, &left) > 0 && is_kill_order(&info))
            break;
    }
    kill_all(g);
}

static void
spread(const struct guard *g, bool is_one_left)
{
    cpu_set_t to = g->processors;
    if (is_one_left && !proc_leave_one(&to))
        return;
    /* Who was started meanwhile by one that had not been moved yet is found by the next look. */
    bool is_moving = true;
    for (int i = 0; i < SPREAD_LOOKS_MAX && is_moving; i++) {
        struct proc_pids tree = {0};
        is_moving = false;
        proc_add_descendants(getpid(), &tree);
        for (size_t at = 0; at < tree.pids.n; at++)
            is_moving |= proc_set_processors(tree.pids.v[at], &to);
        vec_finish(&tree.pids);
    }
}

static void
pass_on(const struct guard *g, int order)
{
    union sigval value = {.sival_int = order};
    if (g->is_outer)
        sigqueue(g->pid, GUARD_SIGNAL, value);
    else if (order == GUARD_LEAVE_PROCESSOR || order == GUARD_TAKE_PROCESSORS)
        spread(g, order == GUARD_LEAVE_PROCESSOR);
    else
        kill(-g->pid, order);
}

static void
watch_over(struct guard *g)
{
    while (!g->is_program_over) {
        siginfo_t info;
        int signum = sigwaitinfo(&g->signals, &info);
        if (signum < 0)
            continue; // EINTR: stopped and continued
        if (signum == SIGCHLD) {
            reap(g);
        } else if (signum == PARENT_GONE_SIGNAL) {
            if (is_parent_gone(g)) {
                end_all(g, GRACE_PARENT_GONE_MS);
                return;
            }
        } else if (is_kill_order(&info)) {
            kill_all(g);
            return;
        } else {
            pass_on(g, signum == GUARD_SIGNAL ? info.si_value.sival_int : signum);
        }
    }
    end_all(g, GRACE_LEFTOVER_MS);
}

/* The inner one goes on in the new process. */
static void
split(struct guard *g)
{
    pid_t outer = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return; // one is better than none
    g->is_outer = pid > 0;
    if (g->is_outer) {
        g->pid = pid;
        return;
    }
    g->parent = outer;
    setsid();
    prctl(PR_SET_PDEATHSIG, PARENT_GONE_SIGNAL);
}

int
guard_main(int argc, char **argv)
{
    struct guard g = {.exit_code = EXIT_NOT_STARTED};
    if (parse_args(&g, argc, argv) < 0) {
        dprintf(STDERR_FILENO, "usage: %s __guard PARENT_PID -- PROGRAM [ARGS...]\n",
                argc > 0 ? argv[0] : "gloss");
        return 2;
    }
    take_over_signals(&g);
    prctl(PR_SET_PDEATHSIG, PARENT_GONE_SIGNAL);
    if (is_parent_gone(&g))
        return EXIT_NOT_STARTED; // it died before we asked to be told
    split(&g);
    if (!g.is_outer && is_parent_gone(&g))
        return EXIT_NOT_STARTED;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "gloss-guard");
    int r = g.is_outer ? 0 : start_program(&g);
    if (r < 0) {
        dprintf(STDERR_FILENO, "%s: cannot be started: %s\n", g.program, strerror(-r));
        return EXIT_NOT_STARTED;
    }
    let_go_of_stdio();
    sched_getaffinity(0, sizeof(g.processors), &g.processors);
    if (chdir("/") < 0)
        return EXIT_NOT_STARTED;
    watch_over(&g);
    return g.exit_code;
}
