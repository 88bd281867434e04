#pragma once
/* A file layer for SQLite that notes every change of the index's files, and what a disk may hold of them
 * when the power goes at any moment: of what was written and not yet synced, any sector may be old or
 * new, in any order; of names that were made or removed, the last ones may be missing. Passes everything
 * on to the real files meanwhile. One index at a time. */
#include <sqlite3.h>

#include "work.h"

#define POWER_SECTOR 512
#define POWER_FILES 4 // db, journal, -wal, by their end

enum power_kind {
    POWER_WRITE,
    POWER_TRUNCATE,
    POWER_SYNC,
    POWER_CREATE,
    POWER_DELETE,
    POWER_SYNC_NAMES,
    POWER_ACKNOWLEDGED // at: how many commits
};

struct power_op {
    enum power_kind kind;
    size_t inode;
    size_t name; // of POWER_CREATE and POWER_DELETE
    int64_t at;
    size_t n;
    char *data;
};

static const char *const power_names[POWER_FILES] = {"", "-journal", "-wal", NULL};

static struct {
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    bool is_noting;
    VEC(struct power_op) ops;
    size_t n_inodes;
    size_t inode_of[POWER_FILES]; // + 1; 0: there is none
} power;

struct power_file {
    sqlite3_file base;
    sqlite3_file *real; // right behind
    size_t inode;       // + 1; 0: no file of the index
    bool syncs_names;   // with its next sync, as SQLite does for a new journal or log
};

static struct power_file *
power_file_of(sqlite3_file *f)
{
    return (struct power_file *)(void *)f;
}

static sqlite3_file *
power_real(sqlite3_file *f)
{
    return power_file_of(f)->real;
}

static void
power_note(sqlite3_file *file, enum power_kind kind, int64_t at, const void *data,
           size_t n)
{
    struct power_file *f = power_file_of(file);
    if (!power.is_noting || f->inode == 0)
        return;
    *vec_push(&power.ops) = (struct power_op){.kind = kind,
                                              .inode = f->inode - 1,
                                              .at = at,
                                              .n = n,
                                              .data = n > 0 ? xmemdup(data, n) : NULL};
}

static void
power_note_name(enum power_kind kind, size_t name, size_t inode)
{
    *vec_push(&power.ops) = (struct power_op){.kind = kind, .name = name, .inode = inode};
}

/* Index in power_names, or POWER_FILES - 1. */
static size_t
power_name_of(const char *path)
{
    struct str s = str_of(path);
    if (str_ends_with(s, STR("-journal")))
        return 1;
    if (str_ends_with(s, STR("-wal")))
        return 2;
    return str_ends_with(s, STR(".db")) ? 0 : POWER_FILES - 1;
}

static int
power_close(sqlite3_file *f)
{
    return power_real(f)->pMethods->xClose(power_real(f));
}

static int
power_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return power_real(f)->pMethods->xRead(power_real(f), p, n, at);
}

static int
power_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    power_note(f, POWER_WRITE, at, p, (size_t)n);
    return power_real(f)->pMethods->xWrite(power_real(f), p, n, at);
}

static int
power_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    power_note(f, POWER_TRUNCATE, size, NULL, 0);
    return power_real(f)->pMethods->xTruncate(power_real(f), size);
}

/* The real disk is not asked: the machine does not lose power here. */
static int
power_sync(sqlite3_file *f, int flags UNUSED)
{
    power_note(f, POWER_SYNC, 0, NULL, 0);
    if (power_file_of(f)->syncs_names)
        power_note(f, POWER_SYNC_NAMES, 0, NULL, 0);
    power_file_of(f)->syncs_names = false;
    return SQLITE_OK;
}

static int
power_size(sqlite3_file *f, sqlite3_int64 *ret_size)
{
    return power_real(f)->pMethods->xFileSize(power_real(f), ret_size);
}

static int
power_lock(sqlite3_file *f, int level)
{
    return power_real(f)->pMethods->xLock(power_real(f), level);
}

static int
power_unlock(sqlite3_file *f, int level)
{
    return power_real(f)->pMethods->xUnlock(power_real(f), level);
}

static int
power_check_lock(sqlite3_file *f, int *ret_is)
{
    return power_real(f)->pMethods->xCheckReservedLock(power_real(f), ret_is);
}

static int
power_control(sqlite3_file *f, int op, void *arg)
{
    return power_real(f)->pMethods->xFileControl(power_real(f), op, arg);
}

static int
power_sector(sqlite3_file *f UNUSED)
{
    return POWER_SECTOR;
}

/* No promise: neither atomic writes nor safe appends, nor that power loss spares neighbours. */
static int
power_device(sqlite3_file *f UNUSED)
{
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int
power_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret_p)
{
    return power_real(f)->pMethods->xShmMap(power_real(f), page, size, extend, ret_p);
}

static int
power_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return power_real(f)->pMethods->xShmLock(power_real(f), at, n, flags);
}

static void
power_shm_barrier(sqlite3_file *f)
{
    power_real(f)->pMethods->xShmBarrier(power_real(f));
}

static int
power_shm_unmap(sqlite3_file *f, int is_delete)
{
    return power_real(f)->pMethods->xShmUnmap(power_real(f), is_delete);
}

static const sqlite3_io_methods power_methods = {
    .iVersion = 2, // no memory mapping
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync,
    .xFileSize = power_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_check_lock,
    .xFileControl = power_control,
    .xSectorSize = power_sector,
    .xDeviceCharacteristics = power_device,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

static int
power_open(sqlite3_vfs *vfs UNUSED, const char *path, sqlite3_file *file, int flags,
           int *ret_flags)
{
    struct power_file *f = power_file_of(file);
    *f = (struct power_file){.real = (sqlite3_file *)(void *)(f + 1)};
    int rc = power.real->xOpen(power.real, path, f->real, flags, ret_flags);
    f->base.pMethods = f->real->pMethods ? &power_methods : NULL;
    size_t name = path ? power_name_of(path) : POWER_FILES - 1;
    if (rc != SQLITE_OK || !power.is_noting || !power_names[name])
        return rc;
    if (power.inode_of[name] == 0) {
        power_note_name(POWER_CREATE, name, power.n_inodes);
        power.inode_of[name] = ++power.n_inodes;
        f->syncs_names = name != 0;
    }
    f->inode = power.inode_of[name];
    return rc;
}

static int
power_delete(sqlite3_vfs *vfs UNUSED, const char *path, int syncs_names)
{
    size_t name = power_name_of(path);
    int rc = power.real->xDelete(power.real, path, 0);
    if (!power.is_noting || !power_names[name] || power.inode_of[name] == 0)
        return rc;
    power_note_name(POWER_DELETE, name, power.inode_of[name] - 1);
    power.inode_of[name] = 0;
    if (syncs_names)
        power_note_name(POWER_SYNC_NAMES, name, 0);
    return rc;
}

static void
power_install(void)
{
    power.real = sqlite3_vfs_find(NULL);
    power.vfs = *power.real;
    power.vfs.zName = "power";
    power.vfs.szOsFile = (int)sizeof(struct power_file) + power.real->szOsFile;
    power.vfs.xOpen = power_open;
    power.vfs.xDelete = power_delete;
    NEED(sqlite3_vfs_register(&power.vfs, 1) == SQLITE_OK);
}

static void
power_begin(void)
{
    power.is_noting = true;
    power.n_inodes = 0;
    memset(power.inode_of, 0, sizeof(power.inode_of));
}

static void
power_acknowledge(int64_t n_commits)
{
    *vec_push(&power.ops) =
        (struct power_op){.kind = POWER_ACKNOWLEDGED, .at = n_commits};
}

static void
power_end(void)
{
    for (size_t i = 0; i < power.ops.n; i++)
        free(power.ops.v[i].data);
    vec_finish(&power.ops);
    power.is_noting = false;
}

/* ---- what a disk may hold ---- */

struct power_inode {
    struct buf synced;
    VEC(size_t) waiting; // ops since its last sync
};

struct power_disk {
    struct power_inode *inodes;
    size_t names[POWER_FILES]; // inode + 1, as of the last sync of names
    VEC(size_t) name_ops;      // since then
    size_t n_ops;              // up to which this is
    int64_t acknowledged;
};

/* How much of what waits is on the disk. */
enum power_loss { LOSE_ALL, LOSE_NONE, LOSE_SECTORS, LOSE_OPS, LOSE_TAIL, LOSS_COUNT };

static void
power_fit(struct buf *b, size_t size)
{
    if (size > b->n) {
        size_t more = size - b->n;
        buf_reserve(b, more);
        memset(b->p + b->n, 0, more);
        b->n = size;
    }
}

/* One op, or of a write those sectors that are lucky. */
static void
power_apply(struct buf *b, const struct power_op *op, struct dice *luck)
{
    if (op->kind == POWER_TRUNCATE) {
        if (luck && dice_roll(luck, 2))
            return;
        power_fit(b, (size_t)op->at);
        b->n = (size_t)op->at;
        return;
    }
    for (size_t i = 0; i < op->n;) {
        size_t at = (size_t)op->at + i;
        size_t n = MIN(op->n - i, POWER_SECTOR - at % POWER_SECTOR);
        if (!luck || dice_roll(luck, 2)) {
            power_fit(b, at + n);
            memcpy(b->p + at, op->data + i, n);
        }
        i += n;
    }
}

static void
power_apply_name(size_t names[POWER_FILES], const struct power_op *op)
{
    names[op->name] = op->kind == POWER_CREATE ? op->inode + 1 : 0;
}

static void
power_disk_init(struct power_disk *disk)
{
    *disk = (struct power_disk){.inodes = xcalloc(power.n_inodes, sizeof(*disk->inodes))};
}

static void
power_disk_finish(struct power_disk *disk)
{
    for (size_t i = 0; i < power.n_inodes; i++) {
        buf_finish(&disk->inodes[i].synced);
        vec_finish(&disk->inodes[i].waiting);
    }
    vec_finish(&disk->name_ops);
    free(disk->inodes);
}

/* The next op happens. */
static void
power_disk_step(struct power_disk *disk)
{
    size_t at = disk->n_ops++;
    const struct power_op *op = &power.ops.v[at];
    struct power_inode *inode = &disk->inodes[op->inode];
    switch (op->kind) {
    case POWER_WRITE:
    case POWER_TRUNCATE: *vec_push(&inode->waiting) = at; break;
    case POWER_SYNC:
        for (size_t i = 0; i < inode->waiting.n; i++)
            power_apply(&inode->synced, &power.ops.v[inode->waiting.v[i]], NULL);
        inode->waiting.n = 0;
        break;
    case POWER_CREATE:
    case POWER_DELETE: *vec_push(&disk->name_ops) = at; break;
    case POWER_SYNC_NAMES:
        for (size_t i = 0; i < disk->name_ops.n; i++)
            power_apply_name(disk->names, &power.ops.v[disk->name_ops.v[i]]);
        disk->name_ops.n = 0;
        break;
    case POWER_ACKNOWLEDGED: disk->acknowledged = op->at; break;
    }
}

static void
power_content(const struct power_inode *inode, enum power_loss loss, struct dice *d,
              struct buf *ret)
{
    size_t n = inode->waiting.n;
    size_t n_kept = loss == LOSE_ALL    ? 0
                    : loss == LOSE_TAIL ? dice_roll(d, (uint32_t)n + 1)
                                        : n;
    buf_reset(ret);
    buf_add(ret, inode->synced.p ? inode->synced.p : "", inode->synced.n);
    for (size_t i = 0; i < n_kept; i++) {
        const struct power_op *op = &power.ops.v[inode->waiting.v[i]];
        bool is_torn = loss == LOSE_SECTORS || (loss == LOSE_TAIL && i + 1 == n_kept);
        if (loss == LOSE_OPS && dice_roll(d, 2))
            continue;
        power_apply(ret, op, is_torn ? d : NULL);
    }
}

/* The files as they may be after the power went now, in place of those at path; with the lock file, which
 * was made first. True when there is an index. */
static bool
power_write_files(const struct power_disk *disk, enum power_loss loss, struct dice *d,
                  const char *path)
{
    AUTO(buf_finish) struct buf content = {0};
    size_t names[POWER_FILES];
    memcpy(names, disk->names, sizeof(names));
    size_t n_names = loss == LOSE_ALL    ? 0
                     : loss == LOSE_NONE ? disk->name_ops.n
                                         : dice_roll(d, (uint32_t)disk->name_ops.n + 1);
    for (size_t i = 0; i < n_names; i++)
        power_apply_name(names, &power.ops.v[disk->name_ops.v[i]]);
    for (size_t i = 0; i < POWER_FILES - 1; i++) {
        char *name = xasprintf("%s%s", path, power_names[i]);
        unlink(name);
        FILE *f = names[i] > 0 ? fopen(name, "wb") : NULL;
        if (f) {
            power_content(&disk->inodes[names[i] - 1], loss, d, &content);
            NEED(content.n == 0 || fwrite(content.p, content.n, 1, f) == 1);
            NEED(fclose(f) == 0);
        }
        free(name);
    }
    char *shm = xasprintf("%s-shm", path), *lock = xasprintf("%s.lock", path);
    unlink(shm);
    FILE *f = fopen(lock, "wb");
    NEED(f && fclose(f) == 0);
    free(shm);
    free(lock);
    return names[0] > 0;
}
