/* Whatever is put, asked, deleted and put again: the log, not pruned, replayed from its first event gives
 * the rows. Each round is an index of its own with another course of work; the log is read at random
 * moments and after the index was closed and opened again. */
#include "work.h"

static void
test_replay_of_random_work(void **state UNUSED)
{
    struct dice d = {fault_seed()};
    long n_rounds = fault_count(5, 1500), n_steps = 0, n_events = 0;
    for (long round = 0; round < n_rounds; round++) {
        struct sample *s = fault_place();
        int64_t head = 0;
        struct work work = {.s = s, .dice = {d.state + (uint64_t)round * 1000003}};
        NEED(work_open(&work, NULL) == 0);
        work.is_bulky = round % 4 == 3;
        for (int part = 0; part < 6; part++) {
            long n = 1 + dice_roll(&work.dice, 40);
            need_note("round %ld, step %ld", round, n_steps);
            work_steps(&work, n);
            n_steps += n;
            if (dice_roll(&work.dice, 4) == 0) {
                store_writer_close(steal(work.w));
                NEED(work_open(&work, NULL) == 0);
            }
            need_true_log(s, &head);
            NEED(head == work.head);
        }
        n_events += head;
        work_finish(&work);
        need_sound_index(s);
        fault_place_end(s);
    }
    print_message("# %ld indexes, %ld transactions, %ld events replayed\n", n_rounds,
                  n_steps, n_events);
}

int
main(void)
{
    fault_begin();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_replay_of_random_work)};
    return cmocka_run_group_tests_name("fault_replay", tests, NULL, NULL);
}
