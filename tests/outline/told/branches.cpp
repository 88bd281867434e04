// Branches of #if that share a brace; names of tests; variables of types without names.
#ifdef WIDE
class Table : public Wide {
#else
class Table : public Narrow {
#endif
public:
    Table();
#if WIDE
    long size() const {
#elif NARROW
    int size() const {
#else
    short size() const {
#endif
        return size_;
    }

#ifdef WIDE
    long first();
#else
    int second();
#endif

private:
    int size_;
};

template <typename T>
#if CONCEPTS
    requires Sized<T>
#endif
int measure(const T &t
#ifdef WIDE
            , long base
#endif
)
{
#ifdef WIDE
    if (base > 0) {
        struct wide { int n; };
#else
    if (t) {
#endif
        return 1;
#ifdef WIDE
    } else
#endif
        return 0;
}

namespace a {
#if WIDE
} // namespace a

namespace a {
#define IS_WIDE 1
#else
#define IS_WIDE 0
#endif
int after;
} // namespace a

TEST(Table, Empty)
{
    struct row { int id; };
}

TEST_F(Measure, Wide) { }

enum { NO, YES } answer;
struct { int x; } origin;
