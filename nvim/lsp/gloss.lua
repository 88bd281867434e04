-- Read by Neovim 0.11 and newer for `vim.lsp.enable('gloss')`.
return require('gloss.lsp').config()
