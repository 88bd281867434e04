-- The last `gloss/status` of every client, for statuslines and `:Gloss status`.
local M = {}

---@class gloss.Status
---@field state 'starting'|'indexing'|'enriching'|'ready'|'paused'|'error'
---@field files? integer
---@field entities? integer
---@field hovers? { known: integer, empty: integer, unknown: integer }
---@field message? string

---@type table<integer, gloss.Status>
local by_client = {}

---@param client_id integer
---@param status gloss.Status?
function M.set(client_id, status)
  by_client[client_id] = status
  vim.api.nvim_exec_autocmds('User', { pattern = 'GlossStatus', modeline = false })
  vim.cmd('redrawstatus!')
end

---@param client_id integer
---@return gloss.Status?
function M.of(client_id)
  return by_client[client_id]
end

--- Text for a statusline: empty when no gloss serves the buffer.
---@param bufnr integer? 0 or nil for the current one
---@return string
function M.get(bufnr)
  local client = vim.lsp.get_clients({ name = 'gloss', bufnr = bufnr or 0 })[1]
  if not client then
    return ''
  end
  local status = by_client[client.id]
  if not status then
    return 'gloss'
  end
  local text = 'gloss: ' .. status.state
  if status.entities and status.state ~= 'error' then
    text = ('%s %d'):format(text, status.entities)
  end
  return text
end

return M
