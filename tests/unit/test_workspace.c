/* workspace: real trees, a real index. What is on the disk or in an editor must be what the index
 * holds once the workspace is quiet, and whatever is closed, whenever, leaves an empty loop. */
#include "workspace/test_runs.c"

#include "workspace/test_asks.c"
#include "workspace/test_endings.c"
#include "workspace/test_enriching.c"
#include "workspace/test_following.c"
#include "workspace/test_jobs.c"
#include "workspace/test_pushed.c"

#include "workspace/test_opened.c"
#include "workspace/test_retry.c"
#include "workspace/test_trees.c"
#include "workspace/test_watching.c"
#include "workspace/test_worktrees.c"

static int
set_up_all(void **state UNUSED)
{
    AUTO(free) char *config = NULL, *states = NULL;

    scratch = scratch_make("workspace");
    config = path_join(scratch, "config");
    states = path_join(scratch, "state");
    setenv("HOME", scratch, 1);
    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("XDG_STATE_HOME", states, 1);
    return lang_init(NULL);
}

static int
tear_down_all(void **state UNUSED)
{
    lang_finish();
    scratch_remove(scratch);
    free(scratch);
    return 0;
}

/* Of "trees", or of all else: trees are of one thread, and long. */
int
main(int argc, char *argv[])
{
    const struct CMUnitTest trees[] = {
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_kept_trees_say_the_same),
        cmocka_unit_test(test_first_leaf_is_no_end),
        cmocka_unit_test(test_kept_trees_are_few),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_second),
        cmocka_unit_test(test_one_function_changed),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_vanishes_while_read),
        cmocka_unit_test(test_deleted_and_back),
        cmocka_unit_test(test_runs_join),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_large_batches_wait),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_overlay_without_file),
        cmocka_unit_test(test_overlay_after_restart),
        cmocka_unit_test(test_close_anywhere),
        cmocka_unit_test(test_close_at_each_stage),
        cmocka_unit_test(test_close_without_any),
        cmocka_unit_test(test_index_is_locked),
        cmocka_unit_test(test_retry_after_a_full_disk),
        cmocka_unit_test(test_retry_stays_inside),
        cmocka_unit_test(test_job_order),
        cmocka_unit_test(test_job_comes_again),
        cmocka_unit_test(test_job_wishes),
        cmocka_unit_test(test_pushed_names),
        cmocka_unit_test(test_pushed),
        cmocka_unit_test(test_pushed_too_much),
        cmocka_unit_test(test_pushed_close),
        cmocka_unit_test(test_pushed_too_many),
        cmocka_unit_test(test_pushed_deleted),
        cmocka_unit_test(test_pushed_deleted_often),
        cmocka_unit_test(test_pushed_deleted_with_a_job),
        cmocka_unit_test(test_jobs_run),
        cmocka_unit_test(test_jobs_fail),
        cmocka_unit_test(test_jobs_are_tried_again),
        cmocka_unit_test(test_jobs_are_cancelled),
        cmocka_unit_test(test_jobs_fail_for_good),
        cmocka_unit_test(test_jobs_end_on_a_full_disk),
        cmocka_unit_test(test_jobs_are_not_kept_for_ever),
        cmocka_unit_test(test_jobs_that_kill),
        cmocka_unit_test(test_jobs_wait_for_the_index),
        cmocka_unit_test(test_jobs_have_turns),
        cmocka_unit_test(test_jobs_are_not_too_many),
        cmocka_unit_test(test_jobs_come_again),
        cmocka_unit_test(test_jobs_outlive_the_engine),
        cmocka_unit_test(test_walk_before_open),
        cmocka_unit_test(test_does_not_open),
        cmocka_unit_test(test_made_meanwhile),
        cmocka_unit_test(test_index_cannot_be_written),
        cmocka_unit_test(test_written_later),
        cmocka_unit_test(test_acquire),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_watching),
        cmocka_unit_test(test_opened_is_near),
        cmocka_unit_test(test_moved_folder),
        cmocka_unit_test(test_known_by_folder),
        cmocka_unit_test(test_known_files_are_small),
        cmocka_unit_test(test_worktrees),
        cmocka_unit_test(test_worktrees_of_bare),
        cmocka_unit_test(test_worktrees_hostile),
        cmocka_unit_test(test_siblings),
        cmocka_unit_test(test_enrich),
        cmocka_unit_test(test_stale_no_more),
        cmocka_unit_test(test_unknown_does_not_replace_known),
        cmocka_unit_test(test_asked_again_after_cancel),
        cmocka_unit_test(test_asked_again_when_wanted),
        cmocka_unit_test(test_mute_server),
        cmocka_unit_test(test_asks_order),
        cmocka_unit_test(test_asks_open),
        cmocka_unit_test(test_editor_makes_room),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_close_while_enriching),
        cmocka_unit_test(test_free_place_is_taken),
        cmocka_unit_test(test_place_of_a_cut_engine_is_left),
    };

    if (argc > 1 && strcmp(argv[1], "trees") == 0)
        return cmocka_run_group_tests_name("trees", trees, set_up_all, tear_down_all);
    return _cmocka_run_group_tests("workspace", tests,
                                   postgres_count_tests(ARRAY_LEN(tests), 2), set_up_all,
                                   tear_down_all);
}
