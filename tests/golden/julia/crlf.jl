"""
Two bytes
end a line.
"""
function f(x)
    g(x) # h(x)
end

struct Größe
    λ::Int
end
