std = "luajit"
read_globals = { "vim" }
max_line_length = 100
-- Options are set by assigning to fields of these.
globals = { "vim.g", "vim.b", "vim.bo", "vim.wo", "vim.opt", "vim.env", "vim.notify" }
