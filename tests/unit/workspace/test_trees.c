/* A kept tree must never change what a text means: each version is parsed from the one before and anew. */
#include "lang/lang.h"
#include "workspace/edits.h"
#include "workspace/trees.h"

#define TREES_TEST_EDITS 60

static uint64_t trees_random_state = 0x9e3779b97f4a7c15ULL;

static unsigned
trees_random(size_t n)
{
    trees_random_state ^= trees_random_state << 13;
    trees_random_state ^= trees_random_state >> 7;
    trees_random_state ^= trees_random_state << 17;
    return (unsigned)((trees_random_state >> 11) % n);
}

/* Long enough to be kept. */
static void
make_python(struct buf *text)
{
    buf_add_cstr(text, "import os\n\n");
    for (unsigned i = 0; text->n < 3 * TREES_TEXT_BYTES_MIN; i++)
        buf_printf(text,
                   "class C%u:\n    \"\"\"Wörter\"\"\"\n    def m%u(self, x):\n"
                   "        if x:\n            return [%u, 'a']\n        return None\n\n",
                   i, i, i);
}

static void
make_commented_python(struct buf *text)
{
    buf_add_cstr(text, "# Of comments first.\n# All of them.\n\n");
    make_python(text);
}

static void
make_c(struct buf *text)
{
    for (unsigned i = 0; text->n < 3 * TREES_TEXT_BYTES_MIN; i++)
        buf_printf(
            text,
            "/* ä */\nint f%u(int x)\n{\n    if (x) {\n        return g(%u);\n    }\n"
            "    return 0;\n}\n\n",
            i, i);
}

/* Edits that leave code and such that break it, at a line's start or anywhere. */
static void
edit_at_random(struct buf *text, const char *whole)
{
    static const char *const breaking[] = {"{", ")", "\"", "/*", "\"\"\"", "\n", "é", ""};
    bool is_breaking = trees_random(4) == 0;
    size_t at = trees_random(text->n), n_cut = 0;
    struct buf next = {0};

    if (!is_breaking) {
        const char *empty = strstr(text->p + at, "\n\n");
        at = empty ? (size_t)(empty - text->p) + 2 : 0;
    } else {
        n_cut = MIN((size_t)trees_random(5), text->n - at);
    }
    buf_add(&next, text->p, at);
    buf_add_cstr(&next,
                 is_breaking ? breaking[trees_random(ARRAY_LEN(breaking))] : whole);
    buf_add(&next, text->p + at + n_cut, text->n - at - n_cut);
    buf_finish(text);
    *text = next;
}

static char *
tree_text(TSTree *tree)
{
    char *nodes = ts_node_string(ts_tree_root_node(tree));

    ts_tree_delete(tree);
    return nodes;
}

static void
check_edits(const char *file, void (*make)(struct buf *text), const char *whole)
{
    const struct lang *lang = lang_of_file(str_of(file), STR_NONE);
    struct parser *parser = parser_create();
    size_t n_kept = 0;

    assert_non_null(lang);
    for (int round = 0; round < 5; round++) {
        AUTO(buf_finish) struct buf text = {0};
        struct kept_tree *kept = NULL;
        make(&text);
        for (int i = 0; i < TREES_TEST_EDITS; i++) {
            TSTree *tree = NULL, *fresh = NULL;
            n_kept += kept != NULL;
            assert_int_equal(
                kept_tree_parse(&kept, parser, lang, buf_str(&text), 10000, &tree), 0);
            assert_int_equal(
                parse_text(parser, lang, buf_str(&text), NULL, 10000, &fresh), 0);
            AUTO(free) char *nodes = tree_text(tree), *fresh_nodes = tree_text(fresh);
            assert_string_equal(nodes, fresh_nodes);
            for (unsigned n = 1 + trees_random(3); n > 0; n--)
                edit_at_random(&text, whole);
            if (!kept && trees_random(3) == 0) { // broken long enough
                buf_reset(&text);
                make(&text);
            }
        }
        kept_tree_destroy(kept);
    }
    assert_true(n_kept > TREES_TEST_EDITS / 2); // else nothing was tried
    parser_destroy(parser);
}

/* What is outside the edits is the same in both texts, and they are in order. */
static size_t
check_edits_between(struct str old_text, struct str new_text)
{
    struct text_edit edits[EDITS_MAX];
    size_t n = edits_between(old_text, new_text, edits), old_at = 0, new_at = 0;

    assert_in_range(n, 1, EDITS_MAX);
    for (size_t i = 0; i <= n; i++) {
        size_t old_to = i < n ? edits[i].old_start : old_text.n,
               new_to = i < n ? edits[i].new_start : new_text.n;
        assert_true(old_to >= old_at && new_to >= new_at);
        assert_true(str_eq(str_slice(old_text.p + old_at, old_to - old_at),
                           str_slice(new_text.p + new_at, new_to - new_at)));
        if (i == n)
            break;
        assert_true(edits[i].old_end >= edits[i].old_start);
        assert_true(edits[i].new_end >= edits[i].new_start);
        old_at = edits[i].old_end;
        new_at = edits[i].new_end;
    }
    return n;
}

static void
test_edits(void **state UNUSED)
{
    AUTO(buf_finish) struct buf text = {0}, next = {0};
    size_t n_several = 0;

    make_c(&text);
    for (int round = 0; round < 300; round++) {
        buf_reset(&next);
        buf_add_str(&next, buf_str(&text));
        for (unsigned n = trees_random(30); n > 0; n--)
            edit_at_random(&next, "static int added(int y)\n{\n    return y;\n}\n\n");
        n_several += check_edits_between(buf_str(&text), buf_str(&next)) > 1;
        check_edits_between(buf_str(&next), buf_str(&text));
    }
    assert_true(n_several > 200);

    /* Two places far apart are two edits; all of it otherwise, or too much, is one. */
    buf_reset(&next);
    buf_printf(&next, "int top;\n%sint end;\n", text.p);
    assert_int_equal(check_edits_between(buf_str(&text), buf_str(&next)), 2);
    buf_reset(&next);
    for (int i = 0; i < 1000; i++)
        buf_printf(&next, "int other_%d;\n", i);
    assert_int_equal(check_edits_between(buf_str(&text), buf_str(&next)), 1);
    assert_int_equal(check_edits_between(buf_str(&text), STR("")), 1);
    assert_int_equal(check_edits_between(STR(""), buf_str(&text)), 1);
    assert_int_equal(check_edits_between(buf_str(&text), buf_str(&text)), 1);
}

static void
test_kept_trees_say_the_same(void **state UNUSED)
{
    check_edits("a.py", make_python, "def added(y):\n    return y + 1\n\n");
    check_edits("a.py", make_commented_python,
                "# that is\ndef added(y):\n    return y\n\n");
    check_edits("a.c", make_c, "static int added(int y)\n{\n    return y;\n}\n\n");
}

/* What is added above all else leaves what is below it: the nodes of the last version's tree. */
static void
test_first_leaf_is_no_end(void **state UNUSED)
{
    const struct lang *lang = lang_of_file(STR("a.py"), STR_NONE);
    struct parser *parser = parser_create();
    AUTO(buf_finish) struct buf text = {0}, next = {0};
    struct kept_tree *kept = NULL;
    TSTree *tree = NULL, *next_tree = NULL;
    TSNode root, next_root;
    int n_same = 0;

    make_commented_python(&text);
    buf_add_cstr(&next, "def added(x):\n    return x\n\n");
    buf_add_str(&next, buf_str(&text));
    assert_int_equal(kept_tree_parse(&kept, parser, lang, buf_str(&text), 10000, &tree),
                     0);
    assert_int_equal(
        kept_tree_parse(&kept, parser, lang, buf_str(&next), 10000, &next_tree), 0);
    root = ts_tree_root_node(tree);
    next_root = ts_tree_root_node(next_tree);
    for (size_t at = text.n / 2; n_same < 10; n_same++) {
        uint32_t name = (uint32_t)(strstr(text.p + at, "self") - text.p),
                 next_name = name + (uint32_t)(next.n - text.n);
        at = name + 1;
        assert_ptr_equal(
            ts_node_descendant_for_byte_range(root, name, name + 1).id,
            ts_node_descendant_for_byte_range(next_root, next_name, next_name + 1).id);
    }
    ts_tree_delete(tree);
    ts_tree_delete(next_tree);
    kept_tree_destroy(kept);
    parser_destroy(parser);
}

static void
test_kept_trees_are_few(void **state UNUSED)
{
    const struct lang *lang = lang_of_file(STR("a.c"), STR_NONE);
    struct parser *parser = parser_create();
    struct trees *trees = trees_create();
    AUTO(buf_finish) struct buf text = {0};
    size_t n_texts, n_left = 0;

    make_c(&text);
    n_texts = TREES_ALL_TEXT_BYTES_MAX / text.n + 10;
    for (size_t i = 0; i < n_texts; i++) {
        AUTO(free) char *path = xasprintf("%zu.c", i);
        struct kept_tree *kept = NULL;
        TSTree *tree = NULL;
        assert_int_equal(
            kept_tree_parse(&kept, parser, lang, buf_str(&text), 10000, &tree), 0);
        assert_non_null(kept);
        ts_tree_delete(tree);
        trees_keep(trees, str_of(path), kept);
    }
    for (size_t i = 0; i < n_texts; i++) {
        AUTO(free) char *path = xasprintf("%zu.c", i);
        struct kept_tree *kept = trees_take(trees, str_of(path));
        n_left += kept != NULL;
        assert_true(kept || n_left == 0); // the oldest went
        kept_tree_destroy(kept);
    }
    assert_int_equal(n_left, TREES_ALL_TEXT_BYTES_MAX / text.n);
    trees_destroy(trees);
    parser_destroy(parser);
}
