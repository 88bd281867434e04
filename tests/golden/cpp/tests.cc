// A test bears the name of its macro, as ctags and clangd's outline have it; which one it is, the signature says.
namespace {

TEST(Table, Empty)
{
    struct row { int id; };
    check(row{1});
}

TEST_F(Measure, Wide) { check(2); }

TYPED_TEST(Lists, Long)
{
    auto f = [] { return 1; };
}

} // namespace

enum { NO, YES } answer;
struct { int x; } origin, *far;
