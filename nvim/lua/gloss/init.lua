-- The public face: `:Gloss {verb}` and the functions behind it.
local M = {}

local function say(message, level)
  vim.notify('gloss: ' .. message, level or vim.log.levels.INFO)
end

--- Optional: the same table may be given as `vim.g.gloss`.
---@param options gloss.Config?
function M.setup(options)
  require('gloss.config').set(options)
  if options and options.auto == false and vim.fn.has('nvim-0.11') == 1 then
    vim.lsp.enable('gloss', false)
  end
end

function M.start()
  require('gloss.lsp').start()
end

function M.stop()
  require('gloss.lsp').stop()
end

function M.restart()
  require('gloss.lsp').restart()
end

--- One line for each client: its workspace and what it last said of itself.
function M.status()
  local lsp = require('gloss.lsp')
  local statusline = require('gloss.statusline')
  local cmd, problem = lsp.command()
  local lines = { 'gloss: ' .. (cmd and table.concat(cmd, ' ') or problem) }
  local clients = lsp.clients()
  if #clients == 0 then
    lines[#lines + 1] = '  not running'
  end
  for _, client in ipairs(clients) do
    local status = statusline.of(client.id)
    local line = ('  %s: %s'):format(
      client.config.root_dir or '(no folder)', status and status.state or 'running')
    if status and status.entities then
      line = ('%s, %d files, %d entities'):format(line, status.files or 0, status.entities)
    end
    if status and status.hovers then
      line = ('%s, hovers %d known, %d empty, %d unknown'):format(
        line, status.hovers.known, status.hovers.empty, status.hovers.unknown)
    end
    if status and status.message and status.message ~= '' then
      line = line .. ': ' .. status.message
    end
    lines[#lines + 1] = line
  end
  vim.api.nvim_echo({ { table.concat(lines, '\n') } }, false, {})
end

--- What the index knows of the name under the cursor, whatever other servers say.
function M.hover()
  local sent = require('gloss.lsp').request('textDocument/hover', function(client)
    return vim.lsp.util.make_position_params(0, client.offset_encoding)
  end, function(err, result)
    if err then
      return say(err.message or 'the hover failed', vim.log.levels.WARN)
    end
    if not result or not result.contents then
      return say('nothing is known here')
    end
    local lines = vim.lsp.util.convert_input_to_markdown_lines(result.contents)
    vim.lsp.util.open_floating_preview(lines, 'markdown', { focus_id = 'gloss.hover' })
  end)
  if not sent then
    say('not running for this file; see :Gloss status', vim.log.levels.WARN)
  end
end

--- Open Neovim's LSP log, where the stderr of the program goes.
function M.log()
  vim.cmd.tabedit(vim.fn.fnameescape(require('vim.lsp.log').get_filename()))
end

local verbs = { 'hover', 'log', 'restart', 'start', 'status', 'stop' }

---@param lead string
---@return string[]
function M.complete(lead)
  return vim.tbl_filter(function(verb)
    return vim.startswith(verb, lead)
  end, verbs)
end

---@param args { args: string }
function M.command(args)
  local verb = vim.trim(args.args)
  if not vim.tbl_contains(verbs, verb) then
    return say(('no verb `%s`; there are: %s'):format(verb, table.concat(verbs, ', ')),
      vim.log.levels.ERROR)
  end
  M[verb]()
end

return M
