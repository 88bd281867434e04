/* scan: gitignore(5) held against git itself, the walk, and the watch held against the
 * tree. One executable tests a module, so the parts are taken in here. */
#include "scan/test_ignore.c"
#include "scan/test_truth.c"
#include "scan/test_walk.c"
#include "scan/test_watch.c"

static int
set_up_all(UNUSED void **state)
{
    scratch = scratch_make("scan");
    if (chmod(scratch, 0755) < 0)
        return -1;
    /* The user's own settings have no say here. */
    setenv("XDG_CONFIG_HOME", fmt("%s/config", scratch), 1);
    setenv("HOME", scratch, 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    /* Other patterns and other changes than every day's. */
    const char *seed = getenv("TEST_SEED");
    if (seed)
        random_state ^= strtoull(seed, NULL, 10) * 0x9e3779b97f4a7c15ULL;
    return 0;
}

static int
tear_down_all(UNUSED void **state)
{
    int r = system(fmt("rm -rf '%s'", scratch));
    free(scratch);
    return r;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_patterns_are_cheap),
        cmocka_unit_test(test_patterns_against_git),
        cmocka_unit_test(test_sources_against_git),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_rules_from_above),
        cmocka_unit_test(test_symlink_loop),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_mounted_twice),
        cmocka_unit_test(test_missing_root),
        cmocka_unit_test(test_unreadable_root),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_vanishing),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_burst_is_one_change),
        cmocka_unit_test(test_changes_while_paused),
        cmocka_unit_test(test_changed_rules),
        cmocka_unit_test(test_changed_rules_outside),
        cmocka_unit_test(test_changed_rules_above),
        cmocka_unit_test(test_git_lock),
        cmocka_unit_test(test_root_made_again),
        cmocka_unit_test(test_recheck),
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_random_rules),
        cmocka_unit_test(test_random_changes_unwatched),
        cmocka_unit_test(test_random_rules_unwatched),
        cmocka_unit_test(test_rename_storm),
        cmocka_unit_test(test_unwatched),
        cmocka_unit_test(test_speed),
    };
    if (getenv("TEST_ONLY"))
        cmocka_set_test_filter(getenv("TEST_ONLY"));
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
