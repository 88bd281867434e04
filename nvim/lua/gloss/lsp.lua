-- The LSP client: which program, which workspace, when it starts, stops and comes back.
-- The same code serves 0.10 (vim.lsp.start) and newer (vim.lsp.enable); what differs is
-- only who calls it.
local config = require('gloss.config')
local statusline = require('gloss.statusline')

local M = {}

-- A program that dies more often than this is not started again by itself.
local MAX_RESTARTS = 3
local RESTART_WINDOW_MS = 180 * 1000
local STOP_TIMEOUT_MS = 2000
local POLL_MS = 20

local has_0_11 = vim.fn.has('nvim-0.11') == 1

local stopped = false -- by the user: nothing starts until `:Gloss start`
local leaving = false
local told = {} -- messages that were shown; each is shown once
---@type integer[] when clients died, in ms
local deaths = {}

-- Methods of a client are called with a dot in 0.10 and with a colon since 0.11.
local function call(client, method, ...)
  if has_0_11 then
    return client[method](client, ...)
  end
  return client[method](...)
end
M.call = call

local function tell_once(message)
  if not told[message] then
    told[message] = true
    vim.notify('gloss: ' .. message, vim.log.levels.WARN)
  end
end

---@return vim.lsp.Client[]
function M.clients(filter)
  return vim.lsp.get_clients(vim.tbl_extend('force', { name = 'gloss' }, filter or {}))
end

--- The program and its arguments, or nil and why there is none.
---@return string[]? cmd
---@return string? problem
function M.command()
  local chosen = config.get().cmd
  local cmd = chosen or { 'gloss', 'lsp' }
  if type(cmd[1]) ~= 'string' then
    return nil, '`cmd` must be a list of strings, the program first'
  end
  cmd = vim.list_extend({ vim.fs.normalize(cmd[1]) }, cmd, 2)
  if vim.fn.executable(cmd[1]) == 1 then
    return cmd
  end
  if chosen then
    return nil, ('`%s` (from `cmd`) cannot be run; see :help gloss-config'):format(cmd[1])
  end
  return nil,
    "no program `gloss` on PATH; install it, or name it with vim.g.gloss = { cmd = { '…', 'lsp' } }"
end

---@param bufnr integer
---@return string?
function M.root(bufnr)
  local options = config.get()
  if type(options.root_dir) == 'function' then
    return options.root_dir(bufnr)
  elseif options.root_dir then
    return vim.fs.normalize(options.root_dir)
  end
  for _, marker in ipairs(options.root_markers) do
    local root = vim.fs.root(bufnr, marker)
    if root then
      return root
    end
  end
  return vim.b[bufnr].gloss_root
end

--- Whether a client may be started now; says once what is in the way.
local function may_start()
  if stopped or leaving then
    return false
  end
  local _, problem = M.command()
  if problem then
    tell_once(problem)
    return false
  end
  return true
end

--- Call back when Neovim has forgotten these clients. Until then vim.lsp.start would hand
--- out the dead one again.
---@param ids integer[]
---@param callback fun()
---@param while_waiting fun(left: integer[])?
local function when_gone(ids, callback, while_waiting)
  local left = vim.tbl_filter(vim.lsp.get_client_by_id, ids)
  if #left == 0 then
    return callback()
  end
  if while_waiting then
    while_waiting(left)
  end
  vim.defer_fn(function()
    when_gone(left, callback, while_waiting)
  end, POLL_MS)
end

local function on_exit(code, signal, client_id)
  vim.schedule(function()
    statusline.set(client_id, nil)
    if stopped or leaving or (code == 0 and signal == 0) then
      return
    end
    local now = vim.uv.now()
    deaths = vim.tbl_filter(function(time)
      return now - time < RESTART_WINDOW_MS
    end, deaths)
    deaths[#deaths + 1] = now
    if #deaths > MAX_RESTARTS then
      vim.notify(
        ('gloss: ended %d times within %d minutes; see :Gloss log, then :Gloss start'):format(
          #deaths, RESTART_WINDOW_MS / 60000),
        vim.log.levels.ERROR)
      return
    end
    when_gone({ client_id }, M.attach_all)
  end)
end

local function on_status(_, params, context)
  if type(params) == 'table' and type(params.state) == 'string' then
    statusline.set(context.client_id, params)
  end
end

--- What vim.lsp.config and vim.lsp.start take.
---@return vim.lsp.ClientConfig
function M.config()
  local options = config.get()
  return {
    name = 'gloss',
    filetypes = options.filetypes,
    cmd = function(dispatchers)
      local cmd, problem = M.command()
      if not cmd then
        error('gloss: ' .. problem, 0)
      end
      local rpc = vim.lsp.rpc.start(cmd, dispatchers, { env = config.get().env })
      return require('gloss.feed').versioned(rpc)
    end,
    root_dir = function(bufnr, on_dir)
      if may_start() then
        local root = M.root(bufnr)
        if root then
          on_dir(root)
        end
      end
    end,
    before_init = function(params)
      params.initializationOptions = vim.tbl_deep_extend(
        'force',
        { features = config.get().features, trusted = true },
        params.initializationOptions or {})
    end,
    handlers = { ['gloss/status'] = on_status },
    on_exit = on_exit,
  }
end

--- Start or join the client of the buffer's workspace; nothing when the buffer is none of ours.
---@param bufnr integer
function M.attach(bufnr)
  if not vim.api.nvim_buf_is_loaded(bufnr) or vim.bo[bufnr].buftype ~= '' then
    return
  end
  local client_config = has_0_11 and vim.deepcopy(vim.lsp.config.gloss) or M.config()
  if not vim.tbl_contains(client_config.filetypes, vim.bo[bufnr].filetype) or not may_start() then
    return
  end
  local root = M.root(bufnr)
  if root then
    client_config.root_dir = root
    vim.lsp.start(client_config, { bufnr = bufnr })
  end
end

function M.attach_all()
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    M.attach(bufnr)
  end
end

--- Start for every open file. The current one falls back to the working directory when it
--- lies in no workspace: the user asked for it.
function M.start()
  stopped = false
  told = {}
  deaths = {}
  local bufnr = vim.api.nvim_get_current_buf()
  if vim.bo[bufnr].buftype == '' and not M.root(bufnr) then
    vim.b[bufnr].gloss_root = vim.uv.cwd()
  end
  M.attach_all()
end

--- Stop all clients, then call back; one that does not end in time is killed.
---@param callback fun()?
function M.stop(callback)
  stopped = true
  local ids = {}
  for _, client in ipairs(M.clients({ _uninitialized = true })) do
    ids[#ids + 1] = client.id
    call(client, 'stop')
  end
  local deadline = vim.uv.now() + STOP_TIMEOUT_MS
  when_gone(ids, callback or function() end, function(left)
    if vim.uv.now() > deadline then
      deadline = math.huge
      for _, id in ipairs(left) do
        call(vim.lsp.get_client_by_id(id), 'stop', true)
      end
    end
  end)
end

function M.restart()
  M.stop(M.start)
end

--- Neovim ends: what dies from now on was meant to.
function M.leave()
  leaving = true
end

--- Send a request to the gloss client of the current buffer, and to no other.
---@param method string
---@param make_params fun(client: vim.lsp.Client): table
---@param callback fun(err: lsp.ResponseError?, result: any)
---@return boolean sent
function M.request(method, make_params, callback)
  local client = M.clients({ bufnr = 0 })[1]
  if not client then
    return false
  end
  return (call(client, 'request', method, make_params(client), callback, 0))
end

return M
