// Copyright: not a doc.

#include <vector>
#include "widget.h"

#define WIDGET_MAX 16 // how many
#define WIDGET_CHECK(x) \
    do { if (!(x)) fail(#x); } while (0)

/// The library.
namespace ui::core {

namespace fs = std::filesystem;
using namespace std::literals;
using std::string;

// A colour.
enum class Color : unsigned char { Red = 1, /* like blood */ Green, Blue };

constexpr int kLimit = 8, kOther = 9;
static const char *names[] = {"a{", "class Fake {};"};
inline std::vector<int> counts{1, 2, 3};
extern int elsewhere;
int prototype(int a);
auto twice = [](int x) { int local = x; struct Hidden { int h; }; return local * 2; };

namespace {
int hidden = 1;
void helper(int a) { int local = a; static int kept; typedef int alias_t; }
} // namespace

/**
 * A widget.
 */
template <typename T, int N = 4>
class [[nodiscard]] Widget final : public Base<T>, private virtual ns::Other::Mixin<int>, Plain {
    Q_DISABLE_COPY(Widget);
    friend class Friend;
    friend std::ostream &operator<<(std::ostream &os, const Widget &w);

public:
    using value_type = T;
    typedef T *pointer, &reference;

    Widget() = default;
    /// Makes one.
    explicit Widget(T value, int n = 3)
        : Base<T>(value), n_{n}, names_{make()}
    {
        init();
    }
    Widget(const Widget &) = delete;
    template <class U> Widget(U &&u);
    virtual ~Widget();

    // Drawn by subclasses.
    virtual void draw(Canvas &canvas) const = 0;
    [[nodiscard]] auto size() const noexcept -> std::size_t;
    T *data();
    const T &front() const &;
    T **rows();
    static Widget<T, N> create(std::initializer_list<T> list) { return Widget(list.begin()); }
    template <typename U>
    U convert(U fallback);

    explicit operator bool() const { return n_ > 0; }
    operator const T *() const;
    Widget &operator=(Widget &&other) noexcept;
    bool operator==(const Widget &) const = default;
    T &operator[](int i);
    void operator()(int a) const;
    void *operator new(std::size_t n);

    struct Iterator {
        T *at; // where it is
        Iterator &operator++() { ++at; return *this; }
    };
    enum { Small, Large };
    union { int as_int; float as_float; };

protected:
    static constexpr int kSize = 4;
    inline static int made = 0;
    int n_ = 0, *next_, rows_[N]; // all of them
    unsigned flag_ : 1;
    int (*callback_)(int);
    std::function<void(int)> on_change_;
    static const int kTable[];
};

template <>
struct Widget<void, 0> : Empty {};

template <typename T, int N>
void Widget<T, N>::draw(Canvas &canvas) const
{
    canvas.line<int>(1, 2)->stroke();
    struct Local { int depth; void go() {} };
    auto *w = new ns::Thing<T>(1);
    for (int i = 0; i < N; i++)
        ::ui::helper(i), detail::run<T>(i);
}

} // namespace ui::core

ui::core::Color ui::core::pick(int n) { return Color::Red; }

Store::Store(int n) : n_(n) {}
Store::~Store() { close(); }
Store::operator bool() const { return true; }
const std::string &Store::Inner::name() const & { return name_; }
int *Store::rows() { return nullptr; }
bool operator<(const Store &a, const Store &b) { return a.n_ < b.n_; }
long double operator""_km(long double v) { return v; }
const int Store::kTable[] = {1, 2};
template <> int convert<int>(const char *s) { return 0; }

struct Store::Inner { std::string name_; };

template <typename T>
concept Sized = requires(T t) { t.size(); };

template <typename T>
    requires Sized<T>
constexpr bool is_sized = true;

template <typename T> using Rows = std::vector<std::vector<T>>;

extern "C" int c_entry(void) { return 0; }

extern "C" {
struct c_data { int x; };
void c_other(struct c_data *d) { d->x = 1; }
}

typedef struct { int a; } anonymous_t;
typedef void (*handler_t)(int);

class API_EXPORT Exported : public Base {
    int field_;
    void inlined() const { work(); }
};

BEGIN_NS
namespace wrapped {
int inside(int a) { return a; }
}

TEST(WidgetTest, Draws) { EXPECT_EQ(1, 1); }

auto größe(int länge) -> int { return R"x(void fake() {})x"[0] + länge; }

#if defined(_WIN32)
int platform() { return 1; }
#else
int platform() { return 2; }
#endif

int main() try { return run(); } catch (...) { return 1; }
