/* The contract of the store, each test in a folder of its own. One executable tests a module, so the
 * parts are taken in here. Invariant: what a test says of the index it reads through the contract;
 * SQL of its own only plants what the contract could not (damage, strangers, worn-out slots). */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/fs.h"
#include "store/sample.h"
#include "store/version_1.h"
#include "store/version_4.h"

#include "store/test_files.c"

#include "store/test_hovers.c"

#include "store/test_safety.c"

#include "store/test_damage.c"
#include "store/test_past.c"
#include "store/test_readers.c"
#include "store/test_search.c"

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_setup, sample_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_index),
        TEST(test_row_comes_back),
        TEST(test_same_content),
        TEST(test_other_maker),
        TEST(test_one_function_changed),
        TEST(test_moved),
        TEST(test_same_names),
        TEST(test_order_of_a_file),
        TEST(test_failed_and_skipped),
        TEST(test_empty_file_is_told_once),
        TEST(test_delete_file),
        TEST(test_other_language),
        TEST(test_limits),
        TEST(test_wide_places),
        TEST(test_rows_of_any_number),
        TEST(test_slots_are_used_again),
        TEST(test_hover_known),
        TEST(test_hover_dropped),
        TEST(test_hover_stale),
        TEST(test_hover_handed),
        TEST(test_hover_texts_are_shared),
        TEST(test_rename_keeps_hovers),
        TEST(test_unasked),
        TEST(test_content_comes_back),
        TEST(test_content_comes_back_elsewhere),
        TEST(test_past_of_partial_twin),
        TEST(test_stale_twin),
        TEST(test_same_content_of_other_maker),
        TEST(test_stale_is_not_kept),
        TEST(test_rollback_of_past),
        TEST(test_server_key),
        TEST(test_expire_hovers),
        TEST(test_read_told),
        TEST(test_past_without_text),
        TEST(test_prune_past),
        TEST(test_any_order),
        TEST(test_version_4),
        TEST(test_search_text),
        TEST(test_search_text_marks),
        TEST(test_text_index_starts_over),
        TEST(test_search_text_best_first),
        TEST(test_names_and_edges),
        TEST(test_edges_follow_the_file),
        TEST(test_edge_at_file_scope),
        TEST(test_odd_targets),
        TEST(test_rows_of_no_file),
        TEST(test_damaged_edges),
        TEST(test_reads_within_reads),
        TEST(test_interrupt),
        TEST(test_view),
        TEST(test_rollback_leaves_no_hole),
        TEST(test_prune),
        TEST(test_events_are_paged),
        TEST(test_replay),
        TEST(test_brief_events),
        TEST(test_first_event_is_left_to_the_rows),
        TEST(test_pruned_event_is_not_filled),
        TEST(test_version_1),
        TEST(test_refused),
        TEST(test_second_writer),
        TEST(test_foreign_file_is_left),
        TEST(test_other_root_is_refused),
        TEST(test_root_is_taken),
        TEST(test_no_file_is_left),
        TEST(test_damaged_header),
        TEST(test_damaged_page),
        TEST(test_kill_9),
        TEST(test_reader_without_index),
        TEST(test_reader_in_readonly_folder),
        TEST(test_reader_cannot_write),
        TEST(test_no_room),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
