/* Part of test_codec.c: what is read is checked, whatever its depth or kind. */

static void
assert_refused(struct str text, const char *part_of_why)
{
    json_t *value = NULL;
    char *why = NULL;
    if (codec_parse(text, &value, &why) != -EINVAL)
        fail_msg("\"%.*s\" is accepted", STR_ARG(text));
    assert_null(value);
    assert_non_null(why);
    if (!strstr(why, part_of_why))
        fail_msg("\"%s\" does not say \"%s\"", why, part_of_why);
    free(why);
    assert_int_equal(codec_parse(text, &value, NULL), -EINVAL);
}

static void
test_parse(UNUSED void **state)
{
    static const char *const good[] = {"{}",    " [1,2] \n", "null",
                                       "\"x\"", "-0.5e3",    "{\"a\":{\"a\":1}}"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        json_decref(parse(str_of(good[i])));

    assert_refused(STR(""), "line");
    assert_refused(STR_NONE, "line");
    assert_refused(STR("  "), "line");
    assert_refused(STR("{}x"), "line 1, column 3");
    assert_refused(STR("{} {}"), "line 1");
    assert_refused(STR("[1,\n2,\n,]"), "line 3");
    assert_refused(STR("{\"a\":1"), "line 1");
    assert_refused(STR("{\"a\":1,\"b\":2,\"a\":3}"), "duplicate");
    assert_refused(STR("{\"x\":{\"a\":1,\"a\":1}}"), "duplicate");
    assert_refused(STR("\"\x01\""), "line 1");
    assert_refused(STR("\"\xFF\""), "line 1");
    assert_refused(STR("\"\xC0\x80\""), "line 1");
    assert_refused(STR("\"\xED\xA0\x80\""), "line 1");
    assert_refused(STR("{}\0"), "line 1");
    assert_refused(STR("NaN"), "line 1");
    assert_refused(STR("99999999999999999999"), "line 1");
    assert_refused(STR("1e999"), "line 1");
    assert_refused(STR("{\"a\\u0000b\":1}"), "line 1");
}

static void
test_parse_depth(UNUSED void **state)
{
    AUTO(buf_finish) struct buf b = {0};
    nest(&b, CODEC_DEPTH_MAX, "[", "]");
    json_decref(parse(buf_str(&b)));
    nest(&b, CODEC_DEPTH_MAX, "{\"a\":", "}");
    json_decref(parse(buf_str(&b)));
    nest(&b, CODEC_DEPTH_MAX + 1, "[", "]");
    assert_refused(buf_str(&b), "byte 64: more than 64 levels");
    nest(&b, CODEC_DEPTH_MAX + 1, "{\"a\":", "}");
    assert_refused(buf_str(&b), "more than 64 levels");
    nest(&b, 100000, "[", "");
    assert_refused(buf_str(&b), "more than 64 levels");

    /* Brackets in strings are no levels, and a quote behind a backslash ends none. */
    buf_reset(&b);
    buf_add_cstr(&b, "[\"\\\"");
    for (int i = 0; i < 100; i++)
        buf_add_cstr(&b, "[{");
    buf_add_cstr(&b, "\\\\\",[]]");
    json_decref(parse(buf_str(&b)));
    /* Neither are brackets that were closed again. */
    buf_reset(&b);
    buf_add_cstr(&b, "[0");
    for (int i = 0; i < 100; i++)
        buf_add_cstr(&b, ",[],{}");
    buf_add_cstr(&b, "]");
    json_decref(parse(buf_str(&b)));
}

static void
test_count_values(UNUSED void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {{"", 0},
                 {"1", 1},
                 {" -1.5e+3 ", 1},
                 {"[]", 1},
                 {"[{},{}]", 3},
                 {"[1,2 ,true\n,null]", 5},
                 {"{\"a\":1,\"b\" : \"c\"}", 3},
                 {"{\"a\":{\"b\":[{}]}}", 4},
                 {"\"[{,:\\\"1,2\\\\\"", 1},
                 {"{\"{[\":[]}", 2},
                 {":::[", 1}, // no JSON, but nothing is read behind its end
                 {"\"a", 1},
                 {"\"\\", 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = codec_count_values(str_of(cases[i].text), 100);
        if (n != cases[i].n)
            fail_msg("%s has %zu values", cases[i].text, n);
    }
    assert_int_equal(codec_count_values(STR("[1,2,3,4,5]"), 3), 4);
    assert_int_equal(codec_count_values(STR("[1,2::::::"), 2), 3);
}

static void
test_get(UNUSED void **state)
{
    AUTO(json_decref_)
    json_t *o = parse(STR(
        "{\"s\":\"a\\u0000b\",\"i\":-5,\"big\":9223372036854775807,\"real\":3.0,"
        "\"half\":3.5,\"huge\":1e300,\"t\":true,\"f\":false,\"n\":null,\"o\":{\"x\":1},"
        "\"a\":[1]}"));
    struct str s = STR("kept");
    assert_int_equal(codec_get_str(o, "s", &s), 0);
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b", 3);
    s = STR("kept");
    assert_int_equal(codec_get_str(o, "none", &s), -ENOENT);
    assert_int_equal(codec_get_str(o, "n", &s), -ENOENT);
    assert_int_equal(codec_get_str(o, "i", &s), -EINVAL);
    assert_int_equal(codec_get_str(NULL, "s", &s), -ENOENT);
    assert_int_equal(codec_get_str(codec_array(o, "a"), "s", &s), -ENOENT);
    assert_str(s, "kept");

    int64_t i = 77;
    assert_int_equal(codec_get_int(o, "none", 0, 9, &i), -ENOENT);
    assert_int_equal(codec_get_int(o, "n", 0, 9, &i), -ENOENT);
    assert_int_equal(codec_get_int(o, "s", 0, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "t", 0, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "i", -4, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "i", -9, -6, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "half", 0, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "huge", INT64_MIN, INT64_MAX, &i), -EINVAL);
    assert_int_equal(i, 77);
    assert_int_equal(codec_get_int(o, "i", -5, -5, &i), 0);
    assert_int_equal(i, -5);
    assert_int_equal(codec_get_int(o, "big", 0, INT64_MAX, &i), 0);
    assert_true(i == INT64_MAX);
    assert_int_equal(codec_get_int(o, "real", 0, 9, &i), 0);
    assert_int_equal(i, 3);

    bool flag = false;
    assert_int_equal(codec_get_bool(o, "none", &flag), -ENOENT);
    assert_int_equal(codec_get_bool(o, "i", &flag), -EINVAL);
    assert_int_equal(codec_get_bool(o, "t", &flag), 0);
    assert_true(flag);
    assert_int_equal(codec_get_bool(o, "f", &flag), 0);
    assert_false(flag);

    assert_non_null(codec_object(o, "o"));
    assert_null(codec_object(o, "a"));
    assert_null(codec_object(NULL, "o"));
    assert_non_null(codec_array(o, "a"));
    assert_null(codec_array(o, "o"));
    assert_null(codec_array(o, "none"));
    assert_true(json_is_null(codec_member(o, "n")));
    assert_null(codec_member(o, "none"));
    assert_null(codec_member(NULL, "n"));
    assert_null(codec_member(codec_array(o, "a"), "n"));
}
