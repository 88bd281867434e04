/* Tests of text in its forms: str, buf, path, uri, utf. Part of test_base.c. */
#include "check.h"

#include "base/path.h"
#include "base/uri.h"
#include "base/utf.h"

/* str.h */

static void
test_str_compare(UNUSED void **state)
{
    assert_int_equal(str_of(NULL).n, 0);
    assert_null(str_of(NULL).p);
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq(str_slice("a\0b", 3), str_slice("a\0b", 3)));
    assert_false(str_eq(str_slice("a\0b", 3), str_slice("a\0c", 3)));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq_c(STR("ab"), "ab"));
    assert_true(str_eq_c(STR_NONE, NULL));

    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_true(str_cmp(STR("ab"), STR("abc")) < 0);
    assert_true(str_cmp(STR("b"), STR("abc")) > 0);
    assert_true(str_cmp(STR("\x80"), STR("\x7f")) > 0); // bytes have no sign
    assert_true(str_cmp(STR_NONE, STR("a")) < 0);

    assert_true(str_starts_with(STR("abc"), STR("ab")));
    assert_true(str_starts_with(STR_NONE, STR_NONE));
    assert_false(str_starts_with(STR("a"), STR("ab")));
    assert_true(str_ends_with(STR("abc"), STR("bc")));
    assert_true(str_ends_with(STR_NONE, STR("")));
    assert_false(str_ends_with(STR("bc"), STR("abc")));
    assert_false(str_ends_with(STR("abc"), STR("ab")));
}

static void
test_str_search(UNUSED void **state)
{
    assert_int_equal(str_find(STR("aXaXY"), STR("XY")), 3);
    assert_int_equal(str_find(STR("abc"), STR("")), 0);
    assert_int_equal(str_find(STR_NONE, STR_NONE), 0);
    assert_int_equal(str_find(STR("abc"), STR("abcd")), -1);
    assert_int_equal(str_find(str_slice("ab", 1), STR("b")), -1); // not behind the view
    assert_int_equal(str_find_char(STR("a\xff"), '\xff'), 1);
    assert_int_equal(str_find_char(STR_NONE, '\0'), -1);

    assert_str(str_trim(STR(" \t\r\n\v\fa b \n")), "a b");
    assert_str(str_trim(STR("  ")), "");
    assert_int_equal(str_trim(STR_NONE).n, 0);

    struct str rest = STR(",a,,b,"), part;
    struct buf seen = {0};
    while (str_split(&rest, ',', &part))
        buf_printf(&seen, "[%.*s]", STR_ARG(part));
    assert_str(buf_str(&seen), "[][a][][b]");
    buf_finish(&seen);
    assert_false(str_split(&rest, ',', &part));
    rest = STR_NONE;
    assert_false(str_split(&rest, ',', &part));
}

static void
test_str_numbers(UNUSED void **state)
{
    uint64_t u = 42;
    int64_t i = 42;
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "0x1", "1e3", "--1", "99999999999999999999x"};
    for (size_t n = 0; n < ARRAY_LEN(bad); n++) {
        assert_int_equal(str_to_u64(str_of(bad[n]), &u), -EINVAL);
        assert_int_equal(str_to_i64(str_of(bad[n]), &i), -EINVAL);
    }
    assert_int_equal(str_to_u64(STR_NONE, &u), -EINVAL);
    assert_int_equal(str_to_u64(STR("-1"), &u), -EINVAL);
    assert_int_equal(str_to_u64(str_slice("1\0", 2), &u), -EINVAL);
    assert_int_equal(str_to_u64(STR("18446744073709551616"), &u), -ERANGE);
    assert_int_equal(str_to_u64(STR("99999999999999999999999"), &u), -ERANGE);
    assert_int_equal(str_to_i64(STR("9223372036854775808"), &i), -ERANGE);
    assert_int_equal(str_to_i64(STR("-9223372036854775809"), &i), -ERANGE);
    assert_int_equal(u, 42); // untouched on failure
    assert_int_equal(i, 42);

    assert_int_equal(str_to_u64(STR("18446744073709551615"), &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(str_to_u64(str_slice("123", 2), &u), 0);
    assert_int_equal(u, 12);
    assert_int_equal(str_to_u64(STR("00000000000000000000000007"), &u), 0);
    assert_int_equal(u, 7);
    assert_int_equal(str_to_i64(STR("-9223372036854775808"), &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(str_to_i64(STR("9223372036854775807"), &i), 0);
    assert_true(i == INT64_MAX);
    assert_int_equal(str_to_i64(STR("-0"), &i), 0);
    assert_int_equal(i, 0);

    assert_int_equal(hex_value('0'), 0);
    assert_int_equal(hex_value('f'), 15);
    assert_int_equal(hex_value('A'), 10);
    assert_int_equal(hex_value('g'), -1);
    assert_int_equal(hex_value('\0'), -1);
    assert_heap(str_dup(STR_NONE), "");
    assert_heap(str_dup(str_slice("abc", 2)), "ab");
}

static void
test_buf(UNUSED void **state)
{
    AUTO(buf_finish) struct buf b = {0};
    assert_null(buf_str(&b).p);
    buf_reset(&b);
    buf_consume(&b, 0);
    buf_add_str(&b, STR_NONE);
    buf_add_cstr(&b, NULL);
    assert_int_equal(b.n, 0);

    buf_add(&b, "a\0b", 3);
    buf_add_char(&b, 'c');
    buf_add_cstr(&b, "de");
    assert_memory_equal(b.p, "a\0bcde", 7);
    assert_int_equal(b.n, 6);
    buf_consume(&b, 2);
    assert_string_equal(b.p, "bcde");
    buf_consume(&b, 4);
    assert_string_equal(b.p, "");

    /* Around each growth: what fits exactly, and one more. */
    for (int width = 1; width < 300; width++) {
        buf_reset(&b);
        buf_add_char(&b, '<');
        buf_printf(&b, "%0*d", width, 5);
        assert_int_equal(b.n, width + 1);
        assert_int_equal(b.p[b.n - 1], '5');
        assert_int_equal(b.p[b.n], '\0');
    }
    buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, (char)('a' + i % 26));
    assert_int_equal(b.n, 100000);
    assert_int_equal(strlen(b.p), 100000);
    size_t cap = b.cap;
    buf_reset(&b);
    assert_string_equal(b.p, "");
    assert_int_equal(b.cap, cap);
    buf_reserve(&b, cap - 1);
    assert_int_equal(b.cap, cap);

    buf_add_cstr(&b, "mine");
    assert_heap(buf_steal(&b), "mine");
    assert_null(b.p);
    assert_heap(buf_steal(&b), "");
    buf_finish(&b);
    buf_finish(NULL);
}

/* path.h */

static void
test_path_build(UNUSED void **state)
{
    assert_heap(path_join("/a", "b"), "/a/b");
    assert_heap(path_join("/a/", "b"), "/a/b");
    assert_heap(path_join("/a", "/b"), "/b");
    assert_heap(path_join("", "b"), "b");
    assert_heap(path_join("/a", ""), "/a");
    assert_heap(path_join("/", "b"), "/b");

    static const char *const cases[][2] = {
        {"/../a//b/./", "/a/b"},
        {"/", "/"},
        {"//", "/"},
        {"", "."},
        {".", "."},
        {"./", "."},
        {"a/..", "."},
        {"a/../../b", "../b"},
        {"../a/..", ".."},
        {"../../a", "../../a"},
        {"/a/../..", "/"},
        {"/a/b/../c", "/a/c"},
        {"a/b/..", "a"},
        {"/..a/...", "/..a/..."},
        {"a//", "a"},
        {"/a/./.b", "/a/.b"},
        {"../../..", "../../.."},
        {"/ab/../a", "/a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_heap(path_normalize(cases[i][0]), cases[i][1]);
        assert_heap(path_normalize(cases[i][1]), cases[i][1]);
    }
}

static void
test_path_parts(UNUSED void **state)
{
    assert_str(path_basename(STR("/a/b.c")), "b.c");
    assert_str(path_basename(STR("b")), "b");
    assert_str(path_basename(STR("/a/b//")), "b");
    assert_str(path_basename(STR("/")), "/");
    assert_str(path_basename(STR_NONE), "");
    assert_str(path_dirname(STR("/a/b.c")), "/a");
    assert_str(path_dirname(STR("/a")), "/");
    assert_str(path_dirname(STR("a")), ".");
    assert_str(path_dirname(STR("a//b/")), "a");
    assert_str(path_dirname(STR("/")), "/");
    assert_str(path_dirname(STR_NONE), ".");
    assert_str(path_extension(STR("/a/b.tar.gz")), "gz");
    assert_str(path_extension(STR(".profile")), "");
    assert_str(path_extension(STR("/a/.profile")), "");
    assert_str(path_extension(STR(".a.b")), "b");
    assert_str(path_extension(STR("Makefile")), "");
    assert_str(path_extension(STR("a.d/file")), "");
    assert_str(path_extension(STR("file.")), "");
    assert_str(path_extension(STR_NONE), "");

    assert_str(path_below(STR("/a"), STR("/a/b/c")), "b/c");
    assert_str(path_below(STR("/"), STR("/a")), "a");
    assert_str(path_below(STR("."), STR("a/b")), "a/b");
    struct str same = path_below(STR("/a"), STR("/a"));
    assert_non_null(same.p);
    assert_int_equal(same.n, 0);
    assert_non_null(path_below(STR("/"), STR("/")).p);
    assert_null(path_below(STR("/a"), STR("/ab")).p);
    assert_null(path_below(STR("/a"), STR("/ab/c")).p);
    assert_null(path_below(STR("/a/b"), STR("/a")).p);
    assert_null(path_below(STR("/a"), STR("/b/a")).p);
    assert_null(path_below(STR("."), STR("../a")).p);
    assert_null(path_below(STR("."), STR("/a")).p);
    assert_null(path_below(STR_NONE, STR("a")).p);
}

/* uri.h */

/* No byte of a password is left, however it was written. */
static void
test_uri_public(UNUSED void **state)
{
    static const char *const as_they_are[] = {
        "sqlite:/a/b@c?d=e", "mem:",
        "rocksdb:/x",        "",
        "postgres://h/d",    "postgres://u@h:1/d?sslmode=require&host=/run/x",
        "postgres:///d",     "postgresql://",
    };
    static const char *const shown[][2] = {
        {"postgres://u:S@h/d", "postgres://u:***@h/d"},
        {"postgres://u:S:S@h:1,i:2/d", "postgres://u:***@h:1,i:2/d"},
        {"postgresql://u:S@S/S?S@h/d", "postgresql://***"},
        {"postgres://u:S/S@h/d", "postgres://u:***@h/d"},
        {"postgres://u:@h/d", "postgres://u:***@h/d"},
        {"postgres://:S@h/d", "postgres://:***@h/d"},
        {"postgres://h/d?password=S", "postgres://h/d?***"},
        {"postgres://h/d?user=u&password=S&sslmode=x",
         "postgres://h/d?user=u&***&sslmode=x"},
        {"postgres://h/d?password=S@S", "postgres://***"},
        {"postgres://h/d?p%61ssword=S", "postgres://h/d?***"},
        {"postgres://h/d?S", "postgres://h/d?***"},
        {"postgres://h/d?Password=S&", "postgres://h/d?***"},
        {"mysql://u:S@h", "mysql://u:***@h"},
    };
    for (size_t i = 0; i < ARRAY_LEN(as_they_are); i++)
        assert_heap(uri_public(as_they_are[i]), as_they_are[i]);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        assert_heap(uri_public(shown[i][0]), shown[i][1]);
}

static void
test_uri(UNUSED void **state)
{
    assert_heap(uri_from_path("/a-b._~/C9"), "file:///a-b._~/C9");
    assert_heap(uri_from_path("/[^|]#%? é:&"),
                "file:///%5B%5E%7C%5D%23%25%3F%20%C3%A9%3A%26");

    char all[257] = "/";
    for (int c = 1; c < 256; c++)
        all[c] = (char)(c == '/' || c == '.' ? 'x' : c);
    AUTO(free) char *uri = uri_from_path(all);
    char *path = NULL;
    assert_int_equal(uri_to_path(str_of(uri), &path), 0);
    assert_int_equal(path[0], '/');
    assert_heap(path, all);

    static const char *const good[][2] = {
        {"file:///a/b", "/a/b"},           {"file:/a", "/a"},
        {"file://localhost/a", "/a"},      {"FILE://LocalHost/a", "/a"},
        {"file:///a%2fb%2F..", "/a"},      {"file:///a/../b//./c/", "/b/c"},
        {"file:///a%c3%A9", "/a\xC3\xA9"}, {"file:///a#L10", "/a"},
        {"file:///a?x=%zz", "/a"},         {"file:///a[0]\xC3\xA9", "/a[0]\xC3\xA9"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(uri_to_path(str_of(good[i][0]), &path), 0);
        assert_heap(path, good[i][1]);
    }

    static const char *const bad[] = {
        "",
        "file",
        "file:",
        "file://",
        "file:a",
        "file://a",
        "file://host/a",
        "file://localhostx/a",
        "http:///a",
        "untitled:Untitled-1",
        "/a",
        "file:///a%",
        "file:///a%2",
        "file:///a%2g",
        "file:///a%00b",
        "file:///a%-1",
    };
    path = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(uri_to_path(str_of(bad[i]), &path), -EINVAL);
    assert_int_equal(uri_to_path(str_slice("file:///a\0b", 11), &path), -EINVAL);
    assert_int_equal(uri_to_path(str_slice("file:///a%41", 11), &path), -EINVAL);
    assert_int_equal(uri_to_path(STR_NONE, &path), -EINVAL);

    AUTO(buf_finish) struct buf longest = {0};
    buf_add_str(&longest, STR("file:///"));
    while (longest.n < 7 + PATH_BYTES_MAX)
        buf_add_char(&longest, 'x');
    assert_int_equal(uri_to_path(buf_str(&longest), &path), 0);
    assert_int_equal(strlen(path), PATH_BYTES_MAX);
    free(steal(path));
    buf_add_char(&longest, 'x');
    assert_int_equal(uri_to_path(buf_str(&longest), &path), -EINVAL);
    assert_null(path);
}

/* utf.h */

static void
test_utf_decode(UNUSED void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint32_t code_point;
    } good[] = {
        {"a", 1, 'a'},
        {"\x7F", 1, 0x7F},
        {"\xC2\x80", 2, 0x80},
        {"\xDF\xBF", 2, 0x7FF},
        {"\xE0\xA0\x80", 3, 0x800},
        {"\xED\x9F\xBF", 3, 0xD7FF},
        {"\xEE\x80\x80", 3, 0xE000},
        {"\xEF\xBF\xBD", 3, 0xFFFD},
        {"\xEF\xBF\xBF", 3, 0xFFFF},
        {"\xF0\x90\x80\x80", 4, 0x10000},
        {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
    };
    uint32_t cp;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(utf8_decode(str_of(good[i].bytes), &cp), good[i].n);
        assert_int_equal(cp, good[i].code_point);
        assert_true(utf8_is_valid(str_of(good[i].bytes)));
        for (size_t n = 1; n < good[i].n; n++) { // cut off
            assert_int_equal(utf8_decode(str_slice(good[i].bytes, n), &cp), 1);
            assert_int_equal(cp, 0xFFFD);
            assert_false(utf8_is_valid(str_slice(good[i].bytes, n)));
        }
    }

    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC3(",
        "\xE0\x9F\xBF",
        "\xE2(\xA1",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x9F\x98(",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFE",
        "\xFF",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(utf8_decode(str_of(bad[i]), &cp), 1);
        assert_int_equal(cp, 0xFFFD);
        assert_false(utf8_is_valid(str_of(bad[i])));
    }
    assert_int_equal(utf8_decode(STR_NONE, &cp), 0);
    assert_true(utf8_is_valid(STR_NONE));
    assert_int_equal(utf8_decode(str_slice("\0a", 2), &cp), 1);
    assert_int_equal(cp, 0);
}

static void
test_utf_columns(UNUSED void **state)
{
    /* a, é (2 bytes), €  (3 bytes), emoji (4 bytes, a pair), a lone lead byte, b */
    const struct str line = STR("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF0"
                                "b");
    static const size_t of_utf16[] = {0, 1, 3, 6, 6, 10, 11, 12, 12, 12};
    static const size_t of_utf32[] = {0, 1, 3, 6, 10, 11, 12, 12};

    assert_int_equal(utf8_utf16_len(line), 7);
    assert_int_equal(utf8_utf32_len(line), 6);
    for (size_t i = 0; i < ARRAY_LEN(of_utf16); i++)
        assert_int_equal(utf8_offset_of_utf16(line, i), of_utf16[i]);
    for (size_t i = 0; i < ARRAY_LEN(of_utf32); i++)
        assert_int_equal(utf8_offset_of_utf32(line, i), of_utf32[i]);
    assert_int_equal(utf8_offset_of_utf16(line, SIZE_MAX), line.n);
    assert_int_equal(utf8_offset_of_utf32(STR_NONE, 3), 0);
    assert_int_equal(utf8_utf16_len(STR("\xED\xA0\x80\xED\xB0\x80")), 6); // no pair

    /* Whatever the bytes, a column leads back to where it came from. */
    unsigned char noise[512];
    uint32_t seed = 12345;
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1103515245 + 12345;
        noise[i] = (unsigned char)(seed >> 16 | (i % 3 ? 0x80 : 0));
    }
    struct str text = str_slice((char *)noise, sizeof(noise));
    size_t at = 0, points = 0;
    while (at < text.n) {
        uint32_t cp;
        struct str before = str_slice(text.p, at);
        assert_int_equal(utf8_offset_of_utf16(text, utf8_utf16_len(before)), at);
        assert_int_equal(utf8_offset_of_utf32(text, points++), at);
        at += utf8_decode(str_slice(text.p + at, text.n - at), &cp);
    }
    assert_int_equal(utf8_utf32_len(text), points);
}

static void
test_utf_add_valid(UNUSED void **state)
{
    AUTO(buf_finish) struct buf b = {0};
    utf8_add_valid(&b, STR("x\xFFy\xE2\x82z\xED\xA0\x80\xC3\xA9\xF0"));
    assert_str(buf_str(&b), "x\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBDz"
                            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD");
    assert_true(utf8_is_valid(buf_str(&b)));
    buf_reset(&b);
    utf8_add_valid(&b, STR_NONE);
    utf8_add_valid(&b, str_slice("a\0b", 3));
    assert_memory_equal(b.p, "a\0b", 4);
}
