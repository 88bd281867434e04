/* Finding the user's engine, or starting one. A starter holds engine.start until its engine listens, so
 * two editors that open at once start one engine; the engine holds engine.lock while it lives. */
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"

#define ENGINE_LOG_BYTES_MAX (1u << 20)
#define ENGINE_CHANGE_MS 15000 // its servers have graces
#define ENGINE_CHANGE_POLL_MS 20

static char *
runtime_path(const char *name)
{
    AUTO(free) char *dir = config_runtime_dir();

    return path_join(dir, name);
}

char *
engine_socket_path(void)
{
    return runtime_path("engine.sock");
}

char *
engine_file_path(void)
{
    return runtime_path("engine.json");
}

char *
engine_lock_path(void)
{
    return runtime_path("engine.lock");
}

const char *
own_program(void)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    return n > 0 ? path : "/proc/self/exe";
}

/* The log of the engine before it says why it ended: kept until it is large. */
static int
log_flags(const char *path)
{
    struct fs_stat st;
    bool is_large = fs_stat_file(path, &st) == 0 && st.size_bytes > ENGINE_LOG_BYTES_MAX;

    return O_WRONLY | O_CREAT | (is_large ? O_TRUNC : O_APPEND);
}

static int
spawn_detached(int ready_fd)
{
    AUTO(free) char *log = runtime_path("engine.log");
    char fd_text[16];
    char *argv[] = {(char *)"gloss", (char *)"serve", (char *)"--ready-fd", fd_text,
                    NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    int r;

    snprintf(fd_text, sizeof(fd_text), "%d", ready_fd);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, log_flags(log), 0600);
    r = posix_spawn(&pid, own_program(), &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

/* 0 when the engine said "ready"; else *ret_why is its line. */
static int
start_engine(char **ret_why)
{
    char line[512];
    size_t n = 0;
    ssize_t got;
    int fds[2], r;

    if (pipe(fds) < 0)
        return -errno;
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    r = spawn_detached(fds[1]);
    close(fds[1]);
    if (r < 0) {
        close(fds[0]);
        *ret_why = xasprintf("cannot start the engine: %s", err_text(r));
        return r;
    }
    while (n < sizeof(line) - 1 &&
           (got = read(fds[0], line + n, sizeof(line) - 1 - n)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    close(fds[0]);
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "ready") == 0)
        return 0;
    *ret_why =
        n > 0 ? xstrdup(line)
              : xstrdup(
                    "the engine ended while it started; its log says why (gloss doctor)");
    return -ECONNREFUSED;
}

/* An engine that ends has closed its door and still holds its lock; one that a user starts just now
 * holds it and has no door yet. 0: it listens; else nothing does, and mostly nobody holds the lock. */
static int
wait_for_change(struct loop *l, const char *path, struct stream **ret_stream)
{
    AUTO(free) char *lock_path = engine_lock_path();
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int64_t end_ms = clock_mono_ms() + ENGINE_CHANGE_MS;
    int r = stream_connect_unix(l, path, ret_stream);

    while (r < 0 && fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 &&
           clock_mono_ms() < end_ms) {
        poll(NULL, 0, ENGINE_CHANGE_POLL_MS);
        r = stream_connect_unix(l, path, ret_stream);
    }
    close(fd);
    return r;
}

static int
connect_or_start(struct loop *l, const char *path, struct stream **ret_stream,
                 char **ret_why)
{
    AUTO(free) char *start_path = runtime_path("engine.start");
    int fd = open(start_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), r;

    if (fd < 0) {
        r = -errno;
        *ret_why = xasprintf("cannot write %s: %s", start_path, err_text(r));
        return r;
    }
    while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    r = wait_for_change(l, path, ret_stream); // somebody else may have been first
    if (r < 0) {
        int started =
            start_engine(ret_why); // fails too when one was started by hand just now
        r = stream_connect_unix(l, path, ret_stream);
        if (r < 0 && started < 0)
            r = started;
    }
    close(fd);
    if (r < 0 && !*ret_why)
        *ret_why = xasprintf("cannot reach the engine at %s: %s", path, err_text(r));
    return r;
}

int
engine_connect(struct loop *l, bool start, struct stream **ret_stream, char **ret_why)
{
    AUTO(free) char *path = engine_socket_path();
    int r = stream_connect_unix(l, path, ret_stream);

    *ret_why = NULL;
    if (r == 0)
        return 0;
    if (start)
        return connect_or_start(l, path, ret_stream, ret_why);
    if (r == -ECONNREFUSED || r == -ENOENT) {
        *ret_why =
            xstrdup("no engine is running; an editor starts one, or run `gloss serve`");
        return -ENOENT;
    }
    *ret_why = xasprintf("cannot reach the engine at %s: %s", path, err_text(r));
    return r;
}
