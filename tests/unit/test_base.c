/* The contracts of src/base with the inputs that break naive versions of them. One
 * executable tests a module, so the parts are taken in here. Invariant: a test that
 * needs files keeps to a directory of its own, and what must abort does so in a child. */
#include "base/test_memory.c"
#include "base/test_system.c"
#include "base/test_text.c"

#define FILES_TEST(fn) cmocka_unit_test_setup_teardown(fn, files_setup, files_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macros),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_vec),
        cmocka_unit_test(test_mem),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_large),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_map_small),
        cmocka_unit_test(test_map_large),
        cmocka_unit_test(test_map_churn),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_random_and_secret),
        cmocka_unit_test(test_str_compare),
        cmocka_unit_test(test_str_search),
        cmocka_unit_test(test_str_numbers),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_path_build),
        cmocka_unit_test(test_path_parts),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_uri_public),
        cmocka_unit_test(test_utf_decode),
        cmocka_unit_test(test_utf_columns),
        cmocka_unit_test(test_utf_add_valid),
        cmocka_unit_test(test_err),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_log_text),
        cmocka_unit_test(test_log_json),
        cmocka_unit_test(test_log_long),
        FILES_TEST(test_fs_read),
        FILES_TEST(test_fs_read_odd),
        FILES_TEST(test_fs_mkdir),
        FILES_TEST(test_fs_write),
        FILES_TEST(test_fs_write_is_atomic),
        FILES_TEST(test_fs_names),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
