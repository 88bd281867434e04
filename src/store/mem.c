/* "mem:NAME": the SQLite backend on a file system in memory. A WAL database needs files and shared memory,
 * so the index is a file all the same, in a folder of its own that nobody else can look into; it is never
 * synced, never checked, and goes when its writer closes. NAME is any word that no other index of this
 * user has: whoever makes the URL makes it up, and tells nobody outside of the process. Others may have such a
 * folder for what they do not want on a disk.
 * Invariant: a folder whose lock nobody holds is a dead engine's. The lock is on the folder itself, so
 * there is no moment at which it exists and cannot be locked; who made it and finds it gone once it is
 * locked was taken for dead, and makes it again. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "store/mem.h"
#include "store/sqlite.h"

#define NAME_BYTES_MAX 64
#define MAKE_TRIES 8

/* ---- the folder ---- */

static bool
is_in_memory(const char *dir)
{
    struct statfs fs;
    return statfs(dir, &fs) == 0 &&
           (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC) &&
           access(dir, W_OK | X_OK) == 0;
}

char *
mem_base(const char *const *candidates, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (candidates[i] && candidates[i][0] == '/' && is_in_memory(candidates[i]))
            return xstrdup(candidates[i]);
    return NULL;
}

char *
mem_base_of_user(void)
{
    const char *const candidates[] = {getenv("XDG_RUNTIME_DIR"), "/dev/shm"};
    return mem_base(candidates, ARRAY_LEN(candidates));
}

static char *
prefix_of(void)
{
    return xasprintf("gloss-mem-%u-", (unsigned)geteuid());
}

static char *
dir_of(const char *base, const char *name)
{
    char *prefix = prefix_of();
    char *dir = xasprintf("%s/%s%s", base, prefix, name);
    free(prefix);
    return dir;
}

static int
open_dir(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void
remove_dir(int at, const char *name)
{
    int fd = open_dir(at, name);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        unlinkat(fd, entry->d_name, 0); // "." and ".." are no files
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    unlinkat(at, name, AT_REMOVEDIR);
}

/* Locked until it is gone: its maker, who may have made it just now, waits for that and looks again. */
static void
sweep_one(int base, const char *name)
{
    struct stat st;
    int fd = open_dir(base, name);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        remove_dir(base, name);
    close(fd);
}

void
mem_sweep(const char *base)
{
    char *prefix = prefix_of();
    size_t n = strlen(prefix);
    DIR *dir = opendir(base);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (strncmp(entry->d_name, prefix, n) == 0)
            sweep_one(dirfd(dir), entry->d_name);
    if (dir)
        closedir(dir);
    free(prefix);
}

/* 1 it is made and locked, 0 it was swept meanwhile. */
static int
try_make(const char *dir, int *ret_fd)
{
    struct stat here, held;
    if (mkdir(dir, 0700) < 0)
        return errno == EEXIST ? -EWOULDBLOCK : -errno;
    int fd = open_dir(AT_FDCWD, dir), r;
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    do
        r = flock(fd, LOCK_EX);
    while (r < 0 && errno == EINTR);
    if (r == 0 && fstat(fd, &held) == 0 && lstat(dir, &here) == 0 &&
        here.st_ino == held.st_ino && here.st_dev == held.st_dev) {
        *ret_fd = fd;
        return 1;
    }
    close(fd);
    return 0;
}

int
mem_place_make(const char *base, const char *name, struct mem_place **ret_place)
{
    char *dir = dir_of(base, name);
    int fd = -1, r = 0;
    for (int i = 0; i < MAKE_TRIES && r == 0; i++)
        r = try_make(dir, &fd);
    if (r <= 0) {
        free(dir);
        return err_trace(r < 0 ? r : -EAGAIN);
    }
    struct mem_place *place = xnew(struct mem_place);
    place->dir = dir;
    place->path = xasprintf("%s/index.db", dir);
    place->fd = fd;
    *ret_place = place;
    return 0;
}

void
mem_place_remove(struct mem_place *place)
{
    if (!place)
        return;
    remove_dir(AT_FDCWD, place->dir);
    close(place->fd);
    free(place->dir);
    free(place->path);
    free(place);
}

/* ---- the backend ---- */

static int
check_name(const char *name, char **ret_why)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t n = strlen(name);
    if (n > 0 && n <= NAME_BYTES_MAX && strspn(name, allowed) == n)
        return 0;
    if (ret_why)
        *ret_why = xstrdup("an index in memory is seen only by the engine that holds it");
    return err_trace(-EPROTONOSUPPORT);
}

static int
find_base(char **ret_base, char **ret_why)
{
    *ret_base = mem_base_of_user();
    if (*ret_base)
        return 0;
    if (ret_why)
        *ret_why =
            xstrdup("mem: needs a folder in memory (tmpfs) that may be written, and "
                    "neither $XDG_RUNTIME_DIR nor /dev/shm is one");
    return err_trace(-ENOTSUP);
}

static int
mem_writer_open(const char *name, const char *root, struct store_writer **ret_writer,
                struct store_info *ret_info, char **ret_why)
{
    char *base = NULL;
    struct mem_place *place = NULL;
    int r = check_name(name, ret_why);
    if (r == 0)
        r = find_base(&base, ret_why);
    if (r < 0)
        return r;
    mem_sweep(base);
    r = mem_place_make(base, name, &place);
    if (r < 0 && ret_why)
        *ret_why = xasprintf("%s: no folder in memory: %s", base, err_text(r));
    free(base);
    return r < 0 ? r : sqlite_writer_open_in(place, root, ret_writer, ret_info, ret_why);
}

static int
mem_reader_open(const char *name, struct store_reader **ret_reader, char **ret_why)
{
    char *base = NULL;
    int r = check_name(name, ret_why);
    if (r == 0)
        r = find_base(&base, ret_why);
    if (r < 0)
        return r;
    char *dir = dir_of(base, name);
    char *path = xasprintf("%s/index.db", dir);
    r = sqlite_reader_open(path, ret_reader, ret_why);
    free(path);
    free(dir);
    free(base);
    return r;
}

const struct store_ops store_mem_ops = {
    .scheme = "mem:",
    .writer_open = mem_writer_open,
    .reader_open = mem_reader_open,
};
