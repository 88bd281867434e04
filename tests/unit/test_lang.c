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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_file),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_language_id),
        cmocka_unit_test(test_queries_compile),
    };
    return cmocka_run_group_tests_name("lang", tests, setup, teardown);
}
