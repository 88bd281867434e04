module Broken

before(x) = x + 1

struct Half
    a::Int
    b::
end

function unfinished(x, y
    call(x)
end

"Whole."
function after(x)
    before(x)
end

open() = begin
    1
