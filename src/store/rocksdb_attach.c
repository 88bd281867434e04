/* Opening for reading, and views. For a view a reader shares the database of this process' writer;
 * without one, as when another process writes or nobody, it has its own, which cannot write, shows what there was when
 * it was opened, and is opened anew when the files have changed. Invariant: what is read between the
 * outermost begin and its end is of one snapshot, of one database. */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "store/rocksdb_store.h"

/* Its own one stays for the next view; what is shared is let go, or the writer could not mend it. */
static void
let_go(struct rocks_reader *r)
{
    if (r->shared)
        r->c.db = NULL;
    shared_drop(steal(r->shared));
}

/* -ENOENT: nothing was ever committed to it. */
static int
check(struct rocks_reader *r)
{
    int64_t version = 0;
    int e = table_meta_int(&r->c.t, "schema", &version);
    if (e < 0)
        return e;
    if (version == 0)
        return -ENOENT;
    return version == STORE_SCHEMA_VERSION ? 0 : -EPROTONOSUPPORT;
}

static int
open_own(struct rocks_reader *r)
{
    enum rocks_whose whose = ROCKS_SOMEBODYS;
    if (!rocks_db_is_there(r->real))
        return -ENOENT;
    int e = rocks_db_look(r->real, &whose);
    if (e < 0)
        return e;
    if (whose == ROCKS_SOMEBODYS)
        return -EPROTONOSUPPORT;
    return whose == ROCKS_BEGUN ? -ENOENT
                                : rocks_db_open_own(r->real, &r->c.db, &r->signature);
}

static int
attach(struct rocks_reader *r)
{
    bool is_shared = shared_find(r->real, &r->shared) == 0;
    if (!is_shared && r->c.db && !rocks_db_has_changed(r->real, r->signature))
        return 0;
    rocks_db_close(steal(r->c.db));
    if (!is_shared)
        return open_own(r);
    r->c.db = shared_thing(r->shared);
    return 0;
}

/* An interrupt that came while nothing was read is of no read. */
static void
forget_interrupts(struct rocks_reader *r)
{
    eventfd_t n;
    r->c.n_steps = 0;
    while (eventfd_read(r->c.stop_fd, &n) == 0) {
    }
}

int
rocks_view_begin(struct store_reader *reader)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = attach(r);
    if (e < 0)
        return err_trace(e);
    forget_interrupts(r);
    if (r->shared) {
        r->c.snapshot = rocks.create_snapshot(r->c.db->db);
        rocks.readoptions_set_snapshot(r->c.read, r->c.snapshot);
    }
    return 0;
}

void
rocks_view_end(struct store_reader *reader)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    if (r->c.snapshot) {
        rocks.readoptions_set_snapshot(r->c.read, NULL);
        rocks.release_snapshot(r->c.db->db, r->c.snapshot);
        r->c.snapshot = NULL;
    }
    let_go(r);
}

/* Who reads cannot write it into the index; beside one of ours, and if the folder may be written. */
void
rocks_leave_doubt(const char *real)
{
    AUTO(free) char *lock = xasprintf("%s.lock", real);
    AUTO(free) char *doubt = xasprintf("%s" ROCKS_DOUBT, real);
    int fd = fs_exists(lock) ? open(doubt, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
}

void
rocks_reader_close(struct store_reader *reader)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    if (r->c.is_damaged || r->base.is_doubtful)
        rocks_leave_doubt(r->real);
    rocks_db_close(r->c.db);
    rocks.readoptions_destroy(r->c.read);
    if (r->c.stop_fd >= 0)
        close(r->c.stop_fd);
    free(r->path);
    free(r->real);
    free(r);
}

int
rocks_reader_open(const char *path, struct store_reader **ret_reader, char **ret_why)
{
    int e = rocks_lib_load(ret_why);
    if (e < 0)
        return e;
    struct rocks_reader *r = xnew(struct rocks_reader);
    r->base.ops = &rocks_reader_ops;
    r->base.t = &r->c.t;
    r->path = xstrdup(path);
    r->c.t.reads = &rocks_reads;
    r->c.read = rocks.readoptions_create();
    r->c.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e = r->c.stop_fd < 0 ? -errno : fs_real_path(path, &r->real);
    if (e == 0)
        e = rocks_view_begin(&r->base);
    if (e == 0) {
        e = check(r);
        rocks_view_end(&r->base);
    }
    if (e < 0) {
        if (ret_why)
            *ret_why = xasprintf("%s: %s", path,
                                 e == -ENOENT ? "there is no index" : err_text(e));
        store_reader_close(&r->base);
        return err_trace(e);
    }
    *ret_reader = &r->base;
    return 0;
}
