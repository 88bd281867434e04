#pragma once
/* The other worktrees of the git repository that a folder is in. Reads files, starts no program; any
 * thread. */
#include "base/base.h"

#define WORKTREES_MAX 16              // told of
#define WORKTREES_LOOKED_AT_MAX 256   // of the repository's list
#define WORKTREES_FILE_BYTES_MAX 4096 // of a file that names a folder

/* The same folder in each other worktree that is there, the main one first, as real paths of the
 * call; fn returns false to stop. root: a real path. A folder in no repository has none. */
void worktrees_each(const char *root, bool (*fn)(void *ctx, const char *path), void *ctx);
