#!/usr/bin/env julia
# This file is part of nothing.

"""
    Shapes

Plane shapes and what can be asked of them.
"""
module Shapes

using LinearAlgebra
using Base.Iterators: take, drop
import Base: show, +, length as len
import ..Parent, ...Other.Deep
using .Sub: a as b

export area, Circle, @checked
include("more.jl")

# How exact.
const EPS = 1e-9
const WIDTH, HEIGHT = 640, 480
const Names = Vector{String}
const Callback{T} = Union{Nothing,Function}
const square = x -> x * x
const limit::Int = 3
global debug = false
cache = Dict{String,Any}() # filled when asked
cache = nothing
cache["key"] = 1
Base.x = 2
x, y = 1, 2

"What has an area."
abstract type Shape end
abstract type Round{T<:Real} <: Shape end
primitive type Byte 8 end
primitive type Small{T} <: Integer 16 end

"""
A circle.

Its centre is the origin.
"""
struct Circle{T<:Real} <: Round{T}
    "How wide."
    radius::T
    name # what it is called
    const tags::Vector{Symbol}
    # makes one
    Circle(r) = new{typeof(r)}(r, "c")
    function Circle{T}(r::T, name) where {T<:Real}
        r < 0 && throw(ArgumentError("function no() end"))
        return new{T}(r, name)
    end
end

mutable struct Box <: Shape
    width::Float64
    height
end

Base.@kwdef struct Options <: Main.Deep.Base
    verbose::Bool = false
    depth = 3
end

@enum Color red green blue
@enum Fruit::UInt8 begin
    apple
    pear = 3
end

"""
    area(s::Shape) -> Float64

The area of `s`.
"""
function area(s::Circle)::Float64
    half(x) = x / 2
    local scale = 2.0
    total = π * s.radius^2
    foreach([1, 2]) do i
        println(i)
    end
    function nested(y)
        y + 1
    end
    return half(total * scale) |> nested
end

# One line.
area(b::Box) = b.width * b.height
@inline area(x::T, y::T) where {T<:Number} = x .* y
perimeter(c::Circle{T})::T where T = 2π * c.radius
scale!(b::Box; by=2, kw...) = (b.width *= by; b)
Base.show(io::IO, c::Circle) = print(io, "Circle(", c.radius, ")")
Base.:(==)(a::Circle, b::Circle) = a.radius == b.radius
Base.:+(a::Box, b::Box) = Box(a.width + b.width, a.height)
+(a::Circle, b::Circle) = Circle(a.radius + b.radius)
(-)(a::Circle) = a
function Base.iterate(b::Box, state=1) end
function (o::Options)(x)
    x + o.depth
end
(c::Circle)(x) = x
Circle{Int}(s::String) = Circle(parse(Int, s))
function declared end
α₁(β) = β
∇(f, x) = f(x)
values(b).item = 3
values(b)[1] = 4

"Checks it."
macro checked(ex)
    quote
        $(esc(ex))
    end
end

if VERSION >= v"1.9"
    newer() = 1
else
    newer() = 2
end

let counter = 0
    global function next()
        counter += 1
    end
end

for op in (:sin, :cos)
    @eval $op(c::Circle) = $op(c.radius)
end

#= a block
   function inComment() end =#
text = """
function inString() end
"""

@inline function hot(x)
    @inbounds x[1]
end

module Sub
    value() = area.(shapes)
end

baremodule Tiny
end

@testset "shapes" begin
    helper(x) = x
    @test area(Circle(1)) ≈ π
end

end # module
