/* Symbols of a document and of the workspace. */
#include "check.h"

/* ---- symbols ---- */

static size_t
count_symbols(json_t *symbols, size_t depth, size_t *deepest)
{
    size_t n = 0, i;
    json_t *one;

    *deepest = MAX(*deepest, depth);
    json_array_foreach(symbols, i, one)
    {
        json_t *children = json_object_get(one, "children");
        assert_true(json_string_length(json_object_get(one, "name")) > 0);
        assert_true(json_is_array(children));
        n += 1 + (json_array_size(children) ? count_symbols(children, depth + 1, deepest)
                                            : 0);
    }
    return n;
}

static void
add_classes(struct buf *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            buf_add_char(text, ' ');
        buf_printf(text, "class C%zu:\n", i);
    }
    for (size_t k = 0; k < n; k++)
        buf_add_char(text, ' ');
    buf_add_cstr(text, "pass\n");
}

static void
test_deep_symbols(void **state UNUSED)
{
    struct fixture f;
    struct editor *nested, *flat;
    AUTO(buf_finish) struct buf text = {0};
    AUTO(free) char *uri = NULL, *doc = NULL, *shallow_uri = NULL, *shallow = NULL;
    size_t depth = 0;
    json_t *symbols;

    set_up(&f);
    add_classes(&text, 100);
    buf_add_cstr(&text, "def last():\n    pass\n");
    put(&f, "deep.py", text.p);
    put(&f, "shallow.py",
        "class A:\n  class B:\n    def c(self):\n      pass\n"
        "  def d(self):\n    pass\nclass E:\n  pass\n");
    open_all(&f);
    nested = editor_open(&f);
    flat = editor_open(&f);
    initialize(nested, "'textDocument':{'documentSymbol':"
                       "{'hierarchicalDocumentSymbolSupport':true}}");
    initialize(flat, "");
    wait_until_ready(&f);
    uri = uri_of(&f, "deep.py");
    doc = xasprintf("{'textDocument':{'uri':'%s'}}", uri);
    symbols = result_of(nested, "textDocument/documentSymbol", doc);
    assert_int_equal(count_symbols(symbols, 1, &depth), 101);
    assert_int_equal(depth, 64);
    assert_int_equal(json_array_size(result_of(flat, "textDocument/documentSymbol", doc)),
                     101);

    shallow_uri = uri_of(&f, "shallow.py");
    shallow = xasprintf("{'textDocument':{'uri':'%s'}}", shallow_uri);
    symbols = result_of(nested, "textDocument/documentSymbol", shallow);
    assert_int_equal(json_array_size(symbols), 2); // A, E
    assert_int_equal(
        json_array_size(json_object_get(json_array_get(symbols, 0), "children")), 2);
    depth = 0;
    assert_int_equal(count_symbols(symbols, 1, &depth), 5);
    assert_int_equal(depth, 3);
    symbols = result_of(nested, "gloss/outline", shallow);
    assert_int_equal(json_array_size(symbols), 5);
    tear_down(&f);
}
