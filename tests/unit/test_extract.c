/* What extraction finds: golden files for the languages, then the rules that files do not show
 * (hashes, edges, order, limits) and the inputs that nobody writes.
 * GOLDEN_UPDATE=1 in the environment writes the .expected files anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/utf.h"
#include "extract/extract.h"

#define GOLDEN_BYTES_MAX (1024 * 1024)

static TSParser *parser;
static struct extractor *extractor;

static int
setup(void **state)
{
    (void)state;
    char *why = NULL;
    parser = ts_parser_new();
    extractor = extractor_create();
    return lang_init(&why);
}

static int
teardown(void **state)
{
    (void)state;
    extractor_destroy(extractor);
    extractor_destroy(NULL);
    ts_parser_delete(parser);
    lang_finish();
    return 0;
}

/* What holds for every batch, of whatever text. */
static void
check_batch(const struct batch *b, struct str text)
{
    for (size_t i = 0; i < b->n_entities; i++) {
        const struct entity *e = &b->entities[i];
        assert_true(e->parent == ENTITY_NONE || e->parent < i);
        assert_true(e->ordinal >= 1);
        assert_true(e->name.n > 0 && e->name.n <= ENTITY_NAME_BYTES_MAX);
        assert_true(e->signature.n <= ENTITY_SIGNATURE_BYTES_MAX);
        assert_true(e->doc.n <= ENTITY_DOC_BYTES_MAX);
        assert_true(utf8_is_valid(e->name) && utf8_is_valid(e->signature) &&
                    utf8_is_valid(e->doc));
        assert_true(str_find_char(e->signature, '\n') < 0);
        assert_true(e->range.start_byte < e->range.end_byte &&
                    e->range.end_byte <= text.n);
        assert_true(e->name_range.start_byte >= e->range.start_byte);
        assert_true(e->name_range.end_byte <= e->range.end_byte);
        if (i > 0)
            assert_true(e[-1].range.start_byte <= e->range.start_byte);
    }
    for (size_t i = 0; i < b->n_edges; i++) {
        assert_true(b->edges[i].from == ENTITY_NONE || b->edges[i].from < b->n_entities);
        assert_true(utf8_is_valid(b->edges[i].target));
    }
}

static struct batch *
extract_as(const struct lang *l, struct str text, uint64_t deadline_ms, int expected)
{
    assert_true(ts_parser_set_language(parser, l->grammar));
    AUTO(buf_finish) struct buf space = {0};
    struct str shown = lang_mask(l, text, &space);
    TSTree *tree =
        ts_parser_parse_string(parser, NULL, shown.p ? shown.p : "", (uint32_t)shown.n);
    assert_non_null(tree);
    struct batch *b = batch_create(str_of(l->name));
    assert_int_equal(extract_batch(extractor, l, text, NULL, tree, deadline_ms, b),
                     expected);
    ts_tree_delete(tree);
    assert_true(str_eq_c(b->file.lang, l->key_prefix));
    check_batch(b, text);
    return b;
}

static struct batch *
extract_until(const char *path, struct str text, uint64_t deadline_ms, int expected)
{
    const struct lang *l = lang_of_file(str_of(path), text);
    assert_non_null(l);
    return extract_as(l, text, deadline_ms, expected);
}

static struct batch *
extract(const char *path, const char *text)
{
    return extract_until(path, str_of(text), 0, 0);
}

static const struct entity *
find(const struct batch *b, const char *qualified_name)
{
    for (size_t i = 0; i < b->n_entities; i++)
        if (str_eq_c(b->entities[i].qualified_name, qualified_name))
            return &b->entities[i];
    fail_msg("no entity %s", qualified_name);
    return NULL;
}

static void
print_span(struct buf *out, struct span s)
{
    buf_printf(out, " | %u:%u-%u:%u", s.start.line, s.start.col_utf16, s.end.line,
               s.end.col_utf16);
}

static void
print_batch(struct buf *out, const struct batch *b)
{
    for (size_t i = 0; i < b->n_entities; i++) {
        const struct entity *e = &b->entities[i];
        struct str doc = e->doc, first = STR_NONE;
        buf_printf(out, "%s %.*s", entity_kind_name(e->kind), STR_ARG(e->qualified_name));
        if (e->ordinal > 1)
            buf_printf(out, "~%u", e->ordinal);
        print_span(out, e->range);
        print_span(out, e->name_range);
        (void)str_split(&doc, '\n', &first);
        buf_printf(out, " | %.*s | %.*s", STR_ARG(e->signature), STR_ARG(first));
        while (out->p[out->n - 1] == ' ')
            out->n--;
        buf_add_char(out, '\n');
    }
}

static void
compare_golden(const struct lang *l, const char *path)
{
    AUTO(buf_finish) struct buf text = {0}, expected = {0}, got = {0};
    AUTO(free) char *expected_path = xasprintf("%s.expected", path);
    assert_int_equal(fs_read_file(path, GOLDEN_BYTES_MAX, &text, NULL), 0);
    assert_ptr_equal(lang_of_file(str_of(path), buf_str(&text)), l);
    struct batch *b = extract_as(l, buf_str(&text), 0, 0);
    print_batch(&got, b);
    batch_destroy(b);
    if (getenv("GOLDEN_UPDATE"))
        assert_int_equal(fs_write_atomic(expected_path, buf_str(&got), 0644), 0);
    assert_int_equal(fs_read_file(expected_path, GOLDEN_BYTES_MAX, &expected, NULL), 0);
    struct str a = buf_str(&got), e = buf_str(&expected), line_a, line_e;
    while (a.n > 0 || e.n > 0) {
        line_a = line_e = STR_NONE;
        (void)str_split(&a, '\n', &line_a);
        (void)str_split(&e, '\n', &line_e);
        if (!str_eq(line_a, line_e))
            fail_msg("%s:\n  expected %.*s\n  found    %.*s", path, STR_ARG(line_e),
                     STR_ARG(line_a));
    }
}

/* Every language has one at least. */
static void
each_golden(void (*visit)(const struct lang *l, const char *path))
{
    const char *root = getenv("TEST_SOURCE_ROOT");
    assert_non_null(root);
    for (size_t i = 0; i < lang_count(); i++) {
        AUTO(free) char *dir = xasprintf("%s/tests/golden/%s", root, lang_at(i)->name);
        DIR *d = opendir(dir);
        if (!d)
            fail_msg("%s has no golden file", lang_at(i)->name);
        struct dirent *entry;
        size_t n = 0;
        while ((entry = readdir(d))) {
            struct str name = str_of(entry->d_name);
            if (entry->d_name[0] == '.' || str_ends_with(name, STR(".expected")))
                continue;
            AUTO(free) char *path = xasprintf("%s/%s", dir, entry->d_name);
            visit(lang_at(i), path);
            n++;
        }
        closedir(d);
        assert_true(n > 0);
    }
}

static void
test_golden(void **state)
{
    (void)state;
    each_golden(compare_golden);
}

static const char hashed[] = "/* One. */\n"
                             "int one(void) { return 1; }\n"
                             "/* Two. */\n"
                             "struct two {\n"
                             "    int a; /* first */\n"
                             "    int b;\n"
                             "};\n";

static uint64_t
hash_in(const char *text, const char *name)
{
    struct batch *b = extract("a.c", text);
    uint64_t hash = find(b, name)->hash;
    batch_destroy(b);
    return hash;
}

static void
test_hash_moves_along(void **state)
{
    (void)state;
    char *moved = xasprintf("\n\nint zero;\n%s", hashed);
    assert_int_equal(hash_in(hashed, "one"), hash_in(moved, "one"));
    assert_int_equal(hash_in(hashed, "two"), hash_in(moved, "two"));
    assert_int_equal(hash_in(hashed, "two.b"), hash_in(moved, "two.b"));
    free(moved);
}

static void
test_hash_is_of_own_text(void **state)
{
    (void)state;
    static const char changed_body[] = "/* One. */\nint one(void) { return 2; }\n";
    static const char changed_doc[] = "/* Won. */\nint one(void) { return 1; }\n";
    static const char member[] =
        "/* Two. */\nstruct two {\n    int a; /* 1st */\n    long b;\n"
        "    /* new */\n    int c;\n};\n";
    assert_int_not_equal(hash_in(hashed, "one"), hash_in(changed_body, "one"));
    assert_int_not_equal(hash_in(hashed, "one"), hash_in(changed_doc, "one"));
    assert_int_equal(hash_in(hashed, "two"), hash_in(member, "two"));
    assert_int_not_equal(hash_in(hashed, "two.a"), hash_in(member, "two.a"));
    assert_int_not_equal(hash_in(hashed, "two.b"), hash_in(member, "two.b"));
    assert_int_equal(hash_in("int a, b;", "a"), hash_in("int a, c = 1;", "a"));
    assert_int_not_equal(hash_in("int a, b;", "a"), hash_in("long a, b;", "a"));
}

static void
test_ordinals(void **state)
{
    (void)state;
    struct batch *b =
        extract("a.c", "#if A\nint f(void) { return 1; }\n#else\n"
                       "int f(void) { return 2; }\n#endif\n"
                       "struct f { int x; };\nint f(int a) { return a; }\n");
    assert_int_equal(b->n_entities, 5);
    assert_int_equal(b->entities[0].ordinal, 1);
    assert_int_equal(b->entities[1].ordinal, 2);
    assert_int_equal(b->entities[2].ordinal, 1); // another kind
    assert_int_equal(b->entities[4].ordinal, 3);
    assert_int_equal(b->entities[3].parent, 2);
    batch_destroy(b);
}

static void
test_edges(void **state)
{
    (void)state;
    static const struct {
        enum edge_kind kind;
        const char *target, *from;
    } expected[] = {
        {EDGE_IMPORTS, "stdio.h", NULL}, {EDGE_IMPORTS, "my/own.h", NULL},
        {EDGE_CALLS, "setup", "table"},  {EDGE_CALLS, "inner", "outer"},
        {EDGE_CALLS, "outer", "outer"},  {EDGE_CALLS, "run", "outer"},
    };
    struct batch *b = extract("a.c", "#include <stdio.h>\n#include \"my/own.h\"\n"
                                     "int table = setup();\n"
                                     "int outer(struct job *j) {\n"
                                     "    return outer(inner(), 1) + j->run(2); }\n");
    assert_int_equal(b->n_edges, ARRAY_LEN(expected));
    for (size_t i = 0; i < b->n_edges; i++) {
        const struct edge *e = &b->edges[i];
        size_t at = i == 3 ? 4 : i == 4 ? 3 : i; // source order: outer before inner
        assert_int_equal(e->kind, expected[at].kind);
        assert_true(str_eq_c(e->target, expected[at].target));
        if (!expected[at].from)
            assert_int_equal(e->from, ENTITY_NONE);
        else
            assert_true(str_eq_c(b->entities[e->from].name, expected[at].from));
    }
    assert_int_equal(b->edges[3].at.line, 4);
    assert_int_equal(b->edges[3].at.col_byte, 11);
    batch_destroy(b);
}

static bool
has_edge(const struct batch *b, enum edge_kind kind, const char *target)
{
    for (size_t i = 0; i < b->n_edges; i++)
        if (b->edges[i].kind == kind && str_eq_c(b->edges[i].target, target))
            return true;
    return false;
}

static void
test_edges_of_languages(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *import, *call;
    } cases[] = {
        {"a.py", "import os.path as p\n", "os.path", NULL},
        {"a.py", "from ..a.b import c\n", "..a.b", NULL},
        {"a.py", "from a import b, c as d\n", "c", NULL},
        {"a.py", "@deco\ndef f(): x.y.go()\n", NULL, "go"},
        {"a.js", "import d, {a as b} from 'x'", "a", NULL},
        {"a.js", "export {a as b} from 'x'", "a", NULL},
        {"a.ts", "export {type A} from 'x'", "A", NULL},
        {"a.py", "@app.route('/')\ndef f(): pass\n", NULL, "route"},
        {"a.js", "import x from './x.js'", "./x.js", NULL},
        {"a.js", "export * from \"y\"", "y", NULL},
        {"a.js", "const z = require('z')", "z", "require"},
        {"a.js", "await import('lazy')", "lazy", NULL},
        {"a.js", "new a.Box().open?.()", NULL, "Box"},
        {"a.ts", "import fs = require('fs')", "fs", NULL},
        {"a.ts", "f<string>(1)", NULL, "f"},
        {"a.tsx", "const v = <Panel/>", NULL, "Panel"},
        {"a.tsx", "const v = <Menu.Item>x</Menu.Item>", NULL, "Item"},
        {"a.css", "@import url('x.css') print;", "x.css", NULL},
        {"a.css", "a { b: var(--c, 1) }", NULL, "--c"},
        {"a.html", "<link rel=x href=a.css>", "a.css", NULL},
        {"a.html", "<script src='a.js'></script>", "a.js", NULL},
        {"a.mk", "-include a.mk\n", "a.mk", NULL},
        {"a.mk", "all: one | two\n", NULL, "two"},
        {"a.go", "package p\nimport x \"a/b\"\n", "a/b", NULL},
        {"a.go", "package p\nimport (\n\t. `c`\n)\n", "c", NULL},
        {"a.go", "package p\nfunc f() { a.b().Go() }\n", NULL, "Go"},
        {"a.go", "package p\nfunc f() { Map[int](x) }\n", NULL, "Map"},
        {"a.go", "package p\nfunc f() { pkg.Map[int, T](a, b) }\n", NULL, "Map"},
        {"a.rs", "use a::b::C;", "a::b::C", NULL},
        {"a.rs", "use a::{b, c::*};", "a", NULL},
        {"a.rs", "fn f() { x.y::<u8>().z()?; }", NULL, "z"},
        {"a.rs", "fn f() { a::B::<u8>::new(); }", NULL, "new"},
        {"a.rs", "fn f() { log::info!(\"{}\", inner(1)); }", NULL, "info"},
        {"a.rs", "fn f() { log::info!(\"{}\", inner(1)); }", NULL, "inner"},
        {"A.java", "import a.b.C;", "a.b.C", NULL},
        {"A.java", "import static a.b.C.*;", "a.b.C", NULL},
        {"A.java", "class A { int a = b.c().d(); }", NULL, "d"},
        {"A.java", "class A { Object a = new x.Y<Z>(); }", NULL, "Y"},
        {"A.java", "class A { F f = B::go; }", NULL, "go"},
        {"a.zig", "pub const a = @import(\"a.zig\");", "a.zig", NULL},
        {"a.zig", "const b = @import(\"b.zig\").b;", "b.zig", NULL},
        {"a.zig", "fn f() !void { try a.b().go(c); }", NULL, "go"},
        {"a.hs", "import qualified A.B as C\n", "A.B", NULL},
        {"a.hs", "f x = C.go x <+> y\n", NULL, "go"},
        {"a.hs", "f x = x <+> y\n", NULL, "<+>"},
        {"a.hs", "f x = x `M.with` y\n", NULL, "with"},
        {"a.hs", "f = do\n  start\n  x <- next\n  stop $ x\n", NULL, "start"},
        {"a.hs", "f = do\n  start\n  x <- next\n  stop $ x\n", NULL, "next"},
        {"a.hs", "f = do\n  start\n  x <- next\n  stop $ x\n", NULL, "stop"},
        {"a.hs", "f = P { a = 1 }\n", NULL, "P"},
        {"a.ml", "open A.B\n", "A.B", NULL},
        {"a.ml", "include (A)\nmodule C = D.E\n", "D.E", NULL},
        {"a.ml", "let () = A.go 1 |> M.stop\n", NULL, "go"},
        {"a.ml", "let () = A.go 1 |> M.stop\n", NULL, "stop"},
        {"a.ml", "let () = fail @@ Box 1\n", NULL, "fail"},
        {"a.ml", "let () = fail @@ Box 1\n", NULL, "Box"},
        {"a.ml", "let x = o#run 1 >>+ new c\n", NULL, "run"},
        {"a.ml", "let x = o#run 1 >>+ new c\n", NULL, "c"},
        {"a.ml", "let x = o#run 1 >>+ new c\n", NULL, ">>+"},
        {"a.mli", "open A\n", "A", NULL},
        {"a.jl", "using A.B, C\n", "A.B", NULL},
        {"a.jl", "import ..A: b, c as d\n", "..A", NULL},
        {"a.jl", "include(\"b.jl\")\n", "b.jl", NULL},
        {"a.jl", "f(x) = A.go.(x) |> stop\n", NULL, "go"},
        {"a.jl", "f(x) = A.go.(x) |> stop\n", NULL, "stop"},
        {"a.jl", "f(x) = @show Box{Int}(x)\n", NULL, "show"},
        {"a.jl", "f(x) = @show Box{Int}(x)\n", NULL, "Box"},
        {"a.zig", "const L = std.ArrayList(u8);", NULL, "ArrayList"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct batch *b = extract(cases[i].path, cases[i].text);
        if (cases[i].import && !has_edge(b, EDGE_IMPORTS, cases[i].import))
            fail_msg("%s: no import of %s", cases[i].text, cases[i].import);
        if (cases[i].call && !has_edge(b, EDGE_CALLS, cases[i].call))
            fail_msg("%s: no call of %s", cases[i].text, cases[i].call);
        batch_destroy(b);
    }
    struct batch *b = extract("a.tsx", "const v = <div/>");
    assert_int_equal(b->n_edges, 0); // no component
    batch_destroy(b);
}

/* The one reference at the end of a line, with the entity that it is of. */
static void
test_references_of_languages(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *from, *target;
        enum edge_kind kind;
    } cases[] = {
        {"a.py", "class A(B, metaclass=M): pass", "A", "B", EDGE_INHERITS},
        {"a.py", "class A(x.B): pass", "A", "B", EDGE_INHERITS},
        {"a.py", "class A(x.B[int]): pass", "A", "B", EDGE_INHERITS},
        {"a.js", "export class A extends x.B {}", "A", "B", EDGE_INHERITS},
        {"a.js", "const A = class extends B {}", "A", "B", EDGE_INHERITS},
        {"a.ts", "class A<T> extends x.B<T> {}", "A", "B", EDGE_INHERITS},
        {"a.ts", "abstract class A implements x.B<T> {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.tsx", "class A implements B {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.ts", "interface A extends x.B<T> {}", "A", "B", EDGE_INHERITS},
        {"a.cs", "class A : N.B<int> {}", "A", "B", EDGE_INHERITS},
        {"a.cs", "class A : IList<int> {}", "A", "IList", EDGE_IMPLEMENTS},
        {"a.cs", "interface A : IList {}", "A", "IList", EDGE_INHERITS},
        {"a.cs", "record A(int X) : B(X);", "A", "B", EDGE_INHERITS},
        {"a.cs", "class A { int F() => x?.G<int>(); }", "A.F", "G", EDGE_CALLS},
        {"a.cs", "class A { object O = new N.B<int>(); }", "A.O", "B", EDGE_CALLS},
        {"a.cs", "namespace N; using X = A.B;", "N", "A.B", EDGE_IMPORTS},
        {"a.cc", "class A : public x::B<int> {};", "A", "B", EDGE_INHERITS},
        {"a.cc", "void A::f() { x::y<int>::B(); }", "A.f", "B", EDGE_CALLS},
        {"a.cc", "void f() { a->b.B<int>(1); }", "f", "B", EDGE_CALLS},
        {"a.cc", "A f() { new x::B<int>; }", "f", "B", EDGE_CALLS},
        {"a.go", "package p\ntype T struct { a.B }", "T", "B", EDGE_INHERITS},
        {"a.go", "package p\ntype T struct { *B }", "T", "B", EDGE_INHERITS},
        {"a.go", "package p\ntype I interface { io.R; f() }", "I", "R", EDGE_INHERITS},
        {"a.rs", "trait A: x::B<u8> {}", "A", "B", EDGE_INHERITS},
        {"a.rs", "impl x::B<u8> for A {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.rs", "#[derive(x::B)]\nstruct A;", "A", "B", EDGE_IMPLEMENTS},
        {"A.java", "class A<T> extends x.B<T> {}", "A", "B", EDGE_INHERITS},
        {"A.java", "class A implements B<D> {}", "A", "B", EDGE_IMPLEMENTS},
        {"A.java", "interface A extends B {}", "A", "B", EDGE_INHERITS},
        {"a.rb", "class A < N::B\nend", "A", "B", EDGE_INHERITS},
        {"a.rb", "class A\n  include N::B\nend", "A", "B", EDGE_INHERITS},
        {"a.rb", "def f = a&.g?(1)", "f", "g?", EDGE_CALLS},
        {"a.rb", "require_relative '../b'", NULL, "../b", EDGE_IMPORTS},
        {"a.kt", "class A : n.B<Int>()\n", "A", "B", EDGE_INHERITS},
        {"a.kt", "class A : B<Int>\n", "A", "B", EDGE_IMPLEMENTS},
        {"a.kt", "interface A : B\n", "A", "B", EDGE_INHERITS},
        {"a.kt", "fun String.f() = a?.g(1)\n", "String.f", "g", EDGE_CALLS},
        {"a.kt", "import a.b as c\n", NULL, "a.b", EDGE_IMPORTS},
        {"a.mm", "@interface A : B\n@end\n", "A", "B", EDGE_INHERITS},
        {"a.mm", "@interface A () <B>\n@end\n", "A", "B", EDGE_IMPLEMENTS},
        {"a.mm", "@protocol A <B>\n@end\n", "A", "B", EDGE_INHERITS},
        {"a.mm", "void f(void) { [x add:1 to:y]; }", "f", "add:to:", EDGE_CALLS},
        {"a.mm", "@import A;\n", NULL, "A", EDGE_IMPORTS},
        {"a.swift", "class A: n.B<Int> {}", "A", "B", EDGE_INHERITS},
        {"a.swift", "struct A: B {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.swift", "extension A: B {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.swift", "func f() { a?.g { $0[1] } }", "f", "g", EDGE_CALLS},
        {"a.swift", "import class A.B\n", NULL, "A.B", EDGE_IMPORTS},
        {"a.dart", "class A extends n.B<int> {}", "A", "B", EDGE_INHERITS},
        {"a.dart", "mixin A implements B {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.dart", "void f() { a?.b..g(1); }", "f", "g", EDGE_CALLS},
        {"a.dart", "import 'a.dart' as a;", NULL, "a.dart", EDGE_IMPORTS},
        {"a.scala", "class A extends n.B[Int]", "A", "B", EDGE_INHERITS},
        {"a.scala", "enum A derives B:\n  case C\n", "A", "B", EDGE_IMPLEMENTS},
        {"a.scala", "def f = a.g[Int](1)", "f", "g", EDGE_CALLS},
        {"a.scala", "import a.b.{c, d => e}\n", NULL, "a.b", EDGE_IMPORTS},
        {"a.php", "<?php class A extends \\N\\B {}", "A", "B", EDGE_INHERITS},
        {"a.php", "<?php enum A implements B {}", "A", "B", EDGE_IMPLEMENTS},
        {"a.php", "<?php trait A { use B; }", "A", "B", EDGE_INHERITS},
        {"a.php", "<?php function f() { $a?->g(); }", "f", "g", EDGE_CALLS},
        {"a.php", "<?php function f() { new \\N\\B; }", "f", "B", EDGE_CALLS},
        {"a.php", "<?php use A\\B as C;", NULL, "A\\B", EDGE_IMPORTS},
        {"a.php", "<?php require_once(D . '/b.php');", NULL, "/b.php", EDGE_IMPORTS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct batch *b = extract(cases[i].path, cases[i].text);
        if (!has_edge(b, cases[i].kind, cases[i].target))
            fail_msg("%s: no reference to %s", cases[i].text, cases[i].target);
        assert_int_equal(b->n_edges, 1);
        assert_true(cases[i].from
                        ? &b->entities[b->edges[0].from] == find(b, cases[i].from)
                        : b->edges[0].from == ENTITY_NONE);
        batch_destroy(b);
    }
}

/* namespace a; goes on to the next one; a list's names have its head and their own part. */
static void
test_rest_and_lists(void **state)
{
    (void)state;
    struct batch *b =
        extract("a.cs", "// about a\nnamespace A.B; // no body\nclass C\n{\n"
                        "    public int x, y = 2;\n}\n\n");
    const struct entity *space = find(b, "A.B"), *y = find(b, "A.B.C.y");
    assert_int_equal(space->range.end.line, 5);
    assert_int_equal(space->name_range.end.line, 1);
    assert_true(str_eq_c(space->signature, "namespace A.B"));
    assert_true(str_eq_c(space->doc, "about a"));
    assert_true(str_eq_c(y->signature, "public int y = 2"));
    assert_true(str_eq_c(find(b, "A.B.C.x")->signature, "public int x"));
    assert_true(y->hash != find(b, "A.B.C.x")->hash);
    batch_destroy(b);
    b = extract("a.cs", "class A { static A operator +(A a) => a; ~A() {} }");
    assert_true(str_eq_c(find(b, "A.operator +")->name, "operator +"));
    assert_int_equal(find(b, "A.~A")->kind, ENTITY_METHOD);
    batch_destroy(b);
}

static void
test_positions(void **state)
{
    (void)state;
    AUTO(buf_finish) struct buf text = {0};
    buf_add_cstr(&text, "/* \xf0\x9f\x98\x80\xc3\xa9\xff */ int a;\rint b;\r\n\r\n/*");
    for (int i = 0; i < 5000; i++)
        buf_add_cstr(&text,
                     "\xe2\x82\xac"); // one unit, three bytes: beyond the first mark
    buf_add_cstr(&text, "*/ int c;");
    struct batch *b = extract_until("a.c", buf_str(&text), 0, 0);
    struct position a = find(b, "a")->name_range.start,
                    c = find(b, "c")->name_range.start;
    struct position second = find(b, "b")->range.start;
    assert_int_equal(a.line, 0);
    assert_int_equal(a.col_byte, 3 + 7 + 4 + 4);
    assert_int_equal(a.col_utf16, 3 + 4 + 4 + 4);
    assert_int_equal(second.line, 1);
    assert_int_equal(second.col_utf16, 0);
    assert_int_equal(c.line, 3);
    assert_int_equal(c.col_byte, 2 + 15000 + 7);
    assert_int_equal(c.col_utf16, 2 + 5000 + 7);
    batch_destroy(b);
}

static void
test_limits_of_texts(void **state)
{
    (void)state;
    AUTO(buf_finish) struct buf text = {0};
    buf_add_cstr(&text, "/*");
    for (int i = 0; i < 4000; i++)
        buf_add_cstr(&text, " \xf0\x9f\x98\x80");
    buf_add_cstr(&text, "*/\nint f(");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "%sint \xc3\xa9t\xc3\xa9_%d", i ? ", " : "", i);
    buf_add_cstr(&text, ") {}\nint ");
    for (int i = 0; i < 1000; i++)
        buf_add_cstr(&text, "\xc3\xa9");
    buf_add_cstr(&text, ";\n");
    struct batch *b = extract_until("a.c", buf_str(&text), 0, 0);
    assert_int_equal(b->n_entities, 2);
    assert_in_range(b->entities[0].signature.n, 900, ENTITY_SIGNATURE_BYTES_MAX);
    assert_int_equal(b->entities[1].name.n, ENTITY_NAME_BYTES_MAX);
    batch_destroy(b);
}

static void
test_deadline(void **state)
{
    (void)state;
    AUTO(buf_finish) struct buf text = {0};
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, "int f%d(void) { return g(); }\n", i);
    struct batch *b = extract_until("a.c", buf_str(&text), 1, EXTRACT_E_TIMED_OUT);
    assert_int_equal(b->n_entities, 0);
    batch_destroy(b);
    b = extract_until("a.c", buf_str(&text), 60000, 0);
    assert_int_equal(b->n_entities, 5000);
    batch_destroy(b);
}

static void
test_too_many(void **state)
{
    (void)state;
    AUTO(buf_finish) struct buf text = {0};
    for (int i = 0; i < ENTITY_PER_FILE_MAX + 10; i++)
        buf_printf(&text, "#define M%d %d\n", i, i);
    struct batch *b = extract_until("a.c", buf_str(&text), 0, EXTRACT_E_TOO_MANY);
    assert_int_equal(b->n_entities, ENTITY_PER_FILE_MAX);
    assert_true(str_eq_c(b->entities[ENTITY_PER_FILE_MAX - 1].name, "M49999"));
    batch_destroy(b);
}

/* Nesting that nobody writes: nothing of ours follows it by recursion, and memory stays bounded.
 * (tree-sitter looks at all siblings in an ERROR node for each of them: the stars are fewer.) */
static void
test_deep_nesting(void **state)
{
    (void)state;
    static const struct {
        const char *path, *open, *middle, *close;
        int depth;
    } cases[] = {
        {"a.c", "{", "int x;", "}", 100000},
        {"a.c", "int f(void) {", "int x;", "}", 30000},
        {"a.c", "int x = (", "1", ")", 30000},
        {"a.c", "struct s {", "int x;", "} y;", 20000},
        {"a.c", "*", "x", "", 5000},
        {"a.c", "int (", "x", ")", 100000},
        {"a.js", "function f() {", "", "}", 20000},
        {"a.js", "[", "1", "]", 100000},
        {"a.js", "{a:", "1", "}", 30000},
        {"a.py", "(", "1", ")", 100000},
        {"a.ts", "namespace N {", "", "}", 20000},
        {"a.tsx", "<a>", "x", "</a>", 20000},
        {"a.md", "> ", "x", "", 20000}, // more than the scanner's state has room for
        {"a.md", "- ", "x", "", 2000},
        {"a.yaml", "- ", "x", "", 2000},
        {"a.html", "<p id=a>", "x", "</p>", 5000},
        {"a.css", "a{", "b{}", "}", 5000},
        {"a.json", "[", "1", "]", 100000},
        {"a.toml", "a=[", "1", "]", 20000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_finish) struct buf text = {0};
        const struct lang *l = lang_of_file(str_of(cases[i].path), STR_NONE);
        for (int n = 0; n < cases[i].depth; n++)
            buf_add_cstr(&text, cases[i].open);
        buf_add_cstr(&text, cases[i].middle);
        for (int n = 0; n < cases[i].depth; n++)
            buf_add_cstr(&text, cases[i].close);
        assert_true(ts_parser_set_language(parser, l->grammar));
        TSTree *tree = ts_parser_parse_string(parser, NULL, text.p, (uint32_t)text.n);
        assert_non_null(tree);
        struct batch *b = batch_create(STR("deep"));
        int r = extract_batch(extractor, l, buf_str(&text), NULL, tree, 3000, b);
        assert_true(r == 0 || r == EXTRACT_E_TIMED_OUT || r == EXTRACT_E_TOO_MANY);
        check_batch(b, buf_str(&text));
        assert_true(b->arena.total_bytes < 512u * 1024 * 1024);
        batch_destroy(b);
        ts_tree_delete(tree);
    }
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* From memory of its own, so that reading past its end is seen: one byte behind the text is there,
 * as in every struct buf, because a sanitizer's regexec() looks for it in spite of REG_STARTEND. */
static void
extract_copy(const struct lang *l, struct str text)
{
    char *copy = xmalloc(text.n + 1);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    batch_destroy(extract_as(l, str_slice(copy, text.n), 0, 0));
    free(copy);
}

static void
test_random_text(void **state)
{
    (void)state;
    static const char *const words[] = {
        "int ",    "struct ",  "{",       "}",        "(",          ")",     "f",
        ";",       "\n",       "/*",      "*/",       "//",         "\"",    "'",
        "#if x\n", "#define ", "def ",    "class ",   ":",          "    ",  "=>",
        "=",       "const ",   "export ", "default ", "[",          "]",     ",",
        "@",       "typedef ", "\xff",    "\xf0\x9f", "\xc3\xa9",   "`",     "${",
        "<",       ">",        "\\",      "\r",       "namespace ", "enum ", "interface ",
        "*",       "\"\"\"",   "\t",      "$",        "1",
    };
    uint32_t seed = 20260;
    for (int round = 0; round < 100; round++) {
        AUTO(buf_finish) struct buf text = {0};
        for (uint32_t n = next_random(&seed) % 400; n > 0; n--) {
            if (round % 4 == 0)
                buf_add_char(&text, (char)next_random(&seed));
            else
                buf_add_cstr(&text, words[next_random(&seed) % ARRAY_LEN(words)]);
        }
        for (size_t i = 0; i < lang_count(); i++)
            extract_copy(lang_at(i), buf_str(&text));
    }
}

#define CUTS 12
#define MUTATIONS 12

/* What is being typed: a file of the language cut short, and with bytes that are not its own. */
static void
mutate_golden(const struct lang *l, const char *path)
{
    AUTO(buf_finish) struct buf text = {0};
    uint32_t seed = (uint32_t)l->index + 7;
    assert_int_equal(fs_read_file(path, GOLDEN_BYTES_MAX, &text, NULL), 0);
    for (size_t i = 1; i < CUTS; i++)
        extract_copy(l, str_slice(text.p, text.n * i / CUTS));
    for (size_t i = 0; text.n > 0 && i < MUTATIONS; i++) {
        for (size_t n = text.n / 200 + 1; n > 0; n--)
            text.p[next_random(&seed) % text.n] =
                "\0\n\"'(){}[]<>/*\\#\xff="[next_random(&seed) % 18];
        extract_copy(l, buf_str(&text));
    }
}

static void
test_mutated_files(void **state)
{
    (void)state;
    each_golden(mutate_golden);
}

/* UTF-8 with a mark at its start; Latin-1; UTF-16, which the scan leaves out as binary but an
 * editor may still send. */
static void
test_encodings(void **state)
{
    (void)state;
    struct batch *b = extract("a.py", "\xef\xbb\xbf"
                                      "def f(): pass\r\nx = 1\r\n");
    assert_int_equal(find(b, "f")->range.start.col_byte, 3);
    assert_int_equal(find(b, "f")->range.start.col_utf16, 1);
    assert_int_equal(find(b, "x")->range.start.line, 1);
    batch_destroy(b);
    b = extract("a.js", "// caf\xe9\nfunction f(a = '\xe9') {}\n");
    assert_true(str_eq_c(find(b, "f")->doc, "caf\xef\xbf\xbd"));
    assert_true(str_eq_c(find(b, "f")->signature, "function f(a = '\xef\xbf\xbd')"));
    batch_destroy(b);
    static const char wide[] = "\xff\xfe"
                               "d\0e\0f\0 \0f\0(\0)\0:\0 \0p\0a\0s\0s\0\n";
    for (size_t i = 0; i < lang_count(); i++)
        extract_copy(lang_at(i), str_slice(wide, sizeof(wide)));
}

static void
test_odd_names(void **state)
{
    (void)state;
    struct batch *b =
        extract("a.json", "{\"a\\\"b\": 1, \"\xf0\x9f\x98\x80\": 2, \"\": 3,\n"
                          "\" \": 4, \"\xe2\x80\x8f"
                          "x\": 5, \"c\td\": 6}");
    static const char *const names[] = {"a\\\"b",
                                        "\xf0\x9f\x98\x80",
                                        "\"\"",
                                        NULL,
                                        "\xe2\x80\x8f"
                                        "x",
                                        "c d"};
    assert_int_equal(b->n_entities, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_true(names[i] == NULL || str_eq_c(b->entities[i].name, names[i]));
    batch_destroy(b);
    b = extract("a.md", "# `a` and `b`\n## 'c'\n# \"d\"\n");
    find(b, "`a` and `b`");
    find(b, "`a` and `b`.c");
    find(b, "d");
    batch_destroy(b);
}

static void
test_carriage_returns(void **state)
{
    (void)state;
    struct batch *b = extract("a.c", "/**\r\n * One\r\n * two.\r\n */\r\nint f(int a,\r\n"
                                     "      int b)\r\n{\r\n}\r\n#define M 1\r\n");
    assert_true(str_eq_c(find(b, "f")->doc, "One\ntwo."));
    assert_true(str_eq_c(find(b, "f")->signature, "int f(int a, int b)"));
    assert_true(str_eq_c(find(b, "M")->signature, "#define M 1"));
    assert_int_equal(find(b, "f")->range.end.line, 7);
    batch_destroy(b);
}

static void
test_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "/* only a comment */", "\xef\xbb\xbf",
                                        ";"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct batch *b = extract("a.c", texts[i]);
        assert_int_equal(b->n_entities, 0);
        assert_int_equal(b->n_edges, 0);
        batch_destroy(b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_hash_moves_along),
        cmocka_unit_test(test_hash_is_of_own_text),
        cmocka_unit_test(test_ordinals),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_edges_of_languages),
        cmocka_unit_test(test_references_of_languages),
        cmocka_unit_test(test_rest_and_lists),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_limits_of_texts),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_mutated_files),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_carriage_returns),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests_name("extract", tests, setup, teardown);
}
