#pragma once
/* A PostgreSQL of the tests' own: in a temporary folder, on a Unix socket in it, without TCP, run by an
 * unprivileged user since it refuses root, ended with the process that started it. TEST_POSTGRES_BIN
 * says where its programs are; without it there is none. */
#include "base/base.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#include "tests/lib/scratch.h"

#define SERVER_USER 65534 // of nobody

struct postgres_server {
    char *dir;
    pid_t pid, owner;
    int log_fd;
};
static UNUSED struct postgres_server postgres_server;

static UNUSED char *
postgres_path(const char *name)
{
    return xasprintf("%s/%s", postgres_server.dir, name);
}

/* In the child; only returns when it failed. */
static void
postgres_become(const char *program, char *const args[], int out_fd)
{
    AUTO(free) char *path = xasprintf("%s/%s", getenv("TEST_POSTGRES_BIN"), program);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) < 0 || setgid(SERVER_USER) < 0 || setuid(SERVER_USER) < 0))
        return;
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir(postgres_server.dir) < 0 || dup2(out_fd, STDERR_FILENO) < 0 ||
        dup2(out_fd, STDOUT_FILENO) < 0)
        return;
    execv(path, args);
}

static UNUSED bool
postgres_initdb(void)
{
    AUTO(free) char *data = postgres_path("data");
    char *const args[] = {(char *)(uintptr_t) "initdb",
                          (char *)(uintptr_t) "-D",
                          data,
                          (char *)(uintptr_t) "-A",
                          (char *)(uintptr_t) "trust",
                          (char *)(uintptr_t) "-U",
                          (char *)(uintptr_t) "gloss",
                          (char *)(uintptr_t) "-E",
                          (char *)(uintptr_t) "UTF8",
                          (char *)(uintptr_t) "--locale=C",
                          (char *)(uintptr_t) "--no-sync",
                          NULL};
    int status = -1, fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0) {
        postgres_become("initdb", args, fd);
        _exit(127);
    }
    close(fd);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* What it logs is read until it says that it is ready. */
static UNUSED bool
postgres_start(void)
{
    AUTO(free) char *data = postgres_path("data");
    char *const args[] = {(char *)(uintptr_t) "postgres",
                          (char *)(uintptr_t) "-D",
                          data,
                          (char *)(uintptr_t) "-k",
                          postgres_server.dir,
                          (char *)(uintptr_t) "-c",
                          (char *)(uintptr_t) "listen_addresses=",
                          (char *)(uintptr_t) "-c",
                          (char *)(uintptr_t) "fsync=off",
                          (char *)(uintptr_t) "-c",
                          (char *)(uintptr_t) "log_min_messages=log",
                          NULL};
    int ends[2];
    char line[1024];
    bool is_ready = false;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    postgres_server.pid = fork();
    if (postgres_server.pid == 0) {
        postgres_become("postgres", args, ends[1]);
        _exit(127);
    }
    close(ends[1]);
    FILE *log = fdopen(dup(ends[0]), "r");
    while (!is_ready && fgets(line, sizeof(line), log))
        is_ready = strstr(line, "ready to accept connections") != NULL;
    fclose(log);
    postgres_server.log_fd = ends[0]; // open, or it could not write any more
    return is_ready;
}

static UNUSED void
postgres_stop(int signal)
{
    int status;
    kill(postgres_server.pid, signal);
    waitpid(postgres_server.pid, &status, 0);
    close(postgres_server.log_fd);
    postgres_server.pid = 0;
}

static UNUSED void
postgres_finish(void)
{
    if (!postgres_server.dir || postgres_server.owner != getpid())
        return;
    if (postgres_server.pid > 0)
        postgres_stop(SIGINT); // ends at once, whoever is connected
    scratch_remove(postgres_server.dir);
    free(postgres_server.dir);
    postgres_server.dir = NULL;
}

/* Of a database that is empty when the first test begins. NULL: there is no server. */
static UNUSED const char *
postgres_socket(void)
{
    if (!getenv("TEST_POSTGRES_BIN") || postgres_server.dir)
        return postgres_server.dir;
    postgres_server.dir = scratch_make("pg");
    postgres_server.owner = getpid();
    atexit(postgres_finish);
    if (geteuid() == 0 && chown(postgres_server.dir, SERVER_USER, SERVER_USER) < 0)
        abort();
    if (!postgres_initdb() || !postgres_start())
        abort();
    return postgres_server.dir;
}

/* Of a list of tests whose last ones need a server. A test that cannot run is none: cmocka tells TAP's readers that a
 * skipped one failed. */
static UNUSED size_t
postgres_count_tests(size_t n, size_t n_with_server)
{
    return getenv("TEST_POSTGRES_BIN") ? n : n - n_with_server;
}

/* A workspace of the test's own. */
static UNUSED char *
sample_postgres_url(const char *dir)
{
    const char *at = postgres_socket();
    return at ? xasprintf("postgres:///postgres?host=%s&user=gloss#%s", at, dir) : NULL;
}
