/* The power goes at any moment of a first load, of work, of checkpoints, closings and openings. Invariant:
 * in none of the states that the disk may be in then is a commit missing that was acknowledged, and none
 * shows a part of one: what is found is the index as it was after the last acknowledged commit, or after
 * the one that was being made. */
#include "power_vfs.h"

struct history {
    VEC(struct hash128) states; // after each commit, from the new index on
    char epoch[STORE_EPOCH_BYTES];
    size_t n_acknowledged_open; // ops when the first open returned
};

static void
note_state(struct history *h, const struct sample *s, bool is_commit)
{
    power.is_noting = false; // a reader's files are none of ours
    struct hash128 is = state_of(s);
    power.is_noting = true;
    if (is_commit)
        *vec_push(&h->states) = is;
    else
        NEED(hash128_eq(is, h->states.v[h->states.n - 1]));
    power_acknowledge((int64_t)h->states.n);
}

/* Sessions of work, the first of them a load; what is noted is what the disk was told. */
static void
do_work(struct history *h, const struct sample *s, struct dice d, long n_sessions)
{
    struct work work = {.s = s, .dice = d, .is_bulky = true};
    power_begin();
    for (long session = 0; session < n_sessions; session++) {
        NEED(work_open(&work, NULL) == 0);
        note_state(h, s, session == 0);
        if (session == 0)
            memcpy(h->epoch, work.epoch, sizeof(h->epoch));
        for (uint32_t n = 6 + dice_roll(&work.dice, 20); n > 0; n--) {
            struct tx tx;
            tx_plan(&work, &tx);
            NEED(tx_try(&work, &tx) == 0);
            tx_finish(&tx);
            note_state(h, s, true);
            NEED(store_checkpoint(work.w, dice_roll(&work.dice, 2)) == 0);
        }
        store_writer_close(steal(work.w));
        note_state(h, s, false);
    }
    work_finish(&work);
    power.is_noting = false;
}

/* A disk on which the power went when `acknowledged` commits had been told of. */
static void
check_disk(const struct history *h, const struct sample *s, int64_t acknowledged,
           bool is_deep)
{
    struct work work = {.s = s};
    struct store_info info;
    int r = work_open(&work, &info);
    if (r < 0)
        need_note("open gave %s", err_text(r));
    NEED(r == 0);
    if (info.is_new) {
        NEED(acknowledged <=
             1); // the first is the empty index: nobody was told of anything
        work_finish(&work);
        return;
    }
    NEED(!info.was_damaged);
    NEED(strcmp(info.epoch, h->epoch) == 0 || acknowledged <= 1);
    struct hash128 is = state_of(s);
    size_t from = acknowledged > 0 ? (size_t)acknowledged - 1 : 0;
    bool is_known = false;
    for (size_t i = from; i < h->states.n && i <= from + 1; i++)
        is_known |= hash128_eq(is, h->states.v[i]);
    NEED(is_known);
    if (is_deep) {
        need_sound(s->path);
        need_true_log(s, NULL);
        work_steps(&work, 2);
        work_finish(&work);
        need_sound(s->path);
        return;
    }
    work_finish(&work);
}

static void
remove_aside(const struct sample *s)
{
    char *command = xasprintf("rm -f '%s'.damaged-*", s->path);
    NEED(system(command) == 0);
    free(command);
}

static long
try_all(const struct history *h, const struct sample *s, struct dice *d, long n_tries)
{
    struct power_disk disk;
    long n = 0;
    power_disk_init(&disk);
    while (disk.n_ops < power.ops.n) {
        power_disk_step(&disk);
        double chance = (double)n_tries / (double)power.ops.n;
        for (int loss = 0; loss < LOSS_COUNT; loss++) {
            if ((double)dice_roll(d, 1000000) / 1e6 * LOSS_COUNT > chance)
                continue;
            need_note("op %zu of %zu, loss %d, acknowledged %" PRId64, disk.n_ops,
                      power.ops.n, loss, disk.acknowledged);
            if (power_write_files(&disk, (enum power_loss)loss, d, s->path)) {
                check_disk(h, s, disk.acknowledged, dice_roll(d, 4) == 0);
                n++;
            } else {
                NEED(disk.acknowledged <= 1);
            }
        }
    }
    remove_aside(s);
    power_disk_finish(&disk);
    return n;
}

static void
test_power_loss(void **state UNUSED)
{
    struct dice d = {fault_seed()};
    long n_rounds = fault_count(1, 10), n_tries = fault_count(200, 1000), n = 0;
    size_t n_commits = 0, n_ops = 0;
    for (long round = 0; round < n_rounds; round++) {
        struct sample *s = NULL;
        struct history h = {.epoch = ""};
        OK(sample_setup((void **)&s));
        dice_roll(&d, 2);
        do_work(&h, s, d, 4);
        n += try_all(&h, s, &d, n_tries);
        n_commits += h.states.n;
        n_ops += power.ops.n;
        power_end();
        vec_finish(&h.states);
        void *state_of_one = s;
        OK(sample_teardown(&state_of_one));
    }
    NEED(n > n_rounds * n_tries / 2);
    print_message(
        "# %ld disks after power loss, of %zu writes and syncs, %zu commits: 0 lost, 0 "
        "half\n",
        n, n_ops, n_commits);
}

int
main(void)
{
    fault_begin();
    power_install();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_power_loss)};
    return cmocka_run_group_tests_name("fault_power", tests, NULL, NULL);
}
