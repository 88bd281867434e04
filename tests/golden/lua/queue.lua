#!/usr/bin/env lua
-- The file's own comment, apart from what follows.

--- A queue of jobs.
--- @class Queue
local Queue = {}
Queue.__index = Queue
Queue.VERSION = "1.2" -- as in the rockspec
Queue.defaults = {
  limit = 10,
  on_full = function(queue, job) queue:drop(job) end,
  ["on error"] = function(err) error(err) end,
  nested = { deep = function() end },
}

local json, lfs = require("json"), require "lfs"
local ok, inspect = pcall(require, "inspect.core")
local LIMIT <const> = 64
local lower, HIGHER <const> = 1, 2
local first, second
counter, total = 0, 0
counter = 1
größe = "ünï 🎉" local after = 1

--[[ Makes a queue.
     Of what size, is for the caller to say. ]]
function Queue.new(limit)
  local self = setmetatable({}, Queue)
  self.limit = limit or LIMIT
  local_global = true
  return self
end

--[==[
  Adds a job; ]] ends nothing here.
]==]
---@param job table
function Queue:push(job, ...)
  local function check(value)
    assert(value, "no job")
  end
  check(job)
  local notify = function(event) self.bus:emit(event, ...) end
  notify "pushed"
  table.insert(self.jobs, job)
end

function Queue.stats.memory.total() return collectgarbage("count") end
function Queue.stats:reset()
end

-- not a doc: a line is between

local function private(a, b) return a + b end

Queue.pop = function(self) return table.remove(self.jobs) end
Queue["drop job"] = function(self) end
Queue[json.null] = function() end
local each = function(t, f)
  for _, v in ipairs(t) do f(v) end
end
handlers[1] = print

local source = [[
function not_one() end
]]
local text = "function nor_this() end" --function comment() end

do
  local inner_block = 1
  function in_block() return inner_block end
end

if jit then
  function only_jit() end
else
  only_jit = function() end
end

setup({
  on_attach = function(client) client.start{} end,
  callbacks = { function() anonymous() end },
})

Queue.methods = { push = Queue.push }
goto done
::done::
return setmetatable(Queue, { __call = function(_, ...) return Queue.new(...) end })
