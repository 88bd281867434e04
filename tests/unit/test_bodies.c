/* What is left of a text when bodies are left out: a line of input, the line it becomes, in each
 * language; then what holds for whatever text there is, also for ruined ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "bodies/bodies.h"

#define RUINS 40 // per file and syntax
#define FILE_BYTES_MAX (1024 * 1024)

static struct bodies *bodies;
static const char *const names[] = {"c", "cpp", "go", "java", "csharp", "rust"};

static int
setup(void **state)
{
    (void)state;
    bodies = bodies_create();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    bodies_destroy(bodies);
    bodies_destroy(NULL);
    return 0;
}

struct row {
    const char *text, *outline; // NULL: not balanced
};

static void
check_rows(const char *syntax_name, const struct row *rows, size_t n)
{
    const struct bodies_syntax *syntax = bodies_syntax_named(str_of(syntax_name));
    struct outline o;
    assert_non_null(syntax);
    for (size_t i = 0; i < n; i++) {
        int r = bodies_scan(bodies, syntax, str_of(rows[i].text), false, &o);
        if (!rows[i].outline) {
            assert_int_equal(r, BODIES_E_UNBALANCED);
            continue;
        }
        assert_int_equal(r, 0);
        AUTO(free) char *shown = str_dup(o.text);
        assert_string_equal(shown, rows[i].outline);
    }
}

#define CHECK_ROWS(name, rows) check_rows(name, rows, ARRAY_LEN(rows))

static void
test_c(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {"int f(void) { return 1; }\nint x;", "int f(void) {}\nint x;"},
        {"int f(a, b) int a; int b; { return a; }", "int f(a, b) int a; int b; {}"},
        {"int f(void) ATTR { g(); }", "int f(void)  {}"},
        {"int f(void) __attribute__((noinline)) { g(); }",
         "int f(void) __attribute__((noinline)) {}"},
        {"struct s { int a; char b; };", "struct s { int a; char b; };"},
        {"struct s *f(int x) { return 0; }", "struct s *f(int x) {}"},
        {"struct s f(int x) { return 0; }", "struct s f(int x) {}"},
        {"struct __attribute__((packed)) s { int a; };",
         "struct __attribute__((packed)) s { int a; };"},
        {"struct __aligned(8) s { int a; };", "struct  s { int a; };"},
        {"enum e { A, B = (1), C };", "enum e { A, B = (1), C };"},
        {"struct s v = { .a = { 1, 2 }, .b = 3 };", "struct s v = {};"},
        {"int t[] = { '}', '{', \"}\\\"}\", 4 }, u = 1;", "int t[] = {}, u = 1;"},
        {"extern \"C\" { int f(void) { x(); } }", "extern \"C\" { int f(void) {} }"},
        /* what defines something is seen, and what is beside it is not */
        {"int f(void) { struct t { int a; }; }", "int f(void) { struct t { int a; }; }"},
        {"int f(void) { typedef int t; if (x) { y(); } }",
         "int f(void) { typedef int t; if (x) {} }"},
        {"int f(void) {\n#define A 1\n}", "int f(void) {\n#define A 1\n}"},
        {"int f(void) {\n#include \"a.inc\"\n}", "int f(void) {\n#include \"a.inc\"\n}"},
        {"int f(void) { struct t x = { 1 }; g(); }", "int f(void) {}"},
        {"int f(void) { int g(int a) { return a; } h(); }",
         "int f(void) { int g(int a) {} h(); }"},
        {"int f(void) { for_each(a, b) { g(); } }", "int f(void) {}"},
        /* strings and comments hold no braces */
        {"int f(void) { s = \"}\"; /* } */ // }\n c = '}'; }", "int f(void) {}"},
        {"int f(void) { s = \"a\\\n}\"; }", "int f(void) {}"},
        {"// { \\\n {\nint f(void) { x; }", "// { \\\n {\nint f(void) {}"},
        {"#define M { \\\n { /* \n { */ \"{\"\nint f(void) { x; }",
         "#define M { \\\n {  \"{\"\nint f(void) {}"},
        {"#error don't {\nint f(void) { x; }", "#error don't {\nint f(void) {}"},
        {"int n = 1'000'000; int f(void) { x; }", "int n = 1'000'000; int f(void) {}"},
        /* directives in bodies */
        {"int f(void) {\n x;\n # define A /* b */ 1\n#define B\n { y; }\n}",
         "int f(void) {\n # define A  1\n#define B\n}"},
        {"int f(void) {\n x;\n /* a */ #define A\n}",
         "int f(void) {\n x;\n /* a */ #define A\n}"},
        {"int f(void) {\n#define A\n struct s { int a; } b; if (c) {\n#define B\n c; "
         "}\n}",
         "int f(void) {\n#define A\n struct s { int a; } b; if (c) {\n#define B\n}\n}"},
        {"int a[] = {\n#define A 1\n A };", "int a[] = {\n#define A 1\n A };"},
        /* conditions */
        {"#if A\nint f(int a) {\n#else\nint f(void) {\n#endif\n x;\n}",
         "     \nint f(int a) {}"},
        {"int f(void) {\n#if A\n if (a) {\n#elif B\n if (b) {\n#else\n {\n#endif\n }\n}",
         "int f(void) {}"},
        {"int f(void) {\n#if A\n } else {\n#endif\n }\nint g(void) { x; }",
         "int f(void) {} else {}\nint g(void) {}"},
        {"int f(void) {\n#if A\n x(); }\n#else\n y(); }\n#endif\nint g(void) { x; }",
         "int f(void) {}\n     \n       \n      \nint g(void) {}"},
        {"#if A\nint f(void) { x; }\n#else\nint f(int a) { y; }\n#endif\n",
         "#if A\nint f(void) {}\n#else\nint f(int a) {}\n#endif\n"},
        {"#ifdef __cplusplus\nextern \"C\" {\n#endif\nint f(void) { x; }\n"
         "#ifdef __cplusplus\n}\n#endif\n",
         "                  \nextern \"C\" {\n      \nint f(void) {}\n"
         "                  \n}\n      \n"},
        {"#if A\nint f(void) {\n#else\n#endif\n}", "     \nint f(void) {}"},
        {"#if A\nint f(void) {\n#else\n#endif\n#if A\n;\n#else\n}\n#endif\nint c;",
         "     \nint f(void) {}\n      \nint c;"},
        {"int f(void) { x;\n#if A\n y;\n#elif B\n }\n#else\n } z {\n }\n#endif\nint c;",
         "int f(void) {}\n     \n      \n  \n      \nint c;"},
        {"#if A\nint f(void) {\n#else\n}\n#endif", NULL},
        {"static\n#if A\ninline\n#endif\nint f(void) { x; }",
         "static\n     \ninline\n      \nint f(void) {}"},
        {"#if A\nint f(int a)\n#elif B\nint f(void)\n#endif\n{ x; }",
         "     \nint f(int a)\n       \n           \n      \n{}"},
        {"int f(int a\n#if A /* b\n*/ \\\n\n, int c\n#endif\n) { x; }",
         "int f(int a\n          \n    \n\n, int c\n      \n) {}"},
        {"int f(void) {\n#if A\n if (a)\n#endif\n struct s { int b; } c; }",
         "int f(void) {\n     \n if (a)\n      \n struct s { int b; } c; }"},
        {"struct s {\n#if A\n int a;\n#else\n long a;\n#endif\n};",
         "struct s {\n#if A\n int a;\n#else\n long a;\n#endif\n};"},
        {"enum e { A,\n#if A\n B,\n#endif\n C };",
         "enum e { A,\n#if A\n B,\n#endif\n C };"},
        {"M(a)\n#if A\nN(b)\n#else\nint c;\n#endif\n",
         "M(a)\n#if A\nN(b)\n#else\nint c;\n#endif\n"},
        {"#if A\nstatic\n#else\n#define B 1\n#endif\nint c;",
         "#if A\nstatic\n#else\n#define B 1\n#endif\nint c;"},
        {"#else\n#endif\n#elif\nint f(void) { x; }",
         "#else\n#endif\n#elif\nint f(void) {}"},
        /* a comment within a directive; not the last one, not in a string */
        {"#define A \\\n 1 /* a */ + \\\n /* b */ \\\n 2 /* c */\nint f(void) { x; }",
         "#define A \\\n 1  + \\\n  \\\n 2 /* c */\nint f(void) {}"},
        {"#define A \" /* \" /* a */ 1\n#define B 1 /* a */\n",
         "#define A \" /* \"  1\n#define B 1 /* a */\n"},
        /* macros in heads */
        {"static int __init f(void) { x; }", "static int  f(void) {}"},
        {"static __printf(2, 3)\nint f(int a) { x; }", "static \nint f(int a) {}"},
        {"int v __read_mostly = 1;", "int v  = 1;"},
        {"__read_mostly u64 __v;", " u64 __v;"},
        {"struct s { struct t __rcu *p; };", "struct s { struct t  *p; };"},
        {"API foo_t *f(void) { x; }", " foo_t *f(void) {}"},
        {"API foo_t CALL f(void) { x; }", " foo_t  f(void) {}"},
        {"int f(void) __acquires(a) ATTR { x; }", "int f(void)   {}"},
        {"BOOL CALL f(void);\nFILE *g(void);\nFILE h;",
         "BOOL  f(void);\nFILE *g(void);\nFILE h;"},
        {"foo_t const f(void);\nfoo_t inline g(void);",
         "foo_t const f(void);\nfoo_t inline g(void);"},
        {"BEGIN_DECLS\n\nstruct s { int a; };\nEND_DECLS\n",
         "\n\nstruct s { int a; };\n\n"},
        {"BOOL\nf(int a) { x; }", "BOOL\nf(int a) {}"},
        {"MODULE(a)\nstatic int f(void) { x; }", "\nstatic int f(void) {}"},
        {"END\n\nTEST(a) { x; }", "END\n\nTEST(a) {}"},
        {"typedef BOOL _Bool;\nenum { ABC\n};", "typedef BOOL _Bool;\nenum { ABC\n};"},
        {"enum e __f(int a) { x; }\n__u32 __v;", "enum e __f(int a) {}\n__u32 __v;"},
        /* what does not end */
        {"int f(void) { x;", NULL},
        {"}", NULL},
        {"int f(void) { /* }", NULL},
        {"int f(void) { \" }", NULL},
        {"int a[(3] = { 1 };", "int a[(3] = {};"},
    };
    CHECK_ROWS("c", rows);
}

static void
test_cpp(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"namespace a { class B { int c() const { return 1; } }; }",
         "namespace a { class B { int c() const {} }; }"},
        {"B::B() : a(1), b{2}, c() { x(); }", "B::B() : a(1), b{2}, c() {}"},
        {"B::B() : b{2} { x(); }", "B::B() : b{2} {}"},
        {"auto f() -> std::vector<int> { return 1; }", "auto f() -> std::vector<int> {}"},
        {"int f() noexcept(true) { return 1; }", "int f() noexcept(true) {}"},
        {"template <class T> int f(T t) { return t; }",
         "template <class T> int f(T t) {}"},
        {"template <class T, class U> struct P<T *> : Q<U>, R { T t; };",
         "template <class T, class U> struct P<T *> : Q<U>, R { T t; };"},
        {"class A : public B<int (*)(int)> { int x; };",
         "class A : public B<int (*)(int)> { int x; };"},
        {"enum class E : int { A, B };", "enum class E : int { A, B };"},
        {"int f() { class L { int x; }; }", "int f() { class L { int x; }; }"},
        {"int f() { using T = int; g(); }", "int f() { using T = int; g(); }"},
        {"auto s = R\"x( } )\" )x\"; int f() { R\"(})\"; }",
         "auto s = R\"x( } )\" )x\"; int f() {}"},
        /* macros in heads */
        {"class API A : public B { };", "class  A : public B { };"},
        {"class API(1) A FINAL { API_X void f() const OVERRIDE; };",
         "class  A  {  void f() const ; };"},
        {"struct POINT p = { 1 };\nclass A final { };\nclass ABC { ABC(int a); ABC *b; "
         "};",
         "struct POINT p = {};\nclass A final { };\nclass ABC { ABC(int a); ABC *b; };"},
        {"class A { Q_OBJECT\npublic:\n A();\n};", "class A { \npublic:\n A();\n};"},
        {"template <class T = int> BOOL f(T a) { x; }",
         "template <class T = int> BOOL f(T a) {}"},
        {"template <class T> API foo_t f(T a) { x; }",
         "template <class T>  foo_t f(T a) {}"},
        {"API std::vector<int> f() { x; }", " std::vector<int> f() {}"},
        {"BOOL A::f() { x; }\nABC operator+(ABC a);\nAPI operator int();",
         "BOOL A::f() {}\nABC operator+(ABC a);\n operator int();"},
        {"int a_ GUARDED_BY(b_);\nstd::FILE *const c_;",
         "int a_ ;\nstd::FILE *const c_;"},
        {"A::A() : BCD(1) { x; }", "A::A() : BCD(1) {}"},
        {"namespace a VISIBLE(default) { }", "namespace a  { }"},
        {"FLAG(bool, a, false, \"a\");\nFLAG(a, b);", "\nFLAG(a, b);"},
        {"TYPE(int32_t, a::B, -1);\nTYPE(a_t, b, -1);", "\nTYPE(a_t, b, -1);"},
        {"TEST(A, b) { x; }", "TEST(A, b) {}"},
        {"auto s = R\"(", NULL},
    };
    CHECK_ROWS("cpp", rows);
}

static void
test_go(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"func f(a int) error {\n\treturn nil\n}\n", "func f(a int) error {}\n"},
        {"func (s *S) f(g func(int) int) (a int, err error) { x() }",
         "func (s *S) f(g func(int) int) (a int, err error) {}"},
        {"func f() interface{} { return 1 }", "func f() interface{} {}"},
        {"func f() struct{ A int } { return 1 }", "func f() struct{ A int } {}"},
        {"type T struct {\n\tA int\n}\nfunc f() { x() }\n",
         "type T struct {\n\tA int\n}\nfunc f() {}\n"},
        {"type I interface {\n\tM(a int)\n}\n", "type I interface {\n\tM(a int)\n}\n"},
        {"var v = []int{1, 2}\nvar w = map[string]T{\"}\": {1}}\n",
         "var v = []int{}\nvar w = map[string]T{}\n"},
        {"var v = []struct{ A int }{{1}, {2}}\n", "var v = []struct{ A int }{}\n"},
        {"func f() {\n\ttype T int\n\tg()\n}", "func f() {\n\ttype T int\n\tg()\n}"},
        {"func f() { m := map[string]struct{}{}; s := `}`; c := '}' }", "func f() {}"},
        {"func f() { t := []struct{ a int }{{1}} }",
         "func f() { t := []struct{ a int }{} }"},
        {"func asm(a int) int\n\ntype T struct {\n\tA int\n}\n",
         "func asm(a int) int\n\ntype T struct {\n\tA int\n}\n"},
        {"var s = `", NULL},
    };
    CHECK_ROWS("go", rows);
}

static void
test_java(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"class A { int f() throws X, Y { return 1; } }",
         "class A { int f() throws X, Y {} }"},
        {"class A { static { x(); } { y(); } A() { z(); } }",
         "class A { static {} {} A() {} }"},
        {"class A { T t = new T() { void m() { x(); } }; }",
         "class A { T t = new T() { void m() {} }; }"},
        {"class A { void f() { g(new T(a(1)) { void m() { x(); } }); h(); } }",
         "class A { void f() { g(new T(a(1)) { void m() {} }); h(); } }"},
        {"enum E { A(1) { void m() { x(); } }, B; void n() { y(); } }",
         "enum E { A(1) { void m() {} }, B; void n() {} }"},
        {"record P(int x, int y) implements Q { int z() { return 1; } }",
         "record P(int x, int y) implements Q { int z() {} }"},
        {"class A { void f() { record.g(); Class c = A.class; } }",
         "class A { void f() {} }"},
        {"class A { void f() { class L { int x; } } }",
         "class A { void f() { class L { int x; } } }"},
        {"class A { Runnable r = () -> { x(); }; int[] a = {1, 2}; }",
         "class A { Runnable r = () -> {}; int[] a = {}; }"},
        {"class A { String s = \"\"\"\n } \\\"\"\" { \"\"\"; void f() { x(); } }",
         "class A { String s = \"\"\"\n } \\\"\"\" { \"\"\"; void f() {} }"},
        {"@I(a = {1, 2}) class A { @J({\"}\"}) int f() { return 1; } }",
         "@I(a = {}) class A { @J({}) int f() {} }"},
    };
    CHECK_ROWS("java", rows);
}

static void
test_csharp(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"namespace N { class A : B { A() : base(1) { x(); } } }",
         "namespace N { class A : B { A() : base(1) {} } }"},
        {"class A { int P { get { return 1; } set { x(); } } int Q { get; set; } }",
         "class A { int P { get {} set {} } int Q { get; set; } }"},
        {"class A { void F<T>(T t) where T : class, new() { x(); } }",
         "class A { void F<T>(T t) where T : class, new() {} }"},
        {"class A { void F() { int G(int a) { return a; } h(); } }",
         "class A { void F() { int G(int a) {} h(); } }"},
        {"class A { void F() { T G<T>(T a) { return a; } h(); } }",
         "class A { void F() { T G<T>(T a) {} h(); } }"},
        {"class A { string s = @\"}\"\"{\"; void F() { var t = $\"{{ {a(\"}\")} }}\"; } "
         "}",
         "class A { string s = @\"}\"\"{\"; void F() {} }"},
        {"class A { string s = \"\"\"\" } \"\"\" { \"\"\"\"; void F() { x(); } }",
         "class A { string s = \"\"\"\" } \"\"\" { \"\"\"\"; void F() {} }"},
        {"record P(int X) { int Y() { return 1; } }", "record P(int X) { int Y() {} }"},
    };
    CHECK_ROWS("csharp", rows);
}

static void
test_rust(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"fn f<'a>(x: &'a str) -> u8 { b'}'; '}'; 'a: loop { } }",
         "fn f<'a>(x: &'a str) -> u8 {}"},
        {"impl<T> A for B<T> where T: C { fn f(&self) -> impl D { g() } }",
         "impl<T> A for B<T> where T: C { fn f(&self) -> impl D {} }"},
        {"fn f() { r#\"}\"#; \"\n}\"; /* /* } */ } */ }", "fn f() {}"},
        {"fn f() { fn g() { h() } i() }", "fn f() { fn g() {} i() }"},
        {"fn f() { struct S; g() }", "fn f() { struct S; g() }"},
        {"fn f() { let p: fn(u8) -> u8 = g; h() }", "fn f() {}"},
        {"const A: S = S { a: 1, b: 2 };", "const A: S = S {};"},
        {"enum E { A = 1, B { x: u8 }, C }", "enum E { A = 1, B { x: u8 }, C }"},
        {"/// doc\nfn f() { g() } // why\n", "/// doc\nfn f() {} // why\n"},
        {"fn f() { r#\"", NULL},
    };
    CHECK_ROWS("rust", rows);
}

static bool with_items;

static void
check_calls(const char *syntax_name, const char *text, const char *expected)
{
    AUTO(buf_finish) struct buf found = {0};
    struct outline o;
    assert_int_equal(bodies_scan(bodies, bodies_syntax_named(str_of(syntax_name)),
                                 str_of(text), with_items, &o),
                     0);
    for (size_t i = 0; i < o.n_calls; i++)
        buf_printf(&found, "%.*s ", (int)(o.calls[i].end - o.calls[i].start),
                   text + o.calls[i].start);
    assert_string_equal(found.n > 0 ? found.p : "", expected);
}

/* Of statements that are told, all that they call. */
static void
test_calls_told(void **state)
{
    (void)state;
    with_items = true;
    check_calls("c", "EXPORT(f); MODULE(\"x\"); int f(int a);", "EXPORT MODULE ");
    check_calls("c", "int v[A(2)] = { B(1), [3] = C(4) }, *p; int w[A(2)] = { B(1) };",
                "B C A B ");
    check_calls("c", "int n = (unsigned long)sizeof(struct f) + N(G(2)) * (u8)H(1);",
                "N G H ");
    check_calls("c", "T(a, P(struct b *b), F(x; if (y) { z(); }), __p(m, {1, \"b\"}));",
                "T P F z __p ");
    check_calls("c", "D(a)\nE(F(b))\nint *f(int c) { g(); }", "D E F g ");
    check_calls("c", "D(a)\nint b = N(1);\nD(c)\nint d[] = { M(2) };", "D N D M ");
    check_calls("c",
                "struct s { int a[N(1)]; unsigned b : W(2); }; enum { A = B(C), D };",
                "N W B ");
    with_items = false;
}

static void
test_calls(void **state)
{
    (void)state;
    check_calls(
        "c",
        "int f(int a) { if (g(1)) return h (2); a->i(3); int l(int); int (*p)(int);"
        " sizeof(int); j(k(), \"m()\" /* n() */); }",
        "g h i j k ");
    check_calls("c", "int f(void) {\n#if defined(A) || VERSION(1)\n a();\n#endif\n}",
                "VERSION a ");
    check_calls("c", "int v[] = { SIZE(3), 4 };", "SIZE ");
    /* outside of what is left out the tree has them */
    check_calls("c", "int v = g(1); int f(void) { typedef int t; h(); }", "");
    check_calls("go", "func f() { g(); a.b(c()); go func() { d() }() }", "g b c d ");
    check_calls("go", "func f() { g(string(a), []byte(b), error(c)) }", "g ");
    check_calls("rust",
                "fn f() { g(); println!(\"{}\", h()); match x { Some(y) => i(), } }",
                "g println h i ");
    check_calls(
        "rust",
        "fn f() { let Some(a) = g(b) else { h() }; if let A(B(c)) = i() {} match d {"
        " C(x) if j(x) => D(x), E((y, _)) | F(y) => k(y), } }",
        "g h i j D k ");
    check_calls("rust", "fn f() { #[cfg(not(a))] { g::<T>(h::<[u8; 4]>()); } }", "g h ");
    check_calls("rust", "fn f() { m!(a.b(c), d!(e)); n![o()]; if a != (b) {} }",
                "m b d n o ");
    check_calls(
        "java",
        "class A { void f() { @B(1) int c = new D<E<F>>(g()); this.<T>h(A::i, J::new);"
        " if (k < l && m > (n)) {} if (k < l) {} } }",
        "D g h i J ");
    check_calls(
        "csharp",
        "class A { void F() { var a = new B { C = new D<E> { } }; g<H>(new int[] {});"
        " I<J> k(l); } }",
        "B D g ");
}

/* What is told of a text, "kind name [from,to)" each, and what of it is left for the parser. */
static void
check_items(const char *text, const char *expected, const char *left)
{
    AUTO(buf_finish) struct buf found = {0};
    struct outline o;
    assert_int_equal(
        bodies_scan(bodies, bodies_syntax_named(STR("c")), str_of(text), true, &o), 0);
    for (size_t i = 0; i < o.n_items; i++) {
        const struct outline_item *item = &o.items[i];
        buf_printf(&found, "%s %.*s [%u,%u) ", entity_kind_name(item->kind),
                   (int)(item->name.end - item->name.start), text + item->name.start,
                   item->range.start, item->range.end);
    }
    for (size_t i = 0; i < o.n_imports; i++)
        buf_printf(&found, "%.*s ", (int)(o.imports[i].end - o.imports[i].start),
                   text + o.imports[i].start);
    AUTO(free) char *shown = str_dup(o.text);
    assert_string_equal(found.n > 0 ? found.p : "", expected);
    assert_string_equal(shown, left);
}

static void
test_items(void **state)
{
    (void)state;
    /* functions; their prototypes say nothing */
    check_items("int f(void) { g(); }", "function f [0,20) ", "");
    check_items("static struct s *f(const char *a[3], int (*g)(int, ...))\n{\n}\n",
                "function f [0,60) ", "\n");
    check_items("static noinline __printf(1, 2) long f(int a) __must_hold(a) {}",
                "function f [0,62) ", "");
    check_items("int f(int); extern int *g(void) __attribute__((pure)); /* c */", "", "");
    check_items("__read_mostly u64 __x;", "", " u64 __x;"); // not u64
    check_items("int f(a) char *a; { return 0; }", "",
                "int f(a) char *a; {}"); // as nobody writes them any more
    check_items("int f(a)\nchar *a;\nint b;\n{ }\nint g;", "variable g [29,35) ",
                "int f(a)\nchar *a;\nint b;\n{ }\n;");
    check_items("f(void) { g(); }", "", "f(void) {}");
    check_items("SYSCALL(read, int, fd) { g(); }", "function read [0,31) ", "");
    check_items("main(argc, argv) { g(); }", "", "main(argc, argv) {}");
    check_items("int f(void) { struct t { int a; }; }", "",
                "int f(void) { struct t { int a; }; }");
    /* variables and types; of the first told behind what is not a semicolon stays */
    check_items(
        "int a; static const char *const b = \"x\" \"y\", c; long d[N + 1] = { 1, 2 };",
        "variable a [0,6) variable d [48,73) ",
        " static const char *const b = \"x\" \"y\", c; ;");
    check_items("unsigned long a = -1UL; extern int b; u8 c __used = (u8)3;",
                "variable a [0,23) variable c [38,58) ", "");
    check_items("int (*f)(int) = 0; int *(*g)(void); int a = f(1);",
                "variable f [0,18) variable g [19,35) variable a [36,49) ", "");
    check_items("typedef unsigned int t; typedef struct s s_t; typedef int fn(int);",
                "type_alias t [0,23) type_alias s_t [24,45) type_alias fn [46,66) ", "");
    check_items("a b c; a * b c; int int a; struct { int a; } s; int d; int e;",
                "field a [36,42) variable d [48,54) variable e [55,61) ",
                "a b c; a * b c; int int a; struct {  } s; ; ");
    check_items("struct s { u32 a:3, b; u8 __iomem *c; int (*d)(int), e; char f[2][N]; "
                "/* f */ };",
                "field c [23,37) field f [56,69) ",
                "struct s { u32 a:3, b;  int (*d)(int), e;  };");
    check_items("enum e { A, B = 1 << 2, /* b */ C = F(1), D = (2 + A) };",
                "enum_member A [9,10) enum_member B [12,22) enum_member C [32,40) "
                "enum_member D [42,53) ",
                "enum e { };");
    check_items("struct s { struct { int a; } b; enum { A } c; } __packed; int d;",
                "field a [20,26) enum_member A [39,40) variable d [58,64) ",
                "struct s { struct {  } b; enum { } c; } __packed; ;");
    check_items("extern \"C\" { int a; int f(void) { } }\nint b;",
                "variable a [13,19) function f [20,35) variable b [38,44) ",
                "extern \"C\" {  }\n;");
    /* macros that stand for statements */
    check_items("static DEFINE_MUTEX(a); static DEFINE_X(b, c); EXPORT(f); M(a, int);",
                "variable a [0,23) ", " static DEFINE_X(b, c); ; ");
    check_items("D(a)\nE(b, c) /* e */\nint b;\nD(e)\nint f(void) { }\nD(g) int h;",
                "variable b [21,27) function f [33,48) ", "\nD(g) int h;");
    check_items("M(struct t { int a; });", "", "M(struct t { int a; });");
    check_items("D(a)\nstruct s { int a; };", "field a [16,22) ", "D(a)\nstruct s {  };");
}

static void
test_directives(void **state)
{
    (void)state;
    check_items("#define A\n#  define B 1 \n#define F(a, ...) \\\n  a + /* c */ \\\n 1\n",
                "macro A [0,9) macro B [10,23) macro F [25,63) ", "\n");
    check_items("#define A 1 /* a */\n#define B \"/*\"\n#define C(a...) a\n#define D 1",
                "macro A [0,19) macro C [35,52) ", "\n#define B \"/*\"\n\n#define D 1");
    check_items("#include <a.h>\n#include \"b.h\" /* b */\n#include C\n",
                "<a.h> \"b.h\" ", "\n#include C\n");
    check_items("#ifdef A\nint f(int a)\n#else\nint f(void)\n#endif\n{ g(); }\nint c;\n",
                "function f [9,55) variable c [56,62) ", "        \n\n");
    check_items("#if A\nstruct s {\n#else\nstruct t {\n#endif\n int a;\n};\nint b;\n",
                "field a [42,48) variable b [52,58) ",
                "     \nstruct s {\n     \n          \n      \n \n};\n;\n");
}

static void
test_places(void **state)
{
    (void)state;
    struct str text = STR("int f(void) { aaaa; }\nint g = { 1, 2 };\nint h;");
    struct outline o;
    assert_int_equal(bodies_scan(bodies, bodies_syntax_named(STR("c")), text, false, &o),
                     0);
    ssize_t h = str_find(o.text, STR("h;"));
    assert_int_equal(outline_to_source(&o, (uint32_t)h), str_find(text, STR("h;")));
    /* A stretch that ends before a gap does not reach over it. */
    uint32_t brace = (uint32_t)str_find(o.text, STR("{"));
    struct stretch s = outline_stretch_to_source(&o, (struct stretch){0, brace + 1});
    assert_int_equal(s.end, brace + 1);
    s = outline_stretch_to_source(&o, (struct stretch){0, brace + 2});
    assert_int_equal(s.end, str_find(text, STR("}")) + 1);
}

/* With bodies: macros in heads are left out, and nothing else. */
static void
test_heads(void **state)
{
    (void)state;
    struct outline o;
    struct str text = STR("int __init f(void) { g(1); } // why\nint v[] = { 1, 2 };");
    assert_int_equal(bodies_scan_heads(bodies, bodies_syntax_named(STR("cpp")), text, &o),
                     0);
    assert_int_equal(o.n_gaps, 0);
    assert_int_equal(bodies_scan_heads(bodies, bodies_syntax_named(STR("c")), text, &o),
                     0);
    AUTO(free) char *shown = str_dup(o.text);
    assert_string_equal(shown, "int  f(void) { g(1); } // why\nint v[] = { 1, 2 };");
    assert_int_equal(o.n_calls, 0); // the tree has them
    assert_int_equal(o.n_comments, 0);
    assert_int_equal(o.n_cuts, 1);
    assert_int_equal(o.cuts[0].start, str_find(text, STR("__init")));
}

/* Every byte is in the outline or left out, in order; comments and calls are in what is left out. */
static void
check_outline(const struct outline *o, struct str text)
{
    uint32_t left = 0, at = 0;
    for (size_t i = 0; i < o->n_gaps; i++) {
        assert_true(o->gaps[i].at >= at && o->gaps[i].left_bytes > left);
        assert_memory_equal(o->text.p + at, text.p + at + left, o->gaps[i].at - at);
        at = o->gaps[i].at;
        left = o->gaps[i].left_bytes;
    }
    assert_int_equal(o->text.n + left, text.n);
    for (size_t i = 0; i < o->n_calls; i++) {
        assert_true(o->calls[i].start < o->calls[i].end && o->calls[i].end <= text.n);
        assert_true(i == 0 || o->calls[i - 1].end <= o->calls[i].start);
    }
    for (size_t i = 0; i < o->n_items; i++) {
        const struct outline_item *item = &o->items[i];
        assert_true(item->range.start <= item->name.start &&
                    item->name.start < item->name.end &&
                    item->name.end <= item->range.end && item->range.end <= text.n);
        assert_true(i == 0 || o->items[i - 1].range.end <= item->range.start);
        assert_true(item->body.end <= item->range.end);
    }
    for (size_t i = 0; i < o->n_imports; i++)
        assert_true(o->imports[i].start < o->imports[i].end &&
                    o->imports[i].end <= text.n &&
                    (i == 0 || o->imports[i - 1].end <= o->imports[i].start));
    for (size_t i = 0; i < o->n_comments; i++)
        assert_true(o->comments[i].end <= text.n &&
                    (i == 0 || o->comments[i - 1].end <= o->comments[i].start));
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void
ruin(struct buf *text, uint32_t *seed)
{
    static const char marks[] = "{}()[]\"'`/*\\#\n@$<>=;:,rR!";
    for (uint32_t n = next_random(seed) % 8; n > 0 && text->n > 0; n--) {
        char *at = &text->p[next_random(seed) % text->n];
        *at = next_random(seed) % 4 == 0 ? (char)next_random(seed)
                                         : marks[next_random(seed) % (sizeof(marks) - 1)];
    }
    if (next_random(seed) % 3 == 0)
        text->n = next_random(seed) % (text->n + 1);
}

static void
test_ruined(void **state)
{
    (void)state;
    AUTO(free) char *folder = path_join(getenv("TEST_SOURCE_ROOT"), "src/bodies");
    DIR *dir = opendir(folder);
    uint32_t seed = 1;
    size_t n_balanced = 0, n_files = 0;
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        AUTO(free) char *path = path_join(folder, d->d_name);
        AUTO(buf_finish) struct buf source = {0}, text = {0};
        if (d->d_type != DT_REG || fs_read_file(path, FILE_BYTES_MAX, &source, NULL) < 0)
            continue;
        n_files++;
        for (size_t i = 0; i < RUINS * ARRAY_LEN(names); i++) {
            struct outline o;
            buf_reset(&text);
            buf_add_str(&text, buf_str(&source));
            ruin(&text, &seed);
            AUTO(free)
            char *exact = xmemdup(text.p, text.n); // so that a sanitizer sees its end
            int r = bodies_scan(bodies,
                                bodies_syntax_named(str_of(names[i % ARRAY_LEN(names)])),
                                str_slice(exact, text.n), true, &o);
            assert_true(r == 0 || r == BODIES_E_UNBALANCED);
            if (r == 0) {
                check_outline(&o, str_slice(exact, text.n));
                n_balanced++;
            }
        }
    }
    closedir(dir);
    assert_true(n_files > 5 && n_balanced > n_files);
}

/* What would be slow if anything were looked at twice, or deep if anything called itself. */
static void
test_hostile(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "AAA ", "AAA(", "AAA(\"", "__a::", "__a /*", "class AAA ", "(",    "{",
        "[",    "\"",   "'\\'",   "/*",    "#if\n",  "#else\n",    "R\"(", "r#",
        "$\"{", "a<",   "=>",     "\\\n",  "'",      "`"};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        AUTO(buf_finish) struct buf text = {0};
        while (text.n < 150000)
            buf_add_cstr(&text, pieces[i]);
        for (size_t k = 0; k < ARRAY_LEN(names); k++) {
            struct outline o;
            int r = bodies_scan(bodies, bodies_syntax_named(str_of(names[k])),
                                buf_str(&text), true, &o);
            assert_true(r == 0 || r == BODIES_E_UNBALANCED);
        }
    }
    assert_null(bodies_syntax_named(STR("cobol")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c),          cmocka_unit_test(test_cpp),
        cmocka_unit_test(test_go),         cmocka_unit_test(test_java),
        cmocka_unit_test(test_csharp),     cmocka_unit_test(test_rust),
        cmocka_unit_test(test_calls),      cmocka_unit_test(test_places),
        cmocka_unit_test(test_items),      cmocka_unit_test(test_directives),
        cmocka_unit_test(test_calls_told), cmocka_unit_test(test_ruined),
        cmocka_unit_test(test_heads),      cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests_name("bodies", tests, setup, teardown);
}
