/* Text becomes a tree whatever the text is; a deadline stops it, and the parser is as new after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "parse/parse.h"

static struct parser *parser;

static int
setup(void **state)
{
    (void)state;
    char *why = NULL;
    parser = parser_create();
    return lang_init(&why);
}

static int
teardown(void **state)
{
    (void)state;
    parser_destroy(parser);
    parser_destroy(NULL);
    lang_finish();
    return 0;
}

static const struct lang *
lang_named(const char *path)
{
    const struct lang *l = lang_of_file(str_of(path), STR_NONE);
    assert_non_null(l);
    return l;
}

static void
test_languages_in_turn(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text;
    } cases[] = {
        {"a.c", "int f(void) { return 0; }"}, {"a.py", "def f():\n    pass\n"},
        {"a.js", "const f = () => <b/>;"},    {"a.ts", "let x: Array<number> = [];"},
        {"a.tsx", "let x = <b>{y as T}</b>"}, {"a.c", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        TSTree *tree = NULL;
        assert_int_equal(parse_text(parser, lang_named(cases[i].path),
                                    str_of(cases[i].text), NULL, 0, &tree),
                         0);
        assert_false(ts_node_has_error(ts_tree_root_node(tree)));
        ts_tree_delete(tree);
    }
}

static void
test_old_tree(void **state)
{
    (void)state;
    const struct lang *c = lang_named("a.c");
    struct str before = STR("int a;\nint b;\n"), after = STR("int a;\nint bcd;\n");
    TSTree *old = NULL, *tree = NULL;
    assert_int_equal(parse_text(parser, c, before, NULL, 0, &old), 0);
    TSInputEdit edit = {.start_byte = 12,
                        .old_end_byte = 12,
                        .new_end_byte = 14,
                        .start_point = {1, 5},
                        .old_end_point = {1, 5},
                        .new_end_point = {1, 7}};
    ts_tree_edit(old, &edit);
    assert_int_equal(parse_text(parser, c, after, old, 0, &tree), 0);
    TSNode root = ts_tree_root_node(tree);
    assert_int_equal(ts_node_end_byte(root), after.n);
    assert_int_equal(ts_node_end_byte(ts_node_named_child(root, 1)), 15);
    ts_tree_delete(old);
    ts_tree_delete(tree);
}

/* A tree is there until the next one; its memory is used again. */
static void
test_many_trees(void **state)
{
    (void)state;
    AUTO(buf_finish) struct buf text = {0};
    for (int i = 0; i < 300; i++)
        buf_printf(&text, "def f%d(a=[1, (2, {3: 4})]):\n    return \"%d\" + f(a)\n", i,
                   i);
    for (size_t n = 1; n <= text.n; n = n * 2 + 1) {
        const TSTree *tree = NULL;
        assert_int_equal(
            parse_text_once(parser, lang_named("a.py"), str_slice(text.p, n), 0, &tree),
            0);
        assert_true(ts_node_end_byte(ts_tree_root_node(tree)) <= n);
        char *shown = ts_node_string(ts_tree_root_node(tree)); // of the heap
        assert_non_null(strstr(shown, "module"));
        free(shown);
    }
}

static void
test_deadline(void **state)
{
    (void)state;
    const struct lang *c = lang_named("a.c");
    AUTO(buf_finish) struct buf text = {0};
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "int function_%d(int a) { return a + %d; }\n", i, i);
    TSTree *tree = NULL;
    assert_int_equal(parse_text(parser, c, buf_str(&text), NULL, 1, &tree),
                     PARSE_E_TIMED_OUT);
    assert_null(tree);
    /* Nothing is left of the text that was given up. */
    assert_int_equal(parse_text(parser, c, STR("int x;"), NULL, 60000, &tree), 0);
    assert_int_equal(ts_node_end_byte(ts_tree_root_node(tree)), 6);
    ts_tree_delete(tree);
}

/* Calls that never end: each of them may be what the file is about, and the parser would need hundreds of
 * megabytes to choose. It is left in the middle of a step; nothing of it stays, its scanner's neither. */
static void
test_costly_text(void **state)
{
    (void)state;
    static const struct {
        const char *path, *open;
        int n;
        uint64_t deadline_ms;
    } cases[] = {
        {"a.c", "a(", 100000, 0},
        {"a.py", "def f():\n  a = [1, 2, 3]\n", 20000, 1},
        {"a.js", "f(`${a(", 50000, 1},
        {"a.c", "int f() {}", 20000, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_finish) struct buf text = {0};
        for (int n = 0; n < cases[i].n; n++)
            buf_add_cstr(&text, cases[i].open);
        const struct lang *l = lang_named(cases[i].path);
        const TSTree *tree = NULL;
        assert_int_equal(
            parse_text_once(parser, l, buf_str(&text), cases[i].deadline_ms, &tree),
            PARSE_E_TIMED_OUT);
        assert_null(tree);
        assert_int_equal(parse_text_once(parser, l, STR("a"), 0, &tree), 0);
        assert_int_equal(ts_node_end_byte(ts_tree_root_node(tree)), 1);
    }
}

/* The same text for a tree that is kept. */
static void
test_costly_kept(void **state)
{
    (void)state;
    const struct lang *c = lang_named("a.c");
    AUTO(buf_finish) struct buf text = {0};
    for (int n = 0; n < 100000; n++)
        buf_add_cstr(&text, "a(");
    for (int round = 0; round < 2; round++) {
        TSTree *tree = NULL;
        assert_int_equal(parse_text(parser, c, buf_str(&text), NULL, 0, &tree),
                         PARSE_E_TIMED_OUT);
        assert_null(tree);
        /* Nothing that ended elsewhere counts for the next one. */
        assert_int_equal(parse_text(parser, c, STR("int x;"), NULL, 0, &tree), 0);
        assert_int_equal(ts_node_end_byte(ts_tree_root_node(tree)), 6);
        ts_tree_delete(tree);
    }
}

/* The scanner of the shell goes back to the beginning of the line at each of these, without a step of the
 * parser between them: a script with a program packed into it took hours. */
static void
test_endless_token(void **state)
{
    (void)state;
    size_t n = 200000;
    char *nuls = xcalloc(n, 1);
    const TSTree *tree = NULL;
    TSTree *own = NULL;
    const struct lang *l = lang_named("a.sh");
    assert_int_equal(parse_text_once(parser, l, str_slice(nuls, n), 50, &tree),
                     PARSE_E_TIMED_OUT);
    assert_int_equal(parse_text(parser, l, str_slice(nuls, n), NULL, 50, &own),
                     PARSE_E_TIMED_OUT);
    assert_int_equal(parse_text(parser, l, STR("f() { g; }"), NULL, 0, &own), 0);
    assert_int_equal(ts_node_end_byte(ts_tree_root_node(own)), 10);
    ts_tree_delete(own);
    free(nuls);
}

static void
test_is_binary(void **state)
{
    (void)state;
    static char late[8193 + 1];
    memset(late, 'a', sizeof(late));
    assert_false(parse_is_binary(STR_NONE));
    assert_false(parse_is_binary(STR("int x; \xff\xfe")));
    assert_false(parse_is_binary(STR("\xEF\xBB\xBFint x;")));
    assert_true(parse_is_binary(STR("\xff\xfei\0n\0t\0")));
    assert_true(parse_is_binary(STR("\xfe\xff\0i\0n\0t")));
    assert_true(parse_is_binary(STR("\x7f"
                                    "ELF\0")));
    late[8191] = '\0';
    assert_true(parse_is_binary(str_slice(late, sizeof(late))));
    late[8191] = 'a';
    late[8192] = '\0';
    assert_false(parse_is_binary(str_slice(late, sizeof(late))));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_languages_in_turn), cmocka_unit_test(test_old_tree),
        cmocka_unit_test(test_many_trees),        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_costly_text),       cmocka_unit_test(test_costly_kept),
        cmocka_unit_test(test_endless_token),     cmocka_unit_test(test_is_binary),
    };
    return cmocka_run_group_tests_name("parse", tests, setup, teardown);
}
