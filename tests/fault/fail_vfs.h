#pragma once
/* A file layer for SQLite that fails on demand: the n-th change (write, sync or truncate) from now on,
 * and a number of those that follow. Everything else goes to the real one. Registered as the default,
 * so the code under test opens its files as always. */
#include <sqlite3.h>

#include "base/base.h"

struct fail_file {
    sqlite3_file base;
    sqlite3_file *real; // right behind
};

static struct {
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    long countdown; // changes until the failure; 0: never
    long burst;     // how many fail from there on
    int code;       // what they return
    long n_failed;
} fail;

static bool
fail_now(void)
{
    if (fail.countdown == 0)
        return false;
    if (fail.countdown > 1) {
        fail.countdown--;
        return false;
    }
    if (--fail.burst <= 0)
        fail.countdown = 0;
    fail.n_failed++;
    return true;
}

static sqlite3_file *
fail_real(sqlite3_file *f)
{
    return ((struct fail_file *)(void *)f)->real;
}

static int
fail_close(sqlite3_file *f)
{
    return fail_real(f)->pMethods->xClose(fail_real(f));
}

static int
fail_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return fail_real(f)->pMethods->xRead(fail_real(f), p, n, at);
}

static int
fail_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return fail_now() ? fail.code
                      : fail_real(f)->pMethods->xWrite(fail_real(f), p, n, at);
}

static int
fail_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return fail_now() ? fail.code : fail_real(f)->pMethods->xTruncate(fail_real(f), size);
}

static int
fail_sync(sqlite3_file *f, int flags)
{
    return fail_now() ? fail.code : fail_real(f)->pMethods->xSync(fail_real(f), flags);
}

static int
fail_size(sqlite3_file *f, sqlite3_int64 *ret_size)
{
    return fail_real(f)->pMethods->xFileSize(fail_real(f), ret_size);
}

static int
fail_lock(sqlite3_file *f, int level)
{
    return fail_real(f)->pMethods->xLock(fail_real(f), level);
}

static int
fail_unlock(sqlite3_file *f, int level)
{
    return fail_real(f)->pMethods->xUnlock(fail_real(f), level);
}

static int
fail_check_lock(sqlite3_file *f, int *ret_is)
{
    return fail_real(f)->pMethods->xCheckReservedLock(fail_real(f), ret_is);
}

static int
fail_control(sqlite3_file *f, int op, void *arg)
{
    return fail_real(f)->pMethods->xFileControl(fail_real(f), op, arg);
}

static int
fail_sector(sqlite3_file *f)
{
    return fail_real(f)->pMethods->xSectorSize(fail_real(f));
}

static int
fail_device(sqlite3_file *f)
{
    return fail_real(f)->pMethods->xDeviceCharacteristics(fail_real(f));
}

static int
fail_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret_p)
{
    return fail_real(f)->pMethods->xShmMap(fail_real(f), page, size, extend, ret_p);
}

static int
fail_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return fail_real(f)->pMethods->xShmLock(fail_real(f), at, n, flags);
}

static void
fail_shm_barrier(sqlite3_file *f)
{
    fail_real(f)->pMethods->xShmBarrier(fail_real(f));
}

static int
fail_shm_unmap(sqlite3_file *f, int is_delete)
{
    return fail_real(f)->pMethods->xShmUnmap(fail_real(f), is_delete);
}

static const sqlite3_io_methods fail_methods = {
    .iVersion = 2, // no memory mapping
    .xClose = fail_close,
    .xRead = fail_read,
    .xWrite = fail_write,
    .xTruncate = fail_truncate,
    .xSync = fail_sync,
    .xFileSize = fail_size,
    .xLock = fail_lock,
    .xUnlock = fail_unlock,
    .xCheckReservedLock = fail_check_lock,
    .xFileControl = fail_control,
    .xSectorSize = fail_sector,
    .xDeviceCharacteristics = fail_device,
    .xShmMap = fail_shm_map,
    .xShmLock = fail_shm_lock,
    .xShmBarrier = fail_shm_barrier,
    .xShmUnmap = fail_shm_unmap,
};

static int
fail_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
          int *ret_flags)
{
    struct fail_file *f = (struct fail_file *)(void *)file;
    (void)vfs;
    f->real = (sqlite3_file *)(void *)(f + 1);
    int rc = fail.real->xOpen(fail.real, name, f->real, flags, ret_flags);
    f->base.pMethods = f->real->pMethods ? &fail_methods : NULL;
    return rc;
}

static void
fail_install(void)
{
    fail.real = sqlite3_vfs_find(NULL);
    fail.vfs = *fail.real;
    fail.vfs.zName = "fail";
    fail.vfs.szOsFile = (int)sizeof(struct fail_file) + fail.real->szOsFile;
    fail.vfs.xOpen = fail_open;
    int rc = sqlite3_vfs_register(&fail.vfs, 1);
    assert(rc == SQLITE_OK);
    (void)rc;
}

/* The n-th change from now on fails, and burst - 1 more. */
static void
fail_arm(long n, long burst, int code)
{
    fail.countdown = n;
    fail.burst = burst;
    fail.code = code;
    fail.n_failed = 0;
}

/* The disk is well again; n_failed stays. */
static void
fail_disarm(void)
{
    fail.countdown = 0;
}
