/* Stands before the C library's: whatever loads or is linked finds these. None of its headers that declare them
 * is included, since some make them inline. Invariant: what does not fail is the kernel's call and nothing else. */
#include "fail_calls.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define SHOWN __attribute__((visibility("default")))
#define HERE (-100)     // AT_FDCWD
#define MAKES_FILE 0x40 // O_CREAT

typedef long size_is;

long syscall(long number, ...);
SHOWN size_is write(int fd, const void *p, unsigned long n);
SHOWN size_is pwrite(int fd, const void *p, unsigned long n, long at);
SHOWN size_is pread(int fd, void *p, unsigned long n, long at);
SHOWN int fsync(int fd);
SHOWN int fdatasync(int fd);
SHOWN int ftruncate(int fd, long n);
SHOWN int unlink(const char *path);
SHOWN int open(const char *path, int flags, ...);

static struct {
    char folder[1000];
    size_t folder_n;
    enum calls_kind kind;
    int code;
    _Atomic(bool) is_armed;
    _Atomic(long) countdown, burst, n_failed;
} fail;

void
calls_arm(const char *folder, enum calls_kind kind, long n, long burst, int code)
{
    fail.is_armed = false;
    snprintf(fail.folder, sizeof(fail.folder), "%s/", folder);
    fail.folder_n = strlen(fail.folder);
    fail.kind = kind;
    fail.code = code;
    fail.countdown = n;
    fail.burst = burst;
    fail.n_failed = 0;
    fail.is_armed = true;
}

long
calls_disarm(void)
{
    fail.is_armed = false;
    return fail.n_failed;
}

static bool
fails_path(enum calls_kind kind, const char *path)
{
    if (!fail.is_armed || fail.kind != kind ||
        strncmp(path, fail.folder, fail.folder_n) != 0)
        return false;
    if (--fail.countdown > 0 || --fail.burst < 0)
        return false;
    fail.n_failed++;
    errno = fail.code;
    return true;
}

static bool
fails(enum calls_kind kind, int fd)
{
    char link[40], path[1200];
    if (!fail.is_armed || fail.kind != kind)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, HERE, link, path, sizeof(path) - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return fails_path(kind, path);
}

size_is
write(int fd, const void *p, unsigned long n)
{
    return fails(CALLS_CHANGE, fd) ? -1 : syscall(SYS_write, fd, p, n);
}

size_is
pwrite(int fd, const void *p, unsigned long n, long at)
{
    return fails(CALLS_CHANGE, fd) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

size_is
pread(int fd, void *p, unsigned long n, long at)
{
    return fails(CALLS_READ, fd) ? -1 : syscall(SYS_pread64, fd, p, n, at);
}

/* No test here loses the machine's power. */
int
fsync(int fd)
{
    return fails(CALLS_CHANGE, fd) ? -1 : 0;
}

int
fdatasync(int fd)
{
    return fails(CALLS_CHANGE, fd) ? -1 : 0;
}

int
ftruncate(int fd, long n)
{
    return fails(CALLS_CHANGE, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

int
unlink(const char *path)
{
    return fails_path(CALLS_CHANGE, path) ? -1
                                          : (int)syscall(SYS_unlinkat, HERE, path, 0);
}

int
rename(const char *from, const char *to)
{
    return fails_path(CALLS_CHANGE, from)
               ? -1
               : (int)syscall(SYS_renameat2, HERE, from, HERE, to, 0);
}

int
open(const char *path, int flags, ...)
{
    unsigned mode = 0;
    if (flags & MAKES_FILE) {
        va_list ap;
        va_start(ap, flags);
        mode = va_arg(ap, unsigned);
        va_end(ap);
    }
    return fails_path(CALLS_OPEN, path)
               ? -1
               : (int)syscall(SYS_openat, HERE, path, flags, mode);
}
