/* kill -9 of whoever writes, at random moments: in its first open, in mid-transaction, while it copies the
 * log into the index, while it closes. Invariant: after each, before and after a writer looked at it, every
 * acknowledged seq is there, seqs have no hole, the log replays to the rows, the file is sound; and of
 * several engines at once only one ever writes. */
#include <fcntl.h>
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

/* What a reader sees before any writer has been there. */
static int64_t
look(const struct sample *s)
{
    int64_t head = 0;
    struct store_reader *r = NULL;
    int e = store_reader_open(s->url, &r, NULL);
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

/* ---- one that gets no processor ---- */

#define SHM_WRITE_LOCK 120 // in SQLite's shared memory, by its file format
#define HEADER_BYTES 96

/* Stands for an engine that was stopped while it told of its commit: its lock is held, its header is half there. */
static void
hold_log(void *ctx)
{
    struct sample *s = ctx;
    struct flock lock = {.l_type = F_WRLCK, .l_start = SHM_WRITE_LOCK, .l_len = 1};
    char nothing[HEADER_BYTES] = {0};
    AUTO(free) char *path = xasprintf("%s-shm", s->path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    NEED(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0);
    NEED(pwrite(fd, nothing, sizeof(nothing), 0) == (ssize_t)sizeof(nothing));
    raise(SIGSTOP);
}

/* SQLite gives up after ten seconds; nothing is damaged, and it can be tried again. */
static void
test_starved_engine(void **state UNUSED)
{
    struct sample *s = fault_place();
    struct work work = {.s = s, .dice = {fault_seed()}};
    struct store_info info;
    struct store_reader *r = NULL;
    char *why = NULL;
    int status = 0;
    NEED(work_open(&work, NULL) == 0);
    work_steps(&work, 5);
    store_writer_close(steal(work.w));
    struct store_reader *keeps = sample_read(s); // its shared memory
    NEED(store_reader_begin(keeps) == 0);
    store_reader_end(keeps);
    pid_t pid = need_fork();
    if (pid == 0) {
        hold_log(s);
        _exit(0);
    }
    NEED(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    NEED(store_reader_open(s->url, &r, NULL) == -EBUSY);
    if (fault_count(0, 1))
        NEED(store_writer_open(s->url, NULL, &work.w, &info, &why) == -EBUSY);
    free(why);
    kill(pid, SIGKILL);
    NEED(need_wait(pid) == -SIGKILL);
    NEED(store_reader_open(s->url, &r, NULL) == 0);
    store_reader_close(r);
    NEED(store_writer_open(s->url, NULL, &work.w, &info, NULL) == 0);
    NEED(!info.was_damaged && !info.is_new && info.head == work.head);
    work_finish(&work);
    store_reader_close(keeps);
    fault_place_end(s);
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
    need_note("a writer is told: %s", why ? why : "");
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
start_engine(const struct sample *s, const struct dice *d, size_t i,
             struct shared *shared, pid_t pids[ENGINES])
{
    pids[i] = need_fork();
    if (pids[i] == 0)
        write_with_others(s, d->state + i, shared);
}

/* One of them is killed at a random moment, again and again; adds up in *n. The log is read whole each time: on one
 * index for ever most of the time would go there. */
static void
kill_engines(struct dice *d, long n_rounds, struct inspection *is, struct shared *shared,
             struct shared *n)
{
    struct sample *s = fault_place();
    pid_t pids[ENGINES];
    *shared = (struct shared){.owner = 0};
    is->s = s;
    for (size_t i = 0; i < ENGINES; i++)
        start_engine(s, d, i, shared, pids);
    /* On a slow machine the rounds go by before an engine came to anything: until each did. */
    for (long round = 0;
         round < n_rounds || shared->n_turns <= n_rounds || shared->n_refused == 0;
         round++) {
        size_t i = dice_roll(d, ENGINES);
        need_note("round %ld", round);
        sleep_us((long)dice_roll(d, 30000));
        kill(pids[i], SIGKILL);
        NEED(need_wait(pids[i]) == -SIGKILL); // anything else: it broke a promise
        is->acknowledged = shared->acknowledged;
        need_in_child(look_beside, is);
        start_engine(s, d, i, shared, pids);
    }
    for (size_t i = 0; i < ENGINES; i++) {
        kill(pids[i], SIGKILL);
        NEED(need_wait(pids[i]) == -SIGKILL);
    }
    is->acknowledged = shared->acknowledged;
    need_in_child(look_beside, is);
    need_in_child(open_last, is);
    n->acknowledged += shared->acknowledged;
    n->n_turns += shared->n_turns;
    n->n_refused += shared->n_refused;
    fault_place_end(s);
}

static void
test_two_engines(void **state UNUSED)
{
    struct dice d = {fault_seed() + 1};
    long n_places = fault_count(1, 40), n_rounds = fault_count(10, 25);
    struct shared *shared = shared_new(sizeof(*shared));
    struct inspection *is = shared_new(sizeof(*is));
    struct shared n = {.owner = 0};
    for (long i = 0; i < n_places; i++)
        kill_engines(&d, n_rounds, is, shared, &n);
    print_message("# %d engines, %ld killed, %ld turns, %ld refused, %" PRId64
                  " seqs acknowledged, 0 lost\n",
                  ENGINES, n_places * n_rounds, n.n_turns, n.n_refused, n.acknowledged);
    munmap(shared, sizeof(*shared));
    munmap(is, sizeof(*is));
}

int
main(void)
{
    fault_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_at_random), cmocka_unit_test(test_two_engines),
        cmocka_unit_test(test_starved_engine), // of SQLite's locks
    };
    size_t n = ARRAY_LEN(tests) - (getenv("FAULT_BACKEND") != NULL);
    if (getenv("TEST_ONLY"))
        cmocka_set_test_filter(getenv("TEST_ONLY"));
    return _cmocka_run_group_tests("fault_kill", tests, n, NULL, NULL);
}
