/* Languages are found by what a file is called and how it begins, and every query file of the
 * build fits its grammar and uses only what extraction knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lang/lang.h"

static const char *
name_of(const char *path, const char *head)
{
    const struct lang *l = lang_of_file(str_of(path), str_of(head));
    return l ? l->name : "none";
}

static int
setup(void **state)
{
    (void)state;
    char *why = NULL;
    return lang_init(&why);
}

static int
teardown(void **state)
{
    (void)state;
    lang_finish();
    return 0;
}

static void
test_of_file(void **state)
{
    (void)state;
    static const struct {
        const char *path, *head, *name;
    } cases[] = {
        {"src/a.c", "", "c"},
        {"a.h", "", "c"},
        {"UPPER.PY", "", "python"},
        {"types.pyi", "", "python"},
        {"SConstruct", "", "python"},
        {"dir.py/SConstruct", "", "python"},
        {"app.jsx", "", "javascript"},
        {"app.mjs", "", "javascript"},
        {"app.d.ts", "", "typescript"},
        {"app.cts", "", "typescript"},
        {"view.tsx", "", "tsx"},
        {"main.go", "", "go"},
        {"a.cc", "", "cpp"},
        {"a.HPP", "", "cpp"},
        {"a.h", "#pragma once\n  template <class T>\n", "cpp"},
        {"a.h", "class A {\npublic:\n", "cpp"},
        {"a.h", "// namespace a\nint f(void);\n", "c"},
        {"a.h", "#ifdef A\n@interface A : NSObject\n", "objc"},
        {"a.h", "/**\n@class a\n@end table */\n", "c"},
        {"a.m", "\n#import \"a.h\"\n", "objc"},
        {"a.m", "% MATLAB\nfunction f()\nend\n", "none"},
        {"a.m", "", "objc"},
        {"a.mm", "int a;\n", "objc"},
        {"a.swift", "", "swift"},
        {"lib.rs", "", "rust"},
        {"Main.java", "", "java"},
        {"README", "", "none"},
        {"README.md", "#!/usr/bin/python3\n", "markdown"},
        {"README.txt", "#!/usr/bin/python3\n", "none"},
        {"Makefile", "", "make"},
        {"rules", "#!/usr/bin/make -f\n", "make"},
        {".github/workflows/ci.yml", "", "yaml"},
        {"dir.py/README", "", "none"},
        {"a.averyveryverylongextension", "", "none"},
        {".c", "", "none"},
        {"", "", "none"},
        {"tool", "#!/usr/bin/python3.11 -u\nimport x", "python"},
        {"tool", "#!/usr/bin/env python3", "python"},
        {"tool", "#! /usr/bin/env -S A=1 node --flag\n", "javascript"},
        {"tool", "#!/usr/bin/env -S deno run\n", "typescript"},
        {"tool", "#!/bin/sh\n", "bash"},
        {"tool", "#!/usr/bin/env bash", "bash"},
        {".bashrc", "", "bash"},
        {"tool", "#!/bin/no-such-shell\n", "none"},
        {"tool", "#!\n", "none"},
        {"tool", "#!/usr/bin/env\n", "none"},
        {"tool", "# /usr/bin/python3\n", "none"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(name_of(cases[i].path, cases[i].head), cases[i].name);
}

static void
test_table(void **state)
{
    (void)state;
    assert_true(lang_count() >= 5 && lang_count() <= LANG_COUNT_MAX);
    for (size_t i = 0; i < lang_count(); i++) {
        const struct lang *l = lang_at(i);
        assert_int_equal(l->index, i);
        assert_ptr_equal(lang_by_key_prefix(str_of(l->key_prefix)), l);
    }
    assert_null(lang_by_key_prefix(STR("p")));
    assert_null(lang_by_key_prefix(STR_NONE));
}

static void
test_language_id(void **state)
{
    (void)state;
    static const struct {
        const char *path, *id;
    } cases[] = {
        {"a.tsx", "typescriptreact"},
        {"a.jsx", "javascriptreact"},
        {"a.js", "javascript"},
        {"a.ts", "typescript"},
        {"a.h", "c"},
        {"wscript", "python"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str path = str_of(cases[i].path);
        const struct lang *l = lang_of_file(path, STR_NONE);
        assert_non_null(l);
        assert_string_equal(lang_language_id(l, path), cases[i].id);
        assert_ptr_equal(lang_by_language_id(str_of(cases[i].id)), l);
    }
    assert_null(lang_by_language_id(STR("cobol")));
}

static void
test_queries_compile(void **state)
{
    (void)state;
    for (size_t i = 0; i < lang_count(); i++) {
        char *why = NULL;
        struct lang_query *q = NULL;
        int r = lang_query_create(lang_at(i), &q, &why);
        if (r < 0)
            fail_msg("%s", why);
        assert_true(q->n_patterns > 1);
        lang_query_destroy(q);
    }
    lang_query_destroy(NULL);
}

static void
test_mask(void **state)
{
    (void)state;
    /* In front, what is given; behind, what the parser sees of it. */
    static const char *const cases[][2] = {
        {"int a;\n", "int a;\n"},
        {"NS_ASSUME_NONNULL_BEGIN\nint a;", "//                     \nint a;"},
        {"- (void)a NS_REQUIRES_SUPER;", "- (void)a                  ;"},
        {"typedef NS_ENUM(int, Ab) {", "enum                 Ab  {"},
        {"NS_ENUM(int) {", "NS_ENUM(int) {"},
        {"NS_ENUM(", "NS_ENUM("},
        {"UI_EXTERN int a;", "extern    int a;"},
        {"id a API_AVAILABLE(x(1), y) ;", "id a                        ;"},
        {"RCT_EXPORT_METHOD(a : (id)b)\n{", "- (void)          a : (id)b \n{"},
        {"RCT_REMAP_METHOD(js, a : (id)b)\n{", "- (void)             a : (id)b \n{"},
        {"@\"%\"PRIuPTR\"\"", "@\"%\"       \"\""},
        {"A_MACRO(1,\n 2)\nint a;", "          \n   \nint a;"},
        {"A_MACRO(1)\n{ }", "A_MACRO(1)\n{ }"},
        {" A_MACRO(1)\nint a;", " A_MACRO(1)\nint a;"},
        {"#if A\n#endif\n", "#if A\n#endif\n"},
        {"@interface A\n#if A\n#endif\n@end\n#if A\n",
         "@interface A\n     \n      \n@end\n#if A\n"},
        {"@implementation A\n- (id)a {\n#if A\n}\n#endif\n@end",
         "@implementation A\n- (id)a {\n#if A\n}\n      \n@end"},
        {"@protocol A;\n#if A\n", "@protocol A;\n#if A\n"},
    };
    AUTO(buf_finish) struct buf space = {0};
    const struct lang *objc = lang_by_key_prefix(STR("objc"));
    assert_true(objc->has_masks && !lang_by_key_prefix(STR("c"))->has_masks);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_of(cases[i][0]);
        struct str shown = lang_mask(objc, text, &space);
        assert_int_equal(shown.n, text.n);
        if (!str_eq_c(shown, cases[i][1]))
            fail_msg("%s\ngives\n%.*s", cases[i][0], STR_ARG(shown));
    }
    const struct lang *swift = lang_by_key_prefix(STR("swift"));
    struct str text = STR("  #if A // b\n#available\nnonisolated(unsafe) var a\n#endif");
    assert_true(str_eq_c(lang_mask(swift, text, &space),
                         "            \n#available\n                    var a\n      "));
    assert_ptr_equal(lang_mask(objc, STR_NONE, &space).p, STR_NONE.p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_file),     cmocka_unit_test(test_table),
        cmocka_unit_test(test_language_id), cmocka_unit_test(test_queries_compile),
        cmocka_unit_test(test_mask),
    };
    return cmocka_run_group_tests_name("lang", tests, setup, teardown);
}
