-- The only file that runs at startup: it registers, and loads the rest when it is used.
if vim.g.loaded_gloss then
  return
end
vim.g.loaded_gloss = 1

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('gloss needs Neovim 0.10 or newer', vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command('Gloss', function(args)
  require('gloss').command(args)
end, {
  nargs = 1,
  desc = 'Control gloss, the index of named entities',
  complete = function(lead)
    return require('gloss').complete(lead)
  end,
})

vim.keymap.set('n', '<Plug>(GlossHover)', function()
  require('gloss').hover()
end, { desc = 'Hover from the gloss index' })

local group = vim.api.nvim_create_augroup('gloss', {})
vim.api.nvim_create_autocmd('VimLeavePre', {
  group = group,
  callback = function()
    if package.loaded['gloss.lsp'] then
      require('gloss.lsp').leave()
    end
  end,
})

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(event)
    require('gloss.feed').attached(event.data.client_id)
  end,
})
vim.api.nvim_create_autocmd('LspDetach', {
  group = group,
  callback = function(event)
    require('gloss.feed').detached(event.data.client_id)
  end,
})

-- `auto` is looked at here and not through gloss.config, so that startup loads no module.
if type(vim.g.gloss) == 'table' and vim.g.gloss.auto == false then
  return
end
if vim.fn.has('nvim-0.11') == 1 then
  vim.lsp.enable('gloss')
else
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    callback = function(event)
      require('gloss.lsp').attach(event.buf)
    end,
  })
end
