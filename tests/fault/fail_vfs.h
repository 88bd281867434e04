#pragma once
/* A file layer for SQLite that fails on demand: the n-th change (write, sync or truncate) from now on,
 * opening (of a file, its removal, shared memory) or allocation, and a number of those that follow.
 * Everything else goes to the real one. Registered as the default, so the code under test opens its files
 * as always. Nothing is synced: no test of it loses the machine's power. It may be armed and disarmed on another
 * thread than the one that fails. */
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/base.h"

struct fail_file {
    sqlite3_file base;
    sqlite3_file *real; // right behind
};

enum fail_kind { FAIL_CHANGE, FAIL_OPEN, FAIL_MEMORY };

static struct {
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    sqlite3_mem_methods memory; // the real one
    _Atomic enum fail_kind kind;
    atomic_long countdown; // changes until the failure; 0: never
    atomic_long burst;     // how many fail from there on
    atomic_int code;       // what they return
    atomic_long n_failed;
} fail;

static bool
fail_now(enum fail_kind kind)
{
    long n = fail.countdown;
    if (n == 0 || fail.kind != kind)
        return false;
    if (n > 1 || --fail.burst <= 0)
        atomic_compare_exchange_strong(&fail.countdown, &n, n - 1); // unless disarmed
    if (n > 1)
        return false;
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
    return fail_now(FAIL_CHANGE) ? fail.code
                                 : fail_real(f)->pMethods->xWrite(fail_real(f), p, n, at);
}

static int
fail_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return fail_now(FAIL_CHANGE) ? fail.code
                                 : fail_real(f)->pMethods->xTruncate(fail_real(f), size);
}

static int
fail_sync(sqlite3_file *f, int flags)
{
    (void)f;
    (void)flags;
    return fail_now(FAIL_CHANGE) ? fail.code : SQLITE_OK;
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
    if (fail_now(FAIL_OPEN))
        return SQLITE_IOERR_SHMMAP;
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
    f->base.pMethods = NULL;
    if (fail_now(FAIL_OPEN)) {
        errno = EMFILE;
        return fail.code;
    }
    int rc = fail.real->xOpen(fail.real, name, f->real, flags, ret_flags);
    f->base.pMethods = f->real->pMethods ? &fail_methods : NULL;
    return rc;
}

static int
fail_delete(sqlite3_vfs *vfs, const char *name, int syncs_names)
{
    (void)vfs;
    (void)syncs_names;
    return fail_now(FAIL_OPEN) ? SQLITE_IOERR_DELETE
                               : fail.real->xDelete(fail.real, name, 0);
}

static void *
fail_malloc(int n)
{
    return fail_now(FAIL_MEMORY) ? NULL : fail.memory.xMalloc(n);
}

static void *
fail_realloc(void *p, int n)
{
    return fail_now(FAIL_MEMORY) ? NULL : fail.memory.xRealloc(p, n);
}

/* Before anything else of SQLite's is used. Without its pools of small blocks, which would hide most. */
static void
fail_install(void)
{
    sqlite3_mem_methods memory;
    int r = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &fail.memory);
    memory = fail.memory;
    memory.xMalloc = fail_malloc;
    memory.xRealloc = fail_realloc;
    if (r == SQLITE_OK)
        r = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    if (r == SQLITE_OK)
        r = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    assert(r == SQLITE_OK);
    fail.real = sqlite3_vfs_find(NULL);
    fail.vfs = *fail.real;
    fail.vfs.zName = "fail";
    fail.vfs.szOsFile = (int)sizeof(struct fail_file) + fail.real->szOsFile;
    fail.vfs.xOpen = fail_open;
    fail.vfs.xDelete = fail_delete;
    int rc = sqlite3_vfs_register(&fail.vfs, 1);
    assert(rc == SQLITE_OK);
    (void)rc;
}

/* The n-th from now on fails, and burst - 1 more. */
static void
fail_arm_kind(enum fail_kind kind, long n, long burst, int code)
{
    fail.kind = kind;
    fail.burst = burst;
    fail.code = code;
    fail.n_failed = 0;
    fail.countdown = n;
}

static void
fail_arm(long n, long burst, int code)
{
    fail_arm_kind(FAIL_CHANGE, n, burst, code);
}

/* The disk is well again; n_failed stays. */
static void
fail_disarm(void)
{
    fail.countdown = 0;
}
