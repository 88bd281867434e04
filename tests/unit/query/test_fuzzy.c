/* Which of two names fits what was typed better. */

static double
score(const char *pattern, const char *name)
{
    return fuzzy_score(str_of(pattern), str_of(name));
}

static void
test_fuzzy_matches(void **state UNUSED)
{
    assert_true(score("pc", "processCommand") > 0);
    assert_true(score("PC", "process_command") > 0);
    assert_true(score("", "anything") > 0);
    assert_true(score("a b", "ab") > 0);
    assert_true(score("cp", "processCommand") == 0);
    assert_true(score("processCommands", "processCommand") == 0);
    assert_true(score("x", "") == 0);
}

static void
test_fuzzy_prefers(void **state UNUSED)
{
    static const char *const better[][3] = {
        {"run", "run", "runLoop"},                    // the whole
        {"Run", "Run", "run"},                        // the same case
        {"run", "runLoop", "doRun"},                  // a beginning
        {"pc", "processCommand", "specific"},         // starts of words
        {"pc", "process_command", "upcase"},          //
        {"hs", "HTTPServer", "hashes"},               // also behind capitals
        {"loop", "runLoop", "lxoxoxp"},               // a run of letters
        {"pc", "specialProcessCommand", "spaceless"}, // the best layout, not the first
        {"get", "getter", "gxxxexxxt"},               //
        {"start", "App.start", "stuart"},             //
    };
    for (size_t i = 0; i < ARRAY_LEN(better); i++) {
        double a = score(better[i][0], better[i][1]),
               b = score(better[i][0], better[i][2]);
        if (!(a > b))
            fail_msg("%s: %s %f, %s %f", better[i][0], better[i][1], a, better[i][2], b);
    }
}

/* A query, and real names in the order it must give them. */
static void
test_fuzzy_orders(void **state UNUSED)
{
    static const char *const orders[][8] = {
        {"hmset", "hmset", "HMSET", "hmsetCommand", "processHmset", "hashMoreTypeSet"},
        {"uvrun", "uvrun", "uv_run", "uv__run_timers", "uv_fs_return"},
        {"gFN", "getFileName", "get_file_number", "gofname"},
        {"procmd", "processCommand", "PROTO_SHARED_SELECT_CMDS", "processInlineCommand",
         "reprocessedcommand"},
        {"Run", "Run", "run", "RunLoop", "runLoop", "doRun"},
        {"dictadd", "dictAdd", "dictAddRaw", "kvstoreDictAddRaw", "addictadd"},
        {"utf8", "utf8", "utf8_decode", "is_utf8", "unitf8"},
        {"sds", "sds", "sdsnew", "hi_sds", "addsds", "sadness"},
        {"httpserver", "HTTPServer", "HTTPServerOptions", "newHTTPServer", "xhttpserver"},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        for (size_t k = 2; k < ARRAY_LEN(orders[i]) && orders[i][k]; k++) {
            double a = score(orders[i][0], orders[i][k - 1]),
                   b = score(orders[i][0], orders[i][k]);
            if (!(a > b && b > 0))
                fail_msg("%s: %s %f, %s %f", orders[i][0], orders[i][k - 1], a,
                         orders[i][k], b);
        }
    }
}

static void
test_fuzzy_long_names(void **state UNUSED)
{
    char name[2000];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_true(score("aaaa", name) > 0);
    char pattern[500];
    memset(pattern, 'a', sizeof(pattern));
    pattern[sizeof(pattern) - 1] = '\0';
    assert_true(score(pattern, name) > 0);
    assert_true(fuzzy_score(STR("\xff\xfe"), STR("\xff\xfe")) > 0);
}
