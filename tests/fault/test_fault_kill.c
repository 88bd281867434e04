/* kill -9 of whoever writes, at random moments: in its first open, in mid-transaction, while it copies the
 * log into the index, while it closes. Invariant: after each, before and after a writer looked at it, every
 * acknowledged seq is there, seqs have no hole, the log replays to the rows, the file is sound; and of
 * several engines at once only one ever writes. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

#define ROUNDS_PER_INDEX 12

static void
sleep_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* Tells each head after its COMMIT, until it is killed; closes and opens now and then. */
static void
write_until_killed(const struct sample *s, uint64_t seed, int out)
{
    struct work work = {.s = s, .dice = {seed}};
    NEED(work_open(&work, NULL) == 0);
    for (;;) {
        work.is_bulky = dice_roll(&work.dice, 3) == 0;
        work_step(&work);
        NEED(write(out, &work.head, sizeof(work.head)) == sizeof(work.head));
        if (dice_roll(&work.dice, 12) == 0) {
            store_writer_close(steal(work.w));
            NEED(work_open(&work, NULL) == 0);
        }
    }
}

/* The last head that was told before the end; 0 when none was. */
static int64_t
kill_one(const struct sample *s, struct dice *d)
{
    int fds[2];
    int64_t head = 0, told = 0;
    OK(pipe(fds));
    pid_t pid = need_fork();
    if (pid == 0)
        write_until_killed(s, d->state, fds[1]);
    close(fds[1]);
    sleep_us((long)dice_roll(d, dice_roll(d, 2) ? 5000
                                                : 60000)); // the moment is what is random
    kill(pid, SIGKILL);
    NEED(need_wait(pid) == -SIGKILL);
    while (read(fds[0], &head, sizeof(head)) == sizeof(head))
        told = head;
    close(fds[0]);
    return told;
}

#define BUSY_TRIES 20 // of some seconds each: who holds a lock may get no processor

/* What a reader sees before any writer has been there. */
static int64_t
look(const struct sample *s)
{
    int64_t head = 0;
    struct store_reader *r = NULL;
    int e = store_reader_open(s->url, &r, NULL);
    for (int i = 0; e == -EBUSY && i < BUSY_TRIES; i++)
        e = store_reader_open(s->url, &r, NULL);
    if (e == -ENOENT)
        return -1; // killed before its first commit
    need_note("a reader is told: %s", err_text(e));
    NEED(e == 0);
    need_true_log(s, &head);
    store_reader_close(r); // while it is open nobody has the index for himself
    return head;
}

/* What a child is asked and tells, in memory that both see. */
struct inspection {
    const struct sample *s;
    struct dice d;
    int64_t acknowledged, head;
};

static void *
shared_new(size_t size_bytes)
{
    void *p =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(p != MAP_FAILED);
    return p;
}

/* Nothing is lost, and it can be written on. */
static void
inspect(void *ctx)
{
    struct inspection *is = ctx;
    int64_t head = look(is->s);
    NEED(head >= is->acknowledged || (head < 0 && is->acknowledged == 0));
    is->head = head;
    struct work work = {.s = is->s, .dice = is->d};
    struct store_info info;
    NEED(work_open(&work, &info) == 0);
    NEED(info.is_new == (head < 0));
    NEED(!info.was_damaged && info.head == MAX(head, 0));
    need_sound_index(is->s);
    work_step(&work);
    is->acknowledged = work.head;
    work_finish(&work);
}

static void
test_kill_at_random(void **state UNUSED)
{
    struct dice d = {fault_seed()};
    long n_rounds = fault_count(30, 2000), n_early = 0;
    int64_t n_seqs = 0;
    struct inspection *is = shared_new(sizeof(*is));
    struct sample *s = NULL;
    for (long round = 0; round < n_rounds; round++) {
        if (round % ROUNDS_PER_INDEX == 0) {
            s = fault_place();
            is->acknowledged = 0;
        }
        is->s = s;
        need_note("round %ld, acknowledged %" PRId64, round, is->acknowledged);
        is->acknowledged = MAX(is->acknowledged, kill_one(s, &d));
        is->d = d;
        need_in_child(inspect, is);
        n_early += is->head < 0;
        if ((round + 1) % ROUNDS_PER_INDEX == 0 || round + 1 == n_rounds) {
            n_seqs += is->acknowledged;
            fault_place_end(s);
        }
    }
    munmap(is, sizeof(*is));
    print_message("# %ld times kill -9, %ld before the first commit, %" PRId64
                  " seqs acknowledged, 0 lost\n",
                  n_rounds, n_early, n_seqs);
}

/* ---- several engines on one index ---- */

#define ENGINES 3

/* In memory that all share: who writes, and the last seq that anybody acknowledged. */
struct shared {
    _Atomic(int) owner; // pid of who opened it last
    _Atomic(int64_t) acknowledged;
    _Atomic(long) n_turns, n_refused;
};

static bool
take_turn(const struct sample *s, struct work *work)
{
    struct store_info info;
    char *why = NULL;
    int r = store_writer_open(s->url, NULL, &work->w, &info, &why);
    NEED(r == 0 || (r == -EWOULDBLOCK && why));
    free(why);
    work->head = info.head;
    return r == 0;
}

/* Takes turns with the others until it is killed. */
static void
write_with_others(const struct sample *s, uint64_t seed, struct shared *shared)
{
    struct work work = {.s = s, .dice = {seed}};
    for (;;) {
        if (!take_turn(s, &work)) {
            shared->n_refused++;
            sleep_us(200 + (long)dice_roll(&work.dice, 800));
            continue;
        }
        shared->owner = (int)getpid();
        NEED(work.head >= shared->acknowledged);
        shared->n_turns++;
        for (uint32_t n = 1 + dice_roll(&work.dice, 6); n > 0; n--) {
            work_step(&work);
            NEED(shared->owner == (int)getpid());
            shared->acknowledged = work.head;
        }
        work_finish(&work);
    }
}

/* The others go on meanwhile. */
static void
look_beside(void *ctx)
{
    struct inspection *is = ctx;
    is->head = look(is->s);
    NEED(is->head >= is->acknowledged || (is->head < 0 && is->acknowledged == 0));
}

static void
open_last(void *ctx)
{
    struct work work = {.s = ((struct inspection *)ctx)->s};
    struct store_info info;
    NEED(work_open(&work, &info) == 0 && !info.is_new);
    need_sound_index(work.s);
    work_finish(&work);
}

static void
test_two_engines(void **state UNUSED)
{
    struct dice d = {fault_seed() + 1};
    long n_rounds = fault_count(10, 800);
    struct sample *s = fault_place();
    struct shared *shared = shared_new(sizeof(*shared));
    struct inspection *is = shared_new(sizeof(*is));
    pid_t pids[ENGINES];
    is->s = s;
    for (size_t i = 0; i < ENGINES; i++) {
        pids[i] = need_fork();
        if (pids[i] == 0)
            write_with_others(s, d.state + i, shared);
    }
    /* On a slow machine the rounds go by before an engine came to anything: until each did. */
    for (long round = 0;
         round < n_rounds || shared->n_turns <= n_rounds || shared->n_refused == 0;
         round++) {
        size_t i = dice_roll(&d, ENGINES);
        need_note("round %ld", round);
        sleep_us((long)dice_roll(&d, 30000));
        kill(pids[i], SIGKILL);
        NEED(need_wait(pids[i]) == -SIGKILL); // anything else: it broke a promise
        is->acknowledged = shared->acknowledged;
        need_in_child(look_beside, is);
        pids[i] = need_fork();
        if (pids[i] == 0)
            write_with_others(s, d.state + i, shared);
    }
    for (size_t i = 0; i < ENGINES; i++) {
        kill(pids[i], SIGKILL);
        NEED(need_wait(pids[i]) == -SIGKILL);
    }
    is->acknowledged = shared->acknowledged;
    need_in_child(look_beside, is);
    need_in_child(open_last, is);
    print_message("# %d engines, %ld killed, %ld turns, %ld refused, %" PRId64
                  " seqs acknowledged, 0 lost\n",
                  ENGINES, n_rounds, shared->n_turns, shared->n_refused,
                  shared->acknowledged);
    munmap(shared, sizeof(*shared));
    munmap(is, sizeof(*is));
    fault_place_end(s);
}

int
main(void)
{
    fault_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_at_random),
        cmocka_unit_test(test_two_engines),
    };
    if (getenv("TEST_ONLY"))
        cmocka_set_test_filter(getenv("TEST_ONLY"));
    return cmocka_run_group_tests_name("fault_kill", tests, NULL, NULL);
}
