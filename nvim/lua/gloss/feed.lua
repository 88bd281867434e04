-- What other servers answer to the user's hovers is handed over to gloss, so that it knows
-- without a server of its own. Nobody is asked for it: answers are looked at on their way to
-- whoever wanted them. And gloss is told which languages those servers serve.
local config = require('gloss.config')

local M = {}

local HOVER = 'textDocument/hover'
local HAND_OVER = 'gloss/hovers'

local has_0_11 = vim.fn.has('nvim-0.11') == 1

---@type table<table, true> the connections that are looked at
local watched = setmetatable({}, { __mode = 'k' })
---@type table<integer, string> what a gloss client was last told, as JSON
local told = {}

-- Of one line of a buffer, from one encoding into another.
local function convert(line, character, from, to)
  if from == to then
    return character
  end
  local ok, byte
  if from == 'utf-8' then
    ok, byte = true, math.min(character, #line)
  elseif has_0_11 then
    ok, byte = pcall(vim.str_byteindex, line, from, character, false)
  else
    ok, byte = pcall(vim.str_byteindex, line, character, from == 'utf-16')
  end
  if not ok then
    return nil -- behind the end of the line
  elseif to == 'utf-8' then
    return byte
  elseif has_0_11 then
    return vim.str_utfindex(line, to, byte, false)
  end
  local utf32, utf16 = vim.str_utfindex(line, byte)
  return to == 'utf-16' and utf16 or utf32
end

local function gloss_of(bufnr)
  return require('gloss.lsp').clients({ bufnr = bufnr })[1]
end

-- The buffer that a server has under this name, or nil.
local function buffer_of(client, uri)
  for bufnr in pairs(client.attached_buffers) do
    if vim.api.nvim_buf_is_loaded(bufnr) and vim.uri_from_bufnr(bufnr) == uri then
      return bufnr
    end
  end
end

---@param client vim.lsp.Client who answered
local function hand_over(client, bufnr, params, result)
  local gloss = gloss_of(bufnr)
  if not gloss then
    return
  end
  local line = vim.api.nvim_buf_get_lines(bufnr, params.position.line,
    params.position.line + 1, false)[1]
  local character = line and convert(line, params.position.character, client.offset_encoding,
    gloss.offset_encoding)
  if not character then
    return
  end
  require('gloss.lsp').call(gloss, 'request', HAND_OVER, {
    -- The version is put in when it is sent: what is still to be told of the text goes first.
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    server = client.name:sub(1, 64),
    hovers = {
      {
        position = { line = params.position.line, character = character },
        contents = result.contents,
      },
    },
  }, function() end, bufnr)
end

-- The callback of a hover, with ours before it; the callback itself if there is nothing to see.
local function observed(client, params, callback)
  local uri = vim.tbl_get(params or {}, 'textDocument', 'uri')
  local bufnr = uri and params.position and buffer_of(client, uri)
  if not bufnr or not callback or not config.get().feed or not gloss_of(bufnr) then
    return callback
  end
  local tick = vim.api.nvim_buf_get_changedtick(bufnr)
  return function(err, result, ...)
    if not err and type(result) == 'table' and result.contents then
      vim.schedule(function()
        if vim.api.nvim_buf_is_loaded(bufnr)
          and vim.api.nvim_buf_get_changedtick(bufnr) == tick then
          hand_over(client, bufnr, params, result)
        end
      end)
    end
    return callback(err, result, ...)
  end
end

--- The connection of gloss itself: it remembers which version of each text was sent.
---@param rpc vim.lsp.rpc.PublicClient
function M.versioned(rpc)
  local versions = {}
  local notify, request = rpc.notify, rpc.request
  rpc.notify = function(method, params, ...)
    local document = type(params) == 'table' and params.textDocument
    if document and document.version then
      versions[document.uri] = document.version
    end
    return notify(method, params, ...)
  end
  rpc.request = function(method, params, ...)
    if method == HAND_OVER then
      params.textDocument.version = versions[params.textDocument.uri]
    end
    return request(method, params, ...)
  end
  return rpc
end

-- ---- which languages other servers serve ----

local function serves_hover(client)
  return client.name ~= 'gloss' and require('gloss.lsp').call(client, 'supports_method', HOVER)
end

--- The language ids that other servers serve hovers for.
---@return string[]
function M.served()
  local found = {}
  for _, client in ipairs(vim.lsp.get_clients()) do
    if serves_hover(client) then
      for bufnr in pairs(client.attached_buffers) do
        if vim.api.nvim_buf_is_loaded(bufnr) then
          found[vim.bo[bufnr].filetype] = true
        end
      end
    end
  end
  local served = vim.tbl_keys(found)
  table.sort(served)
  return served
end

--- Tell each gloss client which has not heard it.
function M.tell_served()
  local lsp = require('gloss.lsp')
  local served = M.served()
  local text = vim.json.encode(served)
  for _, client in ipairs(lsp.clients()) do
    if (told[client.id] or '[]') ~= text then
      told[client.id] = text
      lsp.call(client, 'notify', 'workspace/didChangeConfiguration', {
        settings = { gloss = { servedLanguages = served } },
      })
    end
  end
end

--- A client is attached: look at its answers from now on.
---@param client_id integer
function M.attached(client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  if not client then
    return
  end
  if client.name ~= 'gloss' and not watched[client.rpc] then
    watched[client.rpc] = true
    local request = client.rpc.request
    client.rpc.request = function(method, params, callback, ...)
      if method == HOVER then
        callback = observed(client, params, callback)
      end
      return request(method, params, callback, ...)
    end
  end
  M.tell_served()
end

---@param client_id integer
function M.detached(client_id)
  told[client_id] = nil
  local client = vim.lsp.get_client_by_id(client_id)
  if client and client.name ~= 'gloss' then
    vim.schedule(M.tell_served)
  end
end

return M
