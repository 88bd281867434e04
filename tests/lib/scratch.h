#pragma once
/* For tests: a folder of their own, below TMPDIR if that is set, and its end with all that is in it. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

/* Its real name; the caller's. */
static inline char *
scratch_make(const char *name)
{
    const char *tmp = getenv("TMPDIR");
    AUTO(free)
    char *template = xasprintf("%s/gloss-%s-XXXXXX", tmp && tmp[0] ? tmp : "/tmp", name);
    char *dir = NULL;
    if (!mkdtemp(template) || fs_real_path(template, &dir) < 0) {
        perror(template);
        abort();
    }
    return dir;
}

static inline int
scratch_remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
                   struct FTW *at UNUSED)
{
    return remove(path);
}

static inline int
scratch_remove(const char *dir)
{
    return nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
