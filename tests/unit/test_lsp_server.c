/* lsp/server: sessions over a socket pair. The test is the editor: it writes frames by hand, and reads
 * with jansson what a session writes. Documents are held against an editor of our own that knows
 * nothing but UTF-16 units. */
#include "lsp_server/test_lifecycle.c"

#include "lsp_server/test_edits.c"
#include "lsp_server/test_feed.c"
#include "lsp_server/test_handed.c"
#include "lsp_server/test_symbols.c"

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lifecycle),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_nothing_after_the_end),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_closed_with_requests_in_flight),
        cmocka_unit_test(test_two_sessions),
        cmocka_unit_test(test_folder_removed),
        cmocka_unit_test(test_places_utf16),
        cmocka_unit_test(test_places_utf8),
        cmocka_unit_test(test_random_edits),
        cmocka_unit_test(test_edits_that_do_not_fit),
        cmocka_unit_test(test_deep_symbols),
        cmocka_unit_test(test_feed),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_handed_hovers),
        cmocka_unit_test(test_handed_dropped),
        cmocka_unit_test(test_handed_limits),
        cmocka_unit_test(test_handed_while_indexed),
        cmocka_unit_test(test_handed_at_the_end),
        cmocka_unit_test(test_served_languages),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
