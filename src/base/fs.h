#pragma once
/* The little of the file system that low floors need. Blocking: pool, writer or start-up only.
 * Errors are -errno. */
#include "base/base.h"
#include "base/str.h"

struct fs_stat {
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    uint64_t device;
    uint32_t mode; // st_mode
};

/* Whole regular file, at most limit_bytes: -EFBIG above, -EINVAL if not a regular file.
 * The stat is of the descriptor that was read, taken before the first byte; ret_stat may be NULL.
 * ret_text is an initialised buf whose content is replaced in its own memory; if the file cannot be
 * opened or is too large, it is kept; after a failed read it is empty. */
int fs_read_file(const char *path, size_t limit_bytes, struct buf *ret_text,
                 struct fs_stat *ret_stat);
int fs_stat_file(const char *path, struct fs_stat *ret_stat);  // follows symlinks
int fs_lstat_file(const char *path, struct fs_stat *ret_stat); // does not
int fs_mkdir_p(const char *path, unsigned mode);
/* Temporary file beside it, fsync, rename: readers see the old or the new, never a part. */
int fs_write_atomic(const char *path, struct str content, unsigned mode);
/* realpath(3), heap. */
int fs_real_path(const char *path, char **ret_path);
bool fs_exists(const char *path);
/* Search PATH for an executable file; heap, or NULL. `path_var` NULL means getenv("PATH"). Relative entries are not searched. */
char *fs_find_program(const char *name, const char *path_var) MUST_USE;
