/* The file system for floors that have no loop. It exists so that reading a file is
 * always bounded, never hangs on a pipe, and writing one is never seen half done.
 * Invariant: no descriptor and no temporary file outlives a call. */
#include "base/fs.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES_MIN 4096

static void
fd_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
DEFINE_AUTO(fd_close, int)

static struct fs_stat
stat_convert(const struct stat *st)
{
    return (struct fs_stat){
        .size_bytes = (uint64_t)st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .inode = st->st_ino,
        .device = st->st_dev,
        .mode = st->st_mode,
    };
}

static int
read_to_end(int fd, size_t limit_bytes, struct buf *text)
{
    for (;;) {
        if (text->cap - text->n < 2)
            buf_reserve(text, MAX(text->n, (size_t)READ_BYTES_MIN));
        ssize_t got = read(fd, text->p + text->n, text->cap - text->n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        text->n += (size_t)got;
        text->p[text->n] = '\0';
        if (text->n > limit_bytes) // it grew since the stat, or has no size as in /proc
            return -EFBIG;
        if (got == 0)
            return 0;
    }
}

int
fs_read_file(const char *path, size_t limit_bytes, struct buf *ret_text,
             struct fs_stat *ret_stat)
{
    AUTO(buf_finish) struct buf text = {0};
    struct stat st;

    /* Not blocking: a pipe with nobody at its other end must not stop a worker. */
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENXIO)
        return err_trace(-EINVAL); // a socket: there is a file, but not a regular one
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_trace(-errno);
    if (!S_ISREG(st.st_mode))
        return err_trace(-EINVAL);
    if ((uint64_t)st.st_size > limit_bytes)
        return err_trace(-EFBIG);

    text = *ret_text; // its memory, not what is in it
    *ret_text = (struct buf){0};
    buf_reset(&text);
    /* One more than its size, so that the end is found without growing. */
    buf_reserve(&text, (size_t)st.st_size + 1);
    int r = read_to_end(fd, limit_bytes, &text);
    if (r < 0)
        return err_trace(r);

    *ret_text = text;
    text = (struct buf){0};
    if (ret_stat)
        *ret_stat = stat_convert(&st);
    return 0;
}

int
fs_stat_file(const char *path, struct fs_stat *ret_stat)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    *ret_stat = stat_convert(&st);
    return 0;
}

int
fs_lstat_file(const char *path, struct fs_stat *ret_stat)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return -errno;
    *ret_stat = stat_convert(&st);
    return 0;
}

/* Somebody else may make the same directory meanwhile; that is as good. */
static int
mkdir_one(const char *path, unsigned mode)
{
    struct stat st;
    if (mkdir(path, (mode_t)mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int
fs_mkdir_p(const char *path, unsigned mode)
{
    struct stat st;

    if (path[0] == '\0')
        return err_trace(-ENOENT);
    if (strlen(path) >= PATH_BYTES_MAX)
        return err_trace(-ENAMETOOLONG);
    /* Asked first: parents that are there need not be writable, or even makeable. */
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? 0 : err_trace(-ENOTDIR);

    AUTO(free) char *copy = xstrdup(path);
    for (char *at = copy + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        int r = mkdir_one(copy, mode);
        if (r < 0)
            return err_trace(r);
        *at = '/';
    }
    return err_trace(mkdir_one(copy, mode));
}

static int
write_all(int fd, struct str content)
{
    while (content.n) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        content = str_slice(content.p + n, content.n - (size_t)n);
    }
    return 0;
}

/* The content is on the disk when this returns 0. */
static int
fill_temporary(int fd, struct str content, unsigned mode)
{
    if (fchmod(fd, (mode_t)mode) < 0)
        return -errno;
    int r = write_all(fd, content);
    if (r < 0)
        return r;
    return fsync(fd) < 0 ? -errno : 0;
}

/* A rename is on the disk when its directory is. Not every file system can say so; the
 * rename itself has happened, so that is no failure. */
static void
sync_directory(const char *dir)
{
    AUTO(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

int
fs_write_atomic(const char *path, struct str content, unsigned mode)
{
    AUTO(free) char *dir = str_dup(path_dirname(str_of(path)));
    AUTO(free) char *temporary = path_join(dir, ".tmp-XXXXXX");

    AUTO(fd_close) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_trace(-errno);
    int r = fill_temporary(fd, content, mode);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0) {
        unlink(temporary);
        return err_trace(r);
    }
    sync_directory(dir);
    return 0;
}

int
fs_real_path(const char *path, char **ret_path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return -errno;
    *ret_path = real;
    return 0;
}

bool
fs_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool
is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *
fs_find_program(const char *name, const char *path_var)
{
    if (strchr(name, '/')) // named by its place, so there is nothing to search
        return name[0] == '/' && is_program(name) ? xstrdup(name) : NULL;
    if (name[0] == '\0')
        return NULL;

    struct str rest = str_of(path_var ? path_var : getenv("PATH"));
    struct str dir;
    while (str_split(&rest, ':', &dir)) {
        /* A program found relative to where we stand is one the user did not choose. */
        if (dir.n == 0 || dir.p[0] != '/')
            continue;
        AUTO(free) char *dir_name = str_dup(dir);
        AUTO(free) char *candidate = path_join(dir_name, name);
        if (is_program(candidate))
            return steal(candidate);
    }
    return NULL;
}
