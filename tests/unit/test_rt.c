/* The contracts of src/rt: what crosses threads, what comes from the kernel, and what must end.
 * One executable tests a module, so the parts are taken in here. Invariant: every loop a test
 * opens closes empty, and no test waits for time to pass unless time is what it tests. */
#include "rt/check.h"

#include "rt/test_loop.c"
#include "rt/test_stream.c"
#include "rt/test_threads.c"

#include "rt/test_processors.c"

#include "rt/test_child.c"
#include "rt/test_watch.c"

#include "rt/test_hangup.c"

int
main(int argc, char **argv)
{
    int code = play_role(argc, argv);
    if (code >= 0)
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop_empty),
        cmocka_unit_test(test_loop_thread),
        cmocka_unit_test(test_defer),
        cmocka_unit_test(test_loop_stop),
        cmocka_unit_test(test_finish_tells_what_is_open),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_timer_repeats),
        cmocka_unit_test(test_timer_stop),
        cmocka_unit_test(test_ready),
        cmocka_unit_test(test_hangup_is_told_once),
        cmocka_unit_test(test_hangup_of_who_talks_on),
        cmocka_unit_test(test_hangup_closed_from_within),
        cmocka_unit_test(test_hangup_lets_go_at_once),
        cmocka_unit_test(test_hangup_bad_descriptor),
        cmocka_unit_test(test_pool_lanes),
        cmocka_unit_test(test_pool_leaves_one),
        cmocka_unit_test(test_pool_parallel),
        cmocka_unit_test(test_pool_cancel),
        cmocka_unit_test(test_pool_split),
        cmocka_unit_test(test_pool_split_is_helped),
        cmocka_unit_test(test_pool_split_alone),
        cmocka_unit_test(test_pool_split_enough),
        cmocka_unit_test(test_pool_close_delivers_all),
        cmocka_unit_test(test_pool_resubmit_many),
        cmocka_unit_test(test_pool_close_inside_done),
        cmocka_unit_test(test_queue_order),
        cmocka_unit_test(test_queue_urgent),
        cmocka_unit_test(test_queue_deadline),
        cmocka_unit_test(test_queue_thread),
        cmocka_unit_test(test_thread_leaves_processor),
        cmocka_unit_test(test_pool_leaves_processor),
        cmocka_unit_test(test_mailbox_many),
        cmocka_unit_test(test_mailbox_without_descriptor),
        cmocka_unit_test(test_mailbox_close_at_last),
        cmocka_unit_test(test_mailbox_close_delivers),
        cmocka_unit_test(test_mailbox_close_inside),
        cmocka_unit_test(test_stream_pipe),
        cmocka_unit_test(test_stream_backlog),
        cmocka_unit_test(test_stream_close_with_pending),
        cmocka_unit_test(test_stream_close_after_small_write),
        cmocka_unit_test(test_stream_broken_pipe),
        cmocka_unit_test(test_stream_last_words),
        cmocka_unit_test(test_stream_close_inside),
        cmocka_unit_test(test_stream_file_read),
        cmocka_unit_test(test_stream_file_write),
        cmocka_unit_test(test_stream_null_device),
        cmocka_unit_test(test_stream_terminal),
        cmocka_unit_test(test_listener),
        cmocka_unit_test(test_listener_dead_and_foreign_files),
        cmocka_unit_test(test_child_cat),
        cmocka_unit_test(test_child_status_and_signal),
        cmocka_unit_test(test_child_environment),
        cmocka_unit_test(test_child_niceness),
        cmocka_unit_test(test_child_leaves_processor),
        cmocka_unit_test(test_child_cannot_start),
        cmocka_unit_test(test_child_kill_reaches_group),
        cmocka_unit_test(test_child_closes_streams),
        cmocka_unit_test(test_child_terminate),
        cmocka_unit_test(test_child_close_kills),
        cmocka_unit_test(test_guard_parent_killed),
        cmocka_unit_test(test_guard_killed),
        cmocka_unit_test(test_guard_kill_hidden),
        cmocka_unit_test(test_guard_leftovers),
        cmocka_unit_test(test_guard_outside_signals),
        cmocka_unit_test(test_guard_bad_arguments),
        cmocka_unit_test(test_watch_files),
        cmocka_unit_test(test_watch_dir_gone),
        cmocka_unit_test(test_watch_dir_renamed),
        cmocka_unit_test(test_watch_change_inside),
        cmocka_unit_test(test_watch_overflow),
    };
    return cmocka_run_group_tests_name("rt", tests, NULL, NULL);
}
