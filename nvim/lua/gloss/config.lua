-- What the user chose. Read anew at every use, so that vim.g.gloss and setup{} may come
-- before or after the plugin is loaded.
local M = {}

---@class gloss.Config What a user may write in `vim.g.gloss` or pass to `setup{}`.
---@field auto? boolean start by itself when a file of a known language is opened
---@field cmd? string[] the program and its arguments
---@field env? table<string,string> variables added to the environment of the program
---@field filetypes? string[] the filetypes that gloss is started for
---@field root_markers? string[] files and folders that mark a workspace, the first wins
---@field root_dir? string|fun(bufnr: integer): string? the workspace itself, when not by marker
---@field feed? boolean hand over the hovers that other servers answer
---@field features? table<string,'auto'|'on'|'off'> what the server offers to this editor

---@class gloss.FullConfig: gloss.Config
---@field auto boolean
---@field env table<string,string>
---@field filetypes string[]
---@field root_markers string[]
---@field feed boolean
---@field features table<string,string>

---@type gloss.FullConfig
local defaults = {
  auto = true,
  cmd = nil,
  env = {},
  filetypes = {
    'bash', 'c', 'cpp', 'cs', 'cuda', 'dart', 'elixir', 'go', 'haskell', 'hcl', 'java',
    'javascript', 'javascriptreact', 'julia', 'kotlin', 'lua', 'objc', 'objcpp', 'ocaml', 'php',
    'python', 'ruby', 'rust', 'scala', 'sh', 'sql', 'swift', 'terraform', 'terraform-vars',
    'typescript', 'typescriptreact', 'zig', 'zsh',
  },
  root_markers = {
    '.git', '.hg', '.jj', 'compile_commands.json', 'compile_flags.txt', 'package.json',
    'pyproject.toml', 'setup.py', 'tsconfig.json', 'Cargo.toml', 'go.mod', 'pom.xml',
    'build.gradle', 'composer.json', 'Gemfile',
  },
  root_dir = nil,
  feed = true,
  features = { hover = 'auto', definition = 'auto', documentSymbol = 'auto' },
}

local types = {
  auto = { boolean = true },
  cmd = { table = true },
  env = { table = true },
  filetypes = { table = true },
  root_markers = { table = true },
  root_dir = { string = true, ['function'] = true },
  feed = { boolean = true },
  features = { table = true },
}

---@type gloss.Config
local from_setup = {}

---@param options gloss.Config?
function M.set(options)
  from_setup = options or {}
end

---@return gloss.Config
local function from_user()
  local global = vim.g.gloss
  if type(global) ~= 'table' then
    global = {}
  end
  return vim.tbl_extend('force', global, from_setup)
end

--- Everything that is wrong with the configuration, one line each.
---@return string[]
function M.problems()
  local problems = {}
  if vim.g.gloss ~= nil and type(vim.g.gloss) ~= 'table' then
    problems[#problems + 1] = 'vim.g.gloss must be a table, it is a ' .. type(vim.g.gloss)
  end
  for key, value in pairs(from_user()) do
    if not types[key] then
      problems[#problems + 1] = ('unknown option `%s`'):format(key)
    elseif not types[key][type(value)] then
      local wanted = table.concat(vim.tbl_keys(types[key]), ' or ')
      problems[#problems + 1] = ('`%s` must be a %s, it is a %s'):format(
        key, wanted, type(value))
    elseif key == 'features' then
      for feature, mode in pairs(value) do
        if mode ~= 'auto' and mode ~= 'on' and mode ~= 'off' then
          problems[#problems + 1] = ('`features.%s` must be auto, on or off'):format(feature)
        end
      end
    end
  end
  table.sort(problems)
  return problems
end

--- Defaults with the user's choices over them; a choice of the wrong type is left out.
---@return gloss.FullConfig
function M.get()
  local full = vim.deepcopy(defaults)
  for key, value in pairs(from_user()) do
    if types[key] and types[key][type(value)] then
      if key == 'features' then
        full.features = vim.tbl_extend('force', full.features, value)
      else
        full[key] = value
      end
    end
  end
  return full
end

return M
