#pragma once
#include <memory>
#include <string>
#include <vector>

namespace viewer {

/// A point in the plane of the screen.
struct Point {
    double x = 0, y = 0;
    Point operator+(const Point &other) const { return {x + other.x, y + other.y}; }
};

class Shape {
public:
    explicit Shape(std::string name) : name_(std::move(name)) {}
    virtual ~Shape() = default;
    virtual double area() const = 0;
    const std::string &name() const { return name_; }

private:
    std::string name_;
};

namespace detail {
template <typename T> constexpr T square(T value) { return value * value; }
} // namespace detail

class Circle final : public Shape {
public:
    Circle(Point middle, double radius);
    double area() const override;

    enum class Style { Filled, Outline };
    Style style = Style::Filled;

private:
    Point middle_;
    double radius_;
};

/// All shapes of a picture; owns them.
class Scene {
public:
    using List = std::vector<std::unique_ptr<Shape>>;
    void add(std::unique_ptr<Shape> shape);
    double area() const;

private:
    List shapes_;
};

} // namespace viewer
