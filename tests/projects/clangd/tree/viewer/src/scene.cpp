#include "scene.hpp"

namespace viewer {

namespace {
constexpr double pi = VIEWER_PI;
}

Circle::Circle(Point middle, double radius)
    : Shape("circle"), middle_(middle), radius_(radius)
{
}

double
Circle::area() const
{
    return pi * detail::square(radius_);
}

void
Scene::add(std::unique_ptr<Shape> shape)
{
    shapes_.push_back(std::move(shape));
}

double
Scene::area() const
{
    double sum = 0;
    for (const auto &shape : shapes_)
        sum += shape->area();
    return sum;
}

} // namespace viewer
