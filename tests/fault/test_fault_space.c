/* A disk that is full, really: a small tmpfs where we may mount one, else a limit on the size of files.
 * Invariant: what does not fit fails alone and leaves no trace; closing, opening and reading a full disk
 * neither crash nor take the index for damaged; with room again everything goes on where it was. */
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work.h"

struct room {
    const char *dir;
    bool is_mounted;
};

static bool
room_mount(const char *dir, unsigned long flags, long kib)
{
    char options[32];
    snprintf(options, sizeof(options), "size=%ldk", kib);
    return mount("tmpfs", dir, "tmpfs", flags, options) == 0;
}

static void
room_limit(long kib)
{
    struct rlimit limit;
    NEED(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = kib > 0 ? (rlim_t)kib * 1024 : limit.rlim_max;
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void
room_begin(struct room *room, const char *dir, long kib)
{
    *room = (struct room){.dir = dir, .is_mounted = room_mount(dir, 0, kib)};
    if (!room->is_mounted)
        room_limit(kib);
}

static void
room_free(const struct room *room)
{
    if (room->is_mounted)
        NEED(room_mount(room->dir, MS_REMOUNT, 64 * 1024));
    else
        room_limit(0);
}

static void
room_end(const struct room *room)
{
    if (room->is_mounted)
        NEED(umount2(room->dir, MNT_DETACH) == 0);
}

static bool
is_full(int r)
{
    return r == -ENOSPC || r == -EFBIG || r == -EIO;
}

/* Until something does not fit, then some more of it; how many did not. */
static long
fill(struct work *work, struct hash128 *ret_state)
{
    long n_failed = 0;
    *ret_state = state_of(work->s);
    for (int i = 0; i < 400 && n_failed < 4; i++) {
        struct tx tx;
        tx_plan(work, &tx);
        int r = tx_try(work, &tx);
        tx_finish(&tx);
        NEED(r == 0 || is_full(r));
        n_failed += r < 0;
        struct hash128 is = state_of(work->s);
        NEED(r == 0 || hash128_eq(is, *ret_state));
        *ret_state = is;
        r = store_checkpoint(work->w, dice_roll(&work->dice, 2));
        NEED(r == 0 || is_full(r));
    }
    return n_failed;
}

/* In a child, since a limit is for good: everything on one disk of this size. */
static void
live_on(const struct sample *s, long kib, uint64_t seed)
{
    struct work work = {.s = s, .dice = {seed}, .is_bulky = true};
    struct room room;
    struct store_info info;
    struct hash128 before = {0};
    char epoch[STORE_EPOCH_BYTES] = "";
    signal(SIGXFSZ, SIG_IGN);
    room_begin(&room, s->dir, kib);
    int r = work_open(&work, NULL);
    NEED(r == 0 || is_full(r)); // no room for a new one
    if (r == 0) {
        memcpy(epoch, work.epoch, sizeof(epoch));
        NEED(fill(&work, &before) > 0);
        int64_t head = work.head;
        work_finish(&work);
        r = work_open(&work, &info); // while it is full
        NEED(r == 0 || is_full(r));
        NEED(r < 0 || (!info.is_new && info.head == head));
        work_finish(&work);
    }
    room_free(&room);
    NEED(work_open(&work, &info) == 0);
    NEED(!info.was_damaged && (!*epoch || strcmp(epoch, info.epoch) == 0));
    NEED(!*epoch || hash128_eq(before, state_of(s)));
    work_steps(&work, 5);
    need_true_log(s, NULL);
    work_finish(&work);
    need_sound_index(s);
    room_end(&room);
    _exit(room.is_mounted ? 1 : 0);
}

static void
test_full_disk(void **state UNUSED)
{
    struct dice d = {fault_seed()};
    long n_rounds = fault_count(9, 600), n_mounted = 0;
    for (long round = 0; round < n_rounds; round++) {
        struct sample *s = fault_place();
        long kib = round % 3 == 0 ? 4 + 4 * (long)dice_roll(&d, 80)
                                  : 300 + 4 * (long)dice_roll(&d, 900);
        need_note("round %ld, %ld KiB", round, kib);
        pid_t pid = need_fork();
        if (pid == 0)
            live_on(s, kib, d.state);
        int code = need_wait(pid);
        umount2(s->dir, MNT_DETACH); // of a child that broke a promise
        NEED(code == 0 || code == 1);
        n_mounted += code;
        fault_place_end(s);
    }
    print_message("# %ld disks that were full (%ld of them mounted): 0 lost\n", n_rounds,
                  n_mounted);
}

int
main(void)
{
    fault_begin();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_full_disk)};
    return cmocka_run_group_tests_name("fault_space", tests, NULL, NULL);
}
