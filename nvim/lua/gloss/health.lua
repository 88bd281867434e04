-- `:checkhealth gloss`
local M = {}

local VERSION_TIMEOUT_MS = 5000

local function check_neovim()
  vim.health.start('gloss: Neovim')
  local version = vim.version()
  local text = ('Neovim %d.%d.%d'):format(version.major, version.minor, version.patch)
  if vim.fn.has('nvim-0.10') == 1 then
    vim.health.ok(text)
  else
    vim.health.error(text .. ' is too old', 'gloss needs Neovim 0.10 or newer')
  end
end

local function check_config()
  vim.health.start('gloss: configuration')
  local problems = require('gloss.config').problems()
  if #problems == 0 then
    vim.health.ok('no unknown or misused option')
  end
  for _, problem in ipairs(problems) do
    vim.health.warn(problem, ':help gloss-config')
  end
end

-- The same command line with the verb `version` in the place of `lsp`; nil when there is no
-- such word (a wrapper that names it itself).
local function version_command(cmd)
  local version = {}
  for _, word in ipairs(cmd) do
    if word == 'lsp' then
      version[#version + 1] = 'version'
      return version
    end
    version[#version + 1] = word
  end
end

local function check_program()
  vim.health.start('gloss: program')
  local cmd, problem = require('gloss.lsp').command()
  if not cmd then
    vim.health.error(problem)
    return
  end
  local path = vim.fn.exepath(cmd[1])
  local version = version_command(cmd)
  if not version then
    vim.health.info(path .. ' (its version is not known: `cmd` has no word `lsp`)')
    return
  end
  local started, process = pcall(vim.system, version, { text = true })
  if not started then
    vim.health.error(('%s cannot be started: %s'):format(path, process))
    return
  end
  local result = process:wait(VERSION_TIMEOUT_MS)
  if result.code == 0 then
    vim.health.ok(('%s: %s'):format(path, vim.trim(result.stdout)))
  else
    vim.health.error(
      ('`%s` ended with %d'):format(table.concat(version, ' '), result.code),
      vim.trim(result.stderr or ''))
  end
end

local function check_clients()
  vim.health.start('gloss: clients')
  local clients = require('gloss.lsp').clients()
  if #clients == 0 then
    vim.health.info('not running; it starts with a file of a known language in a workspace')
  end
  for _, client in ipairs(clients) do
    local status = require('gloss.statusline').of(client.id)
    local text = ('%s: %s'):format(
      client.config.root_dir or '(no folder)', status and status.state or 'running')
    if status and status.state == 'error' then
      vim.health.error(text, status.message)
    else
      vim.health.ok(text)
    end
    for bufnr in pairs(client.attached_buffers) do
      for _, other in ipairs(vim.lsp.get_clients({ bufnr = bufnr })) do
        if other.offset_encoding ~= client.offset_encoding then
          vim.health.warn(('%s counts in %s, gloss in %s: Neovim warns about the mix'):format(
            other.name, other.offset_encoding, client.offset_encoding))
        end
      end
    end
  end
end

function M.check()
  check_neovim()
  check_config()
  check_program()
  check_clients()
end

return M
