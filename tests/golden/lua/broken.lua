local M = {}

function M.whole() return 1 end

function M.half(a,
  if a then

function M.later()
  return "three"
end

M.assigned = function( end
local tail = function() return M end
