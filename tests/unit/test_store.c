/* The contract of the store, once for each backend that is there, each test in a folder of its own; and
 * behind it what is about the file of the SQLite backend alone. One executable tests a module, so the
 * parts are taken in here. Invariant: what a test of the contract says of the index it reads through the
 * contract; SQL only plants what that could not (damage, strangers, worn-out slots), or sees more. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/fs.h"
#include "rt/queue.h"
#include "store/sample.h"
#include "store/see.h"
#include "store/version_1.h"
#include "store/version_2.h"
#include "store/version_2_3.h"
#include "store/version_3.h"
#include "store/version_4.h"
#include "store/version_5.h"
#include "store/version_6.h"
#include "store/words.h"

#include "store/test_files.c"

#include "store/test_hovers.c"

#include "store/test_ingest.c"

#include "store/test_safety.c"

#include "store/test_past.c"
#include "store/test_search.c"

#include "store/test_mem.c"

#include "store/test_letters.c"

#include "store/test_jobs.c"

#include "store/test_copy.c"

#include "store/test_damage.c"
#include "store/test_readers.c"
#include "store/test_rocksdb.c"
#include "store/test_sqlite.c"
#include "store/test_text.c"
#include "store/test_versions.c"

struct test {
    const char *name;
    CMUnitTestFunction run;
    unsigned needs; // of sample_can
};

#define TEST(name, needs)                                                                \
    {                                                                                    \
#        name, name, needs                                                               \
    }

static const struct test tests[] = {
    /* the contract */
    TEST(test_new_index, SAMPLE_LASTS),
    TEST(test_row_comes_back, 0),
    TEST(test_same_content, 0),
    TEST(test_other_maker, 0),
    TEST(test_one_function_changed, 0),
    TEST(test_moved, 0),
    TEST(test_same_names, 0),
    TEST(test_order_of_a_file, 0),
    TEST(test_failed_and_skipped, 0),
    TEST(test_empty_file_is_told_once, 0),
    TEST(test_delete_file, 0),
    TEST(test_other_language, 0),
    TEST(test_limits, 0),
    TEST(test_wide_places, 0),
    TEST(test_rows_of_any_number, 0),
    TEST(test_changes_within_a_transaction, 0),
    TEST(test_hover_known, 0),
    TEST(test_hover_dropped, 0),
    TEST(test_hover_stale, 0),
    TEST(test_hover_handed, 0),
    TEST(test_hover_texts_are_shared, 0),
    TEST(test_rename_keeps_hovers, 0),
    TEST(test_unasked, 0),
    TEST(test_content_comes_back, 0),
    TEST(test_content_comes_back_elsewhere, 0),
    TEST(test_past_of_partial_twin, 0),
    TEST(test_freshest_twin, 0),
    TEST(test_stale_twin, 0),
    TEST(test_same_content_of_other_maker, 0),
    TEST(test_stale_is_not_kept, 0),
    TEST(test_rollback_of_past, SAMPLE_LASTS),
    TEST(test_server_key, 0),
    TEST(test_expire_hovers, 0),
    TEST(test_read_told, 0),
    TEST(test_letter_of_hovers, 0),
    TEST(test_late_hovers_replace_nothing, 0),
    TEST(test_ingest, 0),
    TEST(test_ingest_sender, 0),
    TEST(test_ingest_changes, 0),
    TEST(test_ingest_faults, 0),
    TEST(test_ingest_fault_leaves_nothing, 0),
    TEST(test_ingest_depth, 0),
    TEST(test_ingest_of_many, SAMPLE_SQL),
    TEST(test_ingest_once, 0),
    TEST(test_ingest_once_says_the_same, 0),
    TEST(test_ingest_once_is_pruned_whole, 0),
    TEST(test_ingest_cut_anywhere, 0),
    TEST(test_any_order, 0),
    TEST(test_search_text, SAMPLE_TEXT),
    TEST(test_search_text_marks, SAMPLE_TEXT),
    TEST(test_search_text_best_first, SAMPLE_TEXT),
    TEST(test_names_and_edges, 0),
    TEST(test_text_step_ends_early, 0),
    TEST(test_edges_follow_the_file, 0),
    TEST(test_edges_made_before, 0),
    TEST(test_edge_at_file_scope, 0),
    TEST(test_odd_targets, 0),
    TEST(test_reads_within_reads, 0),
    TEST(test_interrupt, 0),
    TEST(test_view, 0),
    TEST(test_rollback_leaves_no_hole, 0),
    TEST(test_prune, SAMPLE_LASTS),
    TEST(test_events_are_paged, 0),
    TEST(test_replay, 0),
    TEST(test_brief_events, 0),
    TEST(test_first_event_is_left_to_the_rows, 0),
    TEST(test_pruned_event_is_not_filled, 0),
    TEST(test_second_writer, SAMPLE_LASTS),
    TEST(test_kill_9, SAMPLE_OUTLIVES),
    TEST(test_copy, 0),
    TEST(test_copy_of_many, 0),
    TEST(test_copy_of_any, 0),
    TEST(test_copy_cut_short, 0),
    TEST(test_copy_of_many_cut_short, 0),
    TEST(test_copy_refused, 0),
    /* where the index in memory lies */
    TEST(test_mem, SAMPLE_MEMORY),
    TEST(test_mem_of_the_dead, SAMPLE_MEMORY),
    TEST(test_mem_leaves_links, SAMPLE_MEMORY),
    /* the folder of the RocksDB backend */
    TEST(test_rocks_beside_another_process, SAMPLE_ROCKS),
    TEST(test_rocks_view_outlives_writer, SAMPLE_ROCKS),
    TEST(test_rocks_strangers, SAMPLE_ROCKS),
    TEST(test_rocks_damaged, SAMPLE_ROCKS),
    TEST(test_rocks_readonly_folder, SAMPLE_ROCKS),
    TEST(test_rocks_unlisted_folder, SAMPLE_ROCKS),
    TEST(test_rocks_log_of_the_dead, SAMPLE_ROCKS),
    TEST(test_rocks_no_room, SAMPLE_ROCKS),
    TEST(test_rocks_text_starts_over, SAMPLE_ROCKS),
    TEST(test_rocks_threads, SAMPLE_ROCKS),
    /* the file of the SQLite backend */
    TEST(test_nothing_is_counted, SAMPLE_SQL),
    TEST(test_slots_are_used_again, SAMPLE_SQL),
    TEST(test_prune_log, SAMPLE_SQL),
    TEST(test_prune_once_keys, SAMPLE_SQL),
    TEST(test_text_index_starts_over, SAMPLE_SQL),
    TEST(test_text_runs_merge, SAMPLE_SQL),
    TEST(test_text_of_many_files, SAMPLE_SQL),
    TEST(test_text_merge_given_up, SAMPLE_SQL),
    TEST(test_text_wide_keys, SAMPLE_SQL),
    TEST(test_text_alike, SAMPLE_SQL),
    TEST(test_text_any_bytes, SAMPLE_SQL),
    TEST(test_text_damaged, SAMPLE_SQL),
    TEST(test_rows_of_no_file, SAMPLE_SQL),
    TEST(test_damaged_edges, SAMPLE_SQL),
    TEST(test_damaged_rows, SAMPLE_SQL),
    TEST(test_damaged_version, SAMPLE_SQL),
    TEST(test_doubt_is_dispelled, SAMPLE_SQL),
    TEST(test_past_without_text, SAMPLE_SQL),
    TEST(test_prune_past, SAMPLE_SQL),
    TEST(test_damaged_past, SAMPLE_SQL),
    TEST(test_letters_are_kept, SAMPLE_LETTERS),
    TEST(test_jobs_are_kept, 0),
    TEST(test_jobs_that_make_no_sense, SAMPLE_SQL),
    TEST(test_letters_of_other_commands, SAMPLE_SQL),
    TEST(test_letter_that_makes_no_sense, SAMPLE_SQL),
    TEST(test_gauges, SAMPLE_SQL),
    TEST(test_log_is_cut, SAMPLE_SQL),
    TEST(test_version_1, SAMPLE_SQL),
    TEST(test_version_2, SAMPLE_SQL),
    TEST(test_version_3, SAMPLE_SQL),
    TEST(test_version_4, SAMPLE_SQL),
    TEST(test_urls, SAMPLE_SQL),
    TEST(test_version_5, SAMPLE_SQL),
    TEST(test_version_6, SAMPLE_SQL),
    TEST(test_refused, SAMPLE_SQL),
    TEST(test_foreign_file_is_left, SAMPLE_SQL),
    TEST(test_other_root_is_refused, SAMPLE_SQL),
    TEST(test_root_is_taken, SAMPLE_SQL),
    TEST(test_no_file_is_left, SAMPLE_SQL),
    TEST(test_damaged_header, SAMPLE_SQL),
    TEST(test_damaged_page, SAMPLE_SQL),
    TEST(test_reader_without_index, SAMPLE_SQL),
    TEST(test_reader_in_readonly_folder, SAMPLE_SQL),
    TEST(test_reader_cannot_write, SAMPLE_SQL),
    TEST(test_no_room, SAMPLE_SQL),
};

static bool
is_there(const struct sample_backend *backend)
{
    char *url = backend->url("/nowhere");
    free(url);
    return url != NULL;
}

#define SCRATCH_BYTES ((uint64_t)1 << 30)

/* Nothing here depends on a real disk but its time, if there is room. */
static void
use_memory(void)
{
    static const char shm[] = "/dev/shm";
    struct statvfs fs;
    if (!getenv("TMPDIR") && access(shm, W_OK) == 0 && statvfs(shm, &fs) == 0 &&
        fs.f_bavail * fs.f_frsize >= SCRATCH_BYTES)
        setenv("TMPDIR", shm, 1);
}

/* Of the backend that is named; without a name, of all. */
int
main(int argc, char *argv[])
{
    struct CMUnitTest all[ARRAY_LEN(tests) * ARRAY_LEN(sample_backends)];
    char *names[ARRAY_LEN(all)];
    size_t n = 0;
    use_memory();
    for (size_t b = 0; b < ARRAY_LEN(sample_backends); b++) {
        const struct sample_backend *backend = &sample_backends[b];
        if (argc > 1 && strcmp(argv[1], backend->name) != 0)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(tests) && is_there(backend); i++) {
            if ((tests[i].needs & ~backend->can) != 0)
                continue;
            names[n] = xasprintf("%s: %s", backend->name, tests[i].name);
            all[n] = (struct CMUnitTest){names[n], tests[i].run, sample_setup,
                                         sample_teardown, (void *)(uintptr_t)backend};
            n++;
        }
    }
    if (getenv("TEST_ONLY"))
        cmocka_set_test_filter(getenv("TEST_ONLY"));
    int r = _cmocka_run_group_tests("store", all, n, NULL, NULL);
    while (n > 0)
        free(names[--n]);
    return r;
}
