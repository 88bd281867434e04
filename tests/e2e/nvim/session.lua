-- One session of a real Neovim with the plugin: nvim --clean --headless -l session.lua
-- Run by run.sh, which sets:
--   GLOSS_E2E_PLUGIN  the folder nvim/ of the repository
--   GLOSS_E2E_ROOT    a workspace that is indexed already, with src/server.c
--   GLOSS_E2E_ROOT_DIR  the same, when the editor has to be told (a tree without a marker)
--   GLOSS_E2E_TYPE    the type of processCommand there, as its real server prints it
--   GLOSS_E2E_PIDS    a file to write the pids that must be gone afterwards to
-- PATH holds gloss and no language server. Prints test points of TAP and, at the end, the plan.

local root = vim.uv.fs_realpath(assert(vim.env.GLOSS_E2E_ROOT))
local expected_type = assert(vim.env.GLOSS_E2E_TYPE)
local server_c = root .. '/src/server.c'
-- Only a limit: every wait ends with its condition.
local TIMEOUT_MS = 10000

local count = 0
local failed = 0

local function point(ok, name, detail)
  count = count + 1
  if not ok then
    failed = failed + 1
  end
  io.stdout:write(('\n%s %d - %s\n'):format(ok and 'ok' or 'not ok', count, name))
  if not ok and detail ~= nil then
    local text = type(detail) == 'string' and detail or vim.inspect(detail)
    io.stdout:write('# ' .. text:gsub('\n', '\n# ') .. '\n')
  end
  return ok
end

local function wait(condition)
  return vim.wait(TIMEOUT_MS, condition, 10)
end

local function finish()
  io.stdout:write(('\n1..%d\n'):format(count))
  os.exit(failed == 0 and 0 or 1)
end

local notes = {}
vim.notify = function(message)
  notes[#notes + 1] = message
end

local function noted(pattern)
  return #vim.tbl_filter(function(message)
    return message:find(pattern) ~= nil
  end, notes)
end

local function client()
  return vim.lsp.get_clients({ name = 'gloss' })[1]
end

-- The client that has finished to initialize and serves the current buffer.
local function attached()
  return vim.lsp.get_clients({ name = 'gloss', bufnr = 0 })[1]
end

-- Ask until the answer is good or time is over: an index may still be loading.
local function ask(method, params, good)
  local deadline = vim.uv.now() + TIMEOUT_MS
  repeat
    local result, err
    for _, reply in pairs(vim.lsp.buf_request_sync(0, method, params, TIMEOUT_MS) or {}) do
      result, err = reply.result, reply.error or reply.err
    end
    if result and result ~= vim.NIL and good(result) then
      return true
    end
    vim.wait(20)
    vim.uv.update_time()
    if vim.uv.now() > deadline then
      return false, err or result
    end
  until false
end

local function has_symbol(symbols, name)
  for _, symbol in ipairs(symbols) do
    if symbol.name == name or (symbol.children and has_symbol(symbol.children, name)) then
      return true
    end
  end
  return false
end

local function document_symbols(good)
  return ask('textDocument/documentSymbol', {
    textDocument = vim.lsp.util.make_text_document_params(0),
  }, good)
end

local function read(path)
  local file = io.open(path, 'rb')
  if not file then
    return nil
  end
  local text = file:read('*a')
  file:close()
  return text
end

-- Pids of the programs that this Neovim runs and whose command line holds the word `lsp`.
local function bridges()
  local pids = {}
  local pid = vim.uv.os_getpid()
  for task in vim.fs.dir(('/proc/%d/task'):format(pid)) do
    local children = read(('/proc/%d/task/%s/children'):format(pid, task)) or ''
    for child in children:gmatch('%d+') do
      if (read(('/proc/%s/cmdline'):format(child)) or ''):find('%zlsp%z') then
        pids[#pids + 1] = tonumber(child)
      end
    end
  end
  return pids
end

local function alive(pid)
  -- A killed child may still wait for Neovim to collect it.
  local stat = read(('/proc/%d/stat'):format(pid))
  return stat ~= nil and stat:match('^.*%) (%a)') ~= 'Z'
end

local seen_pids = {}
local function remember_pids()
  for _, pid in ipairs(bridges()) do
    seen_pids[pid] = true
  end
  local text = read(vim.env.XDG_RUNTIME_DIR .. '/gloss/engine.json')
  local ok, engine = pcall(vim.json.decode, text or '')
  if ok and type(engine.pid) == 'number' then
    seen_pids[engine.pid] = true
    return engine.pid
  end
end

local function definition_of(name)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:match('^[%a_][%w_%s%*]*()%f[%w_]' .. name .. '%s*%(')
    if column and not line:find(';%s*$') then
      return number, column - 1
    end
  end
end

local function test_missing_program()
  vim.g.gloss = { cmd = { '/nonexistent/gloss', 'lsp' } }
  vim.opt.runtimepath:prepend(vim.env.GLOSS_E2E_PLUGIN)
  vim.cmd('filetype on')
  vim.cmd.runtime('plugin/gloss.lua')
  vim.cmd.edit(vim.fn.fnameescape(server_c))
  wait(function()
    return noted('cannot be run') > 0
  end)
  vim.cmd.edit(vim.fn.fnameescape(root .. '/src/server.h'))
  vim.cmd.buffer('#')
  point(noted('cannot be run') == 1 and not client(),
    'a program that is missing is told once, and nothing starts', notes)
end

local function test_attach()
  vim.g.gloss = {
    root_dir = vim.env.GLOSS_E2E_ROOT_DIR,
    features = { hover = 'on', definition = 'on', documentSymbol = 'on' },
  }
  vim.cmd('Gloss start')
  if not point(wait(attached), 'the client attaches to src/server.c, found on PATH', notes) then
    finish()
  end
  point(attached().config.root_dir == root, 'the workspace is the right folder',
    attached().config.root_dir)
  wait(function()
    return (require('gloss.statusline').get()):find('gloss: ready') ~= nil
  end)
  point((require('gloss.statusline').get()):find('^gloss: ready'),
    'the status becomes ready', require('gloss.statusline').get())
  local pid = remember_pids()
  point(pid and alive(pid), 'engine.json names a living engine', pid)
end

local function test_symbols()
  local ok, last = ask('workspace/symbol', { query = 'processCommand' }, function(symbols)
    for _, symbol in ipairs(symbols) do
      local uri = symbol.location and symbol.location.uri or ''
      if symbol.name == 'processCommand' and vim.endswith(uri, '/src/server.c') then
        return true
      end
    end
  end)
  point(ok, 'workspace/symbol finds processCommand in src/server.c', last)
  point(document_symbols(function(symbols)
    return has_symbol(symbols, 'processCommand')
  end), 'textDocument/documentSymbol has processCommand')
end

local function test_hover()
  local line, column = definition_of('processCommand')
  if not point(line, 'the definition of processCommand is in the buffer') then
    return
  end
  vim.api.nvim_win_set_cursor(0, { line, column })
  local text = ''
  local ok = ask('textDocument/hover', {
    textDocument = vim.lsp.util.make_text_document_params(0),
    position = { line = line - 1, character = column },
  }, function(hover)
    text = table.concat(vim.lsp.util.convert_input_to_markdown_lines(hover.contents), '\n')
    return text:find('processCommand', 1, true) and text:find(expected_type, 1, true)
  end)
  point(vim.fn.executable('clangd') == 0, 'no clangd is on PATH')
  point(ok, 'hover has what clangd said: ' .. expected_type, text)

  vim.cmd('Gloss hover')
  local float
  wait(function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then
        local buffer = vim.api.nvim_win_get_buf(window)
        float = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
        vim.api.nvim_win_close(window, true)
      end
    end
    return float ~= nil
  end)
  point(float and float:find('processCommand', 1, true), ':Gloss hover shows it in a float', float)
end

local function test_unsaved_edit()
  vim.api.nvim_buf_set_lines(0, -1, -1, false,
    { '', 'int unsavedByTheEditor(void)', '{', '    return 1;', '}' })
  point(document_symbols(function(symbols)
    return has_symbol(symbols, 'unsavedByTheEditor') and has_symbol(symbols, 'processCommand')
  end), 'documentSymbol follows an edit that is not saved')
  vim.cmd('undo')
  point(document_symbols(function(symbols)
    return not has_symbol(symbols, 'unsavedByTheEditor')
  end), 'and its undo')
end

-- A second server, inside of this Neovim: it knows a text for everything and counts.
local other = { hovers = 0 }

local function start_other()
  other.id = vim.lsp.start({
    name = 'other',
    root_dir = root,
    cmd = function(dispatchers)
      local closing = false
      return {
        request = function(method, params, callback)
          if method == 'initialize' then
            callback(nil, { capabilities = { hoverProvider = true } })
          elseif method == 'textDocument/hover' then
            other.hovers = other.hovers + 1
            other.at = params.position
            callback(nil, { contents = { kind = 'markdown', value = 'told by the other' } })
          else
            callback(nil, nil)
          end
          return true, 1
        end,
        notify = function(method)
          if method == 'exit' then
            closing = true
            dispatchers.on_exit(0, 0)
          end
          return true
        end,
        is_closing = function()
          return closing
        end,
        terminate = function()
          closing = true
          dispatchers.on_exit(0, 15)
        end,
      }
    end,
  })
  return other.id and wait(function()
    return #vim.lsp.get_clients({ name = 'other', bufnr = 0 }) == 1
  end)
end

local function stop_other()
  for _, one in ipairs(vim.lsp.get_clients({ name = 'other' })) do
    if vim.fn.has('nvim-0.11') == 1 then
      one:stop(true)
    else
      one.stop(true)
    end
  end
  return wait(function()
    return #vim.lsp.get_clients({ name = 'other' }) == 0
  end)
end

-- Waits for the float of a hover and closes it.
local function close_float()
  return wait(function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then
        vim.api.nvim_win_close(window, true)
        return true
      end
    end
  end)
end

-- What the index has, by the program that a user would ask.
local function shown(name)
  return vim.fn.system({ 'gloss', 'show', '--json', '--dir', root, name })
end

-- With `auto`, for where two servers tell of a place Neovim 0.10 opens a float for each, one of them when the
-- other may be closed already.
local function test_feed()
  vim.g.gloss = vim.tbl_extend('force', vim.g.gloss, {
    features = { hover = 'auto', definition = 'on', documentSymbol = 'on' },
  })
  local before = attached().id
  vim.cmd('Gloss restart')
  if not point(wait(function()
    return attached() and attached().id ~= before
  end), 'gloss starts again with hover = auto', notes) then
    return
  end
  vim.api.nvim_buf_set_lines(0, -1, -1, false,
    { '', '/* \u{1F600} */ int toldByTheOther(void)', '{', '    return 1;', '}' })
  if not point(start_other(), 'another server attaches to the buffer') then
    return
  end
  local line = vim.api.nvim_buf_line_count(0) - 3
  local text = vim.api.nvim_buf_get_lines(0, line - 1, line, false)[1]
  vim.api.nvim_win_set_cursor(0, { line, text:find('toldBy', 1, true) - 1 })
  vim.lsp.buf.hover()
  local json
  local ok = wait(function()
    json = shown('toldByTheOther')
    return json:find('told by the other', 1, true) ~= nil
  end)
  close_float()
  point(ok and json:find('other (editor)', 1, true), 'what it answers to a hover is in the index', json)
  point(other.hovers == 1, 'and it was asked by the user alone', other.hovers)

  vim.g.gloss = vim.tbl_extend('force', vim.g.gloss, { feed = false })
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { '', 'int notToldByTheOther;' })
  local last = vim.api.nvim_buf_line_count(0)
  vim.api.nvim_win_set_cursor(0, { last, 6 })
  vim.lsp.buf.hover()
  wait(function()
    return other.hovers == 2
  end)
  wait(function()
    json = shown('notToldByTheOther')
    return json:find('notToldByTheOther', 1, true) ~= nil
  end)
  point(other.hovers == 2 and not json:find('told by the other', 1, true),
    'feed = false hands nothing over', json)
  close_float()
end

-- `auto` is off for what another server serves, and on again when it is gone.
local function test_served()
  local line, column = definition_of('processCommand')
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(0),
    position = { line = line - 1, character = column },
  }
  local function own_hover()
    local result, done
    local function callback(_, answer)
      result, done = answer, true
    end
    if vim.fn.has('nvim-0.11') == 1 then
      attached():request('textDocument/hover', params, callback, 0)
    else
      attached().request('textDocument/hover', params, callback, 0)
    end
    wait(function()
      return done
    end)
    return result
  end
  ask('workspace/symbol', { query = 'processCommand' }, function(symbols)
    return has_symbol(symbols, 'processCommand')
  end)
  local silent = own_hover() == nil
  point(silent, 'hover = auto says nothing beside another server')
  point(stop_other(), 'the other server stops')
  point(wait(function()
    return own_hover() ~= nil
  end), 'and hover = auto answers when that is gone', require('gloss.feed').served())
  vim.cmd('undo')
  vim.cmd('undo')
  vim.g.gloss = vim.tbl_extend('force', vim.g.gloss, { feed = true })
  remember_pids()
end

local function test_health()
  vim.cmd('checkhealth gloss')
  local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  vim.cmd.bwipeout()
  point(report:find('gloss: program') and report:find(root, 1, true)
    and not report:find('ERROR') and not report:find('WARNING'),
    ':checkhealth gloss knows the client and has neither error nor warning', report)
end

local function test_command()
  local output
  point(wait(function()
    output = vim.api.nvim_exec2('Gloss status', { output = true }).output
    return output:find(root .. ': ready', 1, true)
  end), ':Gloss status names the workspace', output)
  point(vim.deep_equal(vim.fn.getcompletion('Gloss sta', 'cmdline'), { 'start', 'status' }),
    ':Gloss completes its verbs', vim.fn.getcompletion('Gloss sta', 'cmdline'))
  vim.cmd('Gloss nonsense')
  point(noted('no verb `nonsense`') == 1, ':Gloss says which verbs there are', notes)
  vim.cmd('Gloss log')
  point(vim.api.nvim_buf_get_name(0):find('lsp%.log$'), ':Gloss log opens the log',
    vim.api.nvim_buf_get_name(0))
  vim.cmd.bwipeout()
end

local function test_doc()
  local text = read(vim.env.GLOSS_E2E_PLUGIN .. '/doc/gloss.txt')
  local tags, wrong = {}, {}
  for tag in text:gmatch('%*([^%s%*|]+)%*') do
    if tags[tag] then
      wrong[#wrong + 1] = 'twice: ' .. tag
    end
    tags[tag] = true
  end
  for link in text:gmatch('|([^%s|]+)|') do
    if link:lower():find('gloss') and not tags[link] then
      wrong[#wrong + 1] = 'no such tag: ' .. link
    end
  end
  for _, verb in ipairs(vim.fn.getcompletion('Gloss ', 'cmdline')) do
    if not tags[':Gloss-' .. verb] then
      wrong[#wrong + 1] = 'not documented: ' .. verb
    end
  end
  point(tags['gloss.txt'] and #wrong == 0, 'the help has every verb, and its links lead somewhere',
    wrong)
end

local function test_restart()
  local before, old = attached().id, bridges()
  vim.cmd('Gloss restart')
  local back = wait(function()
    return attached() and attached().id ~= before
  end)
  point(back and #old == 1 and not alive(old[1]),
    ':Gloss restart brings another client and ends the old program', { old = old })
  point(ask('workspace/symbol', { query = 'processCommand' }, function(symbols)
    return has_symbol(symbols, 'processCommand')
  end), 'and the new one answers')
  remember_pids()

  before, old = attached() and attached().id, bridges()
  if #old == 1 then
    vim.uv.kill(old[1], 'sigkill')
  end
  point(#old == 1 and wait(function()
    return attached() and attached().id ~= before
  end), 'a program that was killed is started again', old)
  remember_pids()
end

local function test_stop()
  vim.cmd('Gloss stop')
  point(wait(function()
    return not client() and #bridges() == 0
  end), ':Gloss stop ends the client and the program')
  vim.cmd('edit!')
  point(not vim.wait(100, client, 10), 'and opening a file does not start it')
  vim.cmd('Gloss start')
  point(wait(attached), 'until :Gloss start', notes)
  remember_pids()
end

local tests = {
  test_missing_program,
  test_attach,
  test_symbols,
  test_hover,
  test_unsaved_edit,
  test_feed,
  test_served,
  test_health,
  test_command,
  test_doc,
  test_restart,
  test_stop,
}
for _, test in ipairs(tests) do
  local ok, err = xpcall(test, debug.traceback)
  if not ok then
    point(false, 'a test function ran to its end', err)
  end
end
local file = assert(io.open(assert(vim.env.GLOSS_E2E_PIDS), 'w'))
for pid in pairs(seen_pids) do
  file:write(pid, '\n')
end
file:close()
finish()
