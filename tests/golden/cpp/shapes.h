#pragma once

namespace shapes {

class Canvas; // only announced

/*! An interface. */
class Shape {
public:
    virtual double area() const = 0; ///< never negative
    virtual ~Shape() = default;

private:
    int id_;
};

} // namespace shapes
