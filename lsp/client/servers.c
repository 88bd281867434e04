/* The servers that are known without configuration, and the choice of one for a
 * language: first the user's own in their order, then this table in its order, the first
 * whose program is there. Invariant: a program comes from the user's configuration or
 * from PATH, never from a workspace. */
#include "lsp/client/internal.h"

#include "base/fs.h"
#include "base/mem.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

#define TSSERVER_OPTIONS                                                                 \
    "{\"disableAutomaticTypingAcquisition\":true,\"hostInfo\":\"gloss\","                \
    "\"preferences\":{\"maximumHoverLength\":60000}}"

struct row {
    struct client_spec spec;
    const char *install_hint;
};

static const struct row table[] = {
    {{.name = "clangd",
      /* Hovers need one file's AST; an index of the whole tree is ours already. */
      .command = LIST("clangd", "--background-index=false", "--clang-tidy=false",
                      "--header-insertion=never", "--pch-storage=memory", "--log=error"),
      .languages = LIST("c", "cpp", "objc", "cuda"),
      .root_markers = LIST("compile_commands.json", "compile_flags.txt", ".clangd"),
      .quirks = QUIRK_COMPILE_COMMANDS},
     "apt install clangd"},
    {{.name = "pyright",
      .command = LIST("pyright-langserver", "--stdio"),
      .languages = LIST("py"),
      .root_markers = LIST("pyrightconfig.json", "pyproject.toml", "setup.py"),
      .settings = "{\"python\":{\"analysis\":{\"diagnosticMode\":\"openFilesOnly\","
                  "\"useLibraryCodeForTypes\":true}}}"},
     "npm install -g pyright"},
    {{.name = "basedpyright",
      .command = LIST("basedpyright-langserver", "--stdio"),
      .languages = LIST("py"),
      .root_markers = LIST("pyrightconfig.json", "pyproject.toml", "setup.py"),
      .settings =
          "{\"basedpyright\":{\"analysis\":{\"diagnosticMode\":\"openFilesOnly\"}}}"},
     "pip install basedpyright"},
    {{.name = "pylsp",
      .command = LIST("pylsp"),
      .languages = LIST("py"),
      .root_markers = LIST("pyproject.toml", "setup.py")},
     "pip install python-lsp-server"},
    {{.name = "typescript-language-server",
      .command = LIST("typescript-language-server", "--stdio"),
      .languages = LIST("ts", "tsx", "js"),
      .root_markers = LIST("tsconfig.json", "jsconfig.json", "package.json"),
      .initialization_options = TSSERVER_OPTIONS,
      .quirks = QUIRK_LOADING_TEXT},
     "npm install -g typescript-language-server typescript"},
    {{.name = "vtsls",
      .command = LIST("vtsls", "--stdio"),
      .languages = LIST("ts", "tsx", "js"),
      .root_markers = LIST("tsconfig.json", "jsconfig.json", "package.json"),
      .quirks = QUIRK_LOADING_TEXT},
     "npm install -g @vtsls/language-server"},
    {{.name = "tsgo",
      .command = LIST("tsgo", "--lsp", "--stdio"),
      .languages = LIST("ts", "tsx", "js"),
      .root_markers = LIST("tsconfig.json", "jsconfig.json", "package.json")},
     "npm install -g @typescript/native-preview"},
    {{.name = "gopls",
      .command = LIST("gopls"),
      .languages = LIST("go"),
      .root_markers = LIST("go.work", "go.mod")},
     "apt install gopls"},
    {{.name = "rust-analyzer",
      .command = LIST("rust-analyzer"),
      .languages = LIST("rust"),
      .root_markers = LIST("Cargo.toml"),
      .initialization_options =
          "{\"cachePriming\":{\"enable\":false},\"checkOnSave\":false}",
      .settings = "{\"rust-analyzer\":{\"cachePriming\":{\"enable\":false},"
                  "\"checkOnSave\":false}}",
      .quirks = QUIRK_SERVER_STATUS},
     "rustup component add rust-analyzer"},
    {{.name = "bash-language-server",
      .command = LIST("bash-language-server", "start"),
      .languages = LIST("sh")},
     "npm install -g bash-language-server"},
    {{.name = "vscode-css-language-server",
      .command = LIST("vscode-css-language-server", "--stdio"),
      .languages = LIST("css", "scss", "less")},
     "npm install -g vscode-langservers-extracted"},
    {{.name = "vscode-html-language-server",
      .command = LIST("vscode-html-language-server", "--stdio"),
      .languages = LIST("html")},
     "npm install -g vscode-langservers-extracted"},
    {{.name = "vscode-json-language-server",
      .command = LIST("vscode-json-language-server", "--stdio"),
      .languages = LIST("json")},
     "npm install -g vscode-langservers-extracted"},
    {{.name = "yaml-language-server",
      .command = LIST("yaml-language-server", "--stdio"),
      .languages = LIST("yaml")},
     "npm install -g yaml-language-server"},
    {{.name = "intelephense",
      .command = LIST("intelephense", "--stdio"),
      .languages = LIST("php"),
      .root_markers = LIST("composer.json")},
     "npm install -g intelephense"},
    {{.name = "lua-language-server",
      .command = LIST("lua-language-server"),
      .languages = LIST("lua"),
      .root_markers = LIST(".luarc.json", ".luarc.jsonc")},
     "brew install lua-language-server"},
    {{.name = "ruby-lsp",
      .command = LIST("ruby-lsp"),
      .languages = LIST("rb"),
      .root_markers = LIST("Gemfile")},
     "gem install ruby-lsp"},
    {{.name = "solargraph",
      .command = LIST("solargraph", "stdio"),
      .languages = LIST("rb"),
      .root_markers = LIST("Gemfile")},
     "gem install solargraph"},
    {{.name = "jdtls",
      .command = LIST("jdtls"),
      .languages = LIST("java"),
      .root_markers = LIST("pom.xml", "build.gradle", "build.gradle.kts")},
     "brew install jdtls"},
    {{.name = "zls",
      .command = LIST("zls"),
      .languages = LIST("zig"),
      .root_markers = LIST("build.zig")},
     "brew install zls"},
    {{.name = "fortls",
      .command = LIST("fortls"),
      .languages = LIST("f90"),
      .root_markers = LIST(".fortls")},
     "pip install fortls"},
    {{.name = "vim-language-server",
      .command = LIST("vim-language-server", "--stdio"),
      .languages = LIST("vim")},
     "npm install -g vim-language-server"},
};

const struct client_spec *
client_spec_at(size_t index, const char **ret_install_hint)
{
    if (index >= ARRAY_LEN(table))
        return NULL;
    *ret_install_hint = table[index].install_hint;
    return &table[index].spec;
}

static const struct client_spec *
find_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].spec.name, name) == 0)
            return &table[i].spec;
    }
    return NULL;
}

static bool
is_configured(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_servers; i++) {
        if (strcmp(config->servers[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool
speaks(const struct client_spec *spec, struct str lang)
{
    for (const char *const *l = spec->languages; l && *l; l++) {
        if (str_eq_c(lang, *l))
            return true;
    }
    return false;
}

/* What the user said over what the table says. */
static struct client_spec
merged(const struct config_server *server)
{
    struct client_spec spec = {0};
    const struct client_spec *known = find_known(server->name);
    if (known)
        spec = *known;
    spec.name = server->name;
    if (server->command)
        spec.command = server->command;
    if (server->languages)
        spec.languages = server->languages;
    if (server->root_markers)
        spec.root_markers = server->root_markers;
    if (server->settings)
        spec.settings = server->settings;
    if (server->initialization_options)
        spec.initialization_options = server->initialization_options;
    return spec;
}

static char *
find_program(const char *name)
{
    if (name[0] == '/')
        return fs_exists(name) ? xstrdup(name) : NULL;
    return fs_find_program(name, NULL);
}

static bool
take(const struct client_spec *spec, struct str lang, struct client_spec *ret_spec,
     char **ret_program)
{
    if (!spec->command || !speaks(spec, lang))
        return false;
    char *program = find_program(spec->command[0]);
    if (!program)
        return false;
    *ret_spec = *spec;
    *ret_program = program;
    return true;
}

bool
client_spec_for(const struct config *config, struct str lang,
                struct client_spec *ret_spec, char **ret_program)
{
    if (!config->trusted || !config->enrich_enabled)
        return false;
    for (size_t i = 0; i < config->n_servers; i++) {
        struct client_spec spec = merged(&config->servers[i]);
        if (config->servers[i].enabled && take(&spec, lang, ret_spec, ret_program))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (!is_configured(config, table[i].spec.name) &&
            take(&table[i].spec, lang, ret_spec, ret_program))
            return true;
    }
    return false;
}
