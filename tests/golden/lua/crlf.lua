-- One.
function one()
  two()
end

local x = 1
