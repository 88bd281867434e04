/* The servers that are known without configuration, in the order of choice within a
 * language. Settings turn off what costs much and tells a hover nothing: checks, indexes
 * of the whole tree, downloads; and, where a server has a switch for it, programs that
 * the workspace would name (build scripts, its own copy of a tool). */
#include "lsp/client/choice.h"

#include "codec/codec.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

#define TSSERVER_OPTIONS                                                                 \
    "{\"disableAutomaticTypingAcquisition\":true,\"hostInfo\":\"gloss\","                \
    "\"preferences\":{\"maximumHoverLength\":60000}}"
#define VTSLS_SETTINGS                                                                   \
    "{\"vtsls\":{\"autoUseWorkspaceTsdk\":false},"                                       \
    "\"typescript\":{\"disableAutomaticTypeAcquisition\":true}}"
/* Build scripts and procedural macros are the workspace's programs. */
#define RUST_ANALYZER                                                                    \
    "{\"cachePriming\":{\"enable\":false},\"checkOnSave\":false,"                        \
    "\"cargo\":{\"buildScripts\":{\"enable\":false}},\"procMacro\":{\"enable\":false}}"
/* Only files: a schema that the workspace names is not fetched from the network. */
#define JSON_OPTIONS "{\"handledSchemaProtocols\":[\"file\"],\"provideFormatter\":false}"
#define YAML_SETTINGS                                                                    \
    "{\"yaml\":{\"schemaStore\":{\"enable\":false},\"validate\":false},"                 \
    "\"redhat\":{\"telemetry\":{\"enabled\":false}}}"
#define JDTLS_SETTINGS                                                                   \
    "{\"java\":{\"import\":{\"gradle\":{\"wrapper\":{\"enabled\":false}}},"              \
    "\"autobuild\":{\"enabled\":false},\"telemetry\":{\"enabled\":false}}}"
#define PYLSP_SETTINGS                                                                   \
    "{\"pylsp\":{\"plugins\":{\"pycodestyle\":{\"enabled\":false},"                      \
    "\"pyflakes\":{\"enabled\":false},\"mccabe\":{\"enabled\":false},"                   \
    "\"pylint\":{\"enabled\":false},\"flake8\":{\"enabled\":false}}}}"

struct row {
    struct client_spec spec;
    const char *install_hint;
};

static const struct row table[] = {
    {{.name = "clangd",
      /* Hovers need one file's AST; an index of the whole tree is ours already. */
      .command = LIST("clangd", "--background-index=false", "--clang-tidy=false",
                      "--header-insertion=never", "--pch-storage=memory", "--log=error"),
      .languages = LIST("c", "cpp", "objc"),
      .root_markers = LIST("compile_commands.json", "compile_flags.txt"),
      .quirks = QUIRK_COMPILE_COMMANDS},
     "apt install clangd"},
    {{.name = "pyright",
      /* Imports of a project are told from its own folder */
      .command = LIST("pyright-langserver", "--stdio"),
      .languages = LIST("py"),
      .root_markers =
          LIST("pyrightconfig.json", "pyproject.toml", "setup.py", "setup.cfg"),
      .settings = "{\"python\":{\"analysis\":{\"diagnosticMode\":\"openFilesOnly\","
                  "\"useLibraryCodeForTypes\":true}}}"},
     "npm install -g pyright"},
    {{.name = "basedpyright",
      .command = LIST("basedpyright-langserver", "--stdio"),
      .languages = LIST("py"),
      .root_markers =
          LIST("pyrightconfig.json", "pyproject.toml", "setup.py", "setup.cfg"),
      .settings =
          "{\"basedpyright\":{\"analysis\":{\"diagnosticMode\":\"openFilesOnly\"}}}"},
     "pip install basedpyright"},
    {{.name = "pylsp",
      .command = LIST("pylsp"),
      .languages = LIST("py"),
      .root_markers = LIST("pyproject.toml", "setup.py", "setup.cfg"),
      .settings = PYLSP_SETTINGS},
     "apt install python3-pylsp"},
    {{.name = "typescript-language-server",
      /* One for the whole workspace: it finds the tsconfig.json of each file itself */
      .command = LIST("typescript-language-server", "--stdio"),
      .languages = LIST("ts", "tsx", "js"),
      .initialization_options = TSSERVER_OPTIONS,
      .quirks = QUIRK_LOADING_TEXT | QUIRK_OWN_TSSERVER},
     "npm install -g typescript-language-server typescript"},
    {{.name = "vtsls",
      .command = LIST("vtsls", "--stdio"),
      .languages = LIST("ts", "tsx", "js"),
      .settings = VTSLS_SETTINGS,
      .quirks = QUIRK_LOADING_TEXT},
     "npm install -g @vtsls/language-server"},
    {{.name = "tsgo",
      .command = LIST("tsgo", "--lsp", "--stdio"),
      .languages = LIST("ts", "tsx", "js")},
     "npm install -g @typescript/native-preview"},
    {{.name = "gopls",
      /* A go.work holds the modules below it together */
      .command = LIST("gopls"),
      .languages = LIST("go"),
      .root_markers = LIST("go.work", "go.mod"),
      .root_rule = CLIENT_ROOT_FIRST_MARKER},
     "apt install gopls"},
    {{.name = "rust-analyzer",
      /* As cargo does: the nearest manifest of a workspace, else the crate's own */
      .command = LIST("rust-analyzer"),
      .languages = LIST("rust"),
      .root_markers = LIST("Cargo.toml [workspace", "Cargo.toml"),
      .root_rule = CLIENT_ROOT_FIRST_MARKER,
      .settings = "{\"rust-analyzer\":" RUST_ANALYZER "}",
      .initialization_options = RUST_ANALYZER,
      .quirks = QUIRK_SERVER_STATUS},
     "apt install rust-web-analyzer cargo-web rustc-web rust-web-src (or: rustup "
     "component add rust-analyzer rust-src)"},
    {{.name = "bash-language-server",
      .command = LIST("bash-language-server", "start"),
      .languages = LIST("sh"),
      .settings =
          "{\"bashIde\":{\"shellcheckPath\":\"\",\"backgroundAnalysisMaxFiles\":0}}"},
     "npm install -g bash-language-server"},
    {{.name = "vscode-css-language-server",
      .command = LIST("vscode-css-language-server", "--stdio"),
      .languages = LIST("css")},
     "npm install -g vscode-langservers-extracted"},
    {{.name = "vscode-html-language-server",
      .command = LIST("vscode-html-language-server", "--stdio"),
      .languages = LIST("html")},
     "npm install -g vscode-langservers-extracted"},
    {{.name = "vscode-json-language-server",
      .command = LIST("vscode-json-language-server", "--stdio"),
      .languages = LIST("json"),
      .initialization_options = JSON_OPTIONS},
     "npm install -g vscode-langservers-extracted"},
    {{.name = "yaml-language-server",
      .command = LIST("yaml-language-server", "--stdio"),
      .languages = LIST("yaml"),
      .settings = YAML_SETTINGS},
     "npm install -g yaml-language-server"},
    {{.name = "taplo",
      .command = LIST("taplo", "lsp", "stdio"),
      .languages = LIST("toml")},
     "cargo install taplo-cli --locked --features lsp"},
    {{.name = "marksman",
      .command = LIST("marksman", "server"),
      .languages = LIST("md"),
      .root_markers = LIST(".marksman.toml")},
     "brew install marksman"},
    {{.name = "intelephense",
      .command = LIST("intelephense", "--stdio"),
      .languages = LIST("php"),
      .root_markers = LIST("composer.json"),
      .settings = "{\"intelephense\":{\"telemetry\":{\"enabled\":false}}}"},
     "npm install -g intelephense"},
    {{.name = "phpactor",
      .command = LIST("phpactor", "language-server"),
      .languages = LIST("php"),
      .root_markers = LIST("composer.json")},
     "brew install phpactor"},
    {{.name = "lua-language-server",
      .command = LIST("lua-language-server"),
      .languages = LIST("lua"),
      .root_markers = LIST(".luarc.json", ".luarc.jsonc"),
      .settings = "{\"Lua\":{\"telemetry\":{\"enable\":false},\"workspace\":{"
                  "\"checkThirdParty\":false}}}"},
     "brew install lua-language-server"},
    {{.name = "ruby-lsp",
      .command = LIST("ruby-lsp"),
      .languages = LIST("rb"),
      .root_markers = LIST("Gemfile")},
     "gem install ruby-lsp"},
    {{.name = "solargraph",
      .command = LIST("solargraph", "stdio"),
      .languages = LIST("rb"),
      .root_markers = LIST("Gemfile"),
      .settings = "{\"solargraph\":{\"diagnostics\":false,\"checkGemVersion\":false}}"},
     "gem install solargraph"},
    {{.name = "jdtls",
      /* The modules of a build are below its outermost file */
      .command = LIST("jdtls"),
      .languages = LIST("java"),
      .root_markers = LIST("settings.gradle", "settings.gradle.kts", "pom.xml",
                           "build.gradle", "build.gradle.kts"),
      .root_rule = CLIENT_ROOT_OUTERMOST,
      .settings = JDTLS_SETTINGS},
     "brew install jdtls"},
    {{.name = "kotlin-language-server",
      .command = LIST("kotlin-language-server"),
      .languages = LIST("kt"),
      .root_markers = LIST("settings.gradle.kts", "settings.gradle", "pom.xml",
                           "build.gradle.kts", "build.gradle"),
      .root_rule = CLIENT_ROOT_OUTERMOST},
     "brew install kotlin-language-server"},
    {{.name = "metals",
      .command = LIST("metals"),
      .languages = LIST("scala"),
      .root_markers = LIST("build.sbt", "build.sc", "build.mill", "pom.xml"),
      .root_rule = CLIENT_ROOT_OUTERMOST},
     "coursier install metals"},
    {{.name = "csharp-ls",
      .command = LIST("csharp-ls"),
      .languages = LIST("cs"),
      .root_markers = LIST("*.sln", "*.slnx", "*.csproj"),
      .root_rule = CLIENT_ROOT_FIRST_MARKER},
     "dotnet tool install --global csharp-ls"},
    {{.name = "omnisharp",
      .command = LIST("OmniSharp", "--languageserver"),
      .languages = LIST("cs"),
      .root_markers = LIST("*.sln", "*.csproj"),
      .root_rule = CLIENT_ROOT_FIRST_MARKER},
     "brew install omnisharp"},
    {{.name = "haskell-language-server",
      .command = LIST("haskell-language-server-wrapper", "--lsp"),
      .languages = LIST("hs"),
      .root_markers =
          LIST("hie.yaml", "cabal.project", "stack.yaml", "*.cabal", "package.yaml"),
      .root_rule = CLIENT_ROOT_FIRST_MARKER,
      .settings =
          "{\"haskell\":{\"checkParents\":\"NeverCheck\",\"checkProject\":false}}"},
     "ghcup install hls"},
    {{.name = "ocamllsp",
      .command = LIST("ocamllsp"),
      .languages = LIST("ml", "mli"),
      .root_markers = LIST("dune-workspace", "dune-project"),
      .root_rule = CLIENT_ROOT_OUTERMOST},
     "opam install ocaml-lsp-server"},
    {{.name = "sourcekit-lsp",
      .command = LIST("sourcekit-lsp"),
      .languages = LIST("swift"),
      .root_markers = LIST("Package.swift")},
     "swiftly install latest"},
    {{.name = "dart",
      .command = LIST("dart", "language-server", "--protocol=lsp"),
      .languages = LIST("dart"),
      .root_markers = LIST("pubspec.yaml"),
      .root_rule = CLIENT_ROOT_OUTERMOST},
     "apt install dart (from the repository of dart.dev)"},
    {{.name = "elixir-ls",
      /* Apps of an umbrella belong to it */
      .command = LIST("elixir-ls"),
      .languages = LIST("ex"),
      .root_markers = LIST("mix.exs"),
      .root_rule = CLIENT_ROOT_OUTERMOST,
      .settings = "{\"elixirLS\":{\"autoBuild\":false,\"dialyzerEnabled\":false,"
                  "\"fetchDeps\":false}}"},
     "brew install elixir-ls"},
    {{.name = "julia-language-server",
      .command = LIST("julia", "--startup-file=no", "--history-file=no", "-e",
                      "using LanguageServer; runserver()"),
      .languages = LIST("jl"),
      .root_markers = LIST("Project.toml", "JuliaProject.toml")},
     "julia -e 'import Pkg; Pkg.add(\"LanguageServer\")'"},
    {{.name = "terraform-ls",
      .command = LIST("terraform-ls", "serve"),
      .languages = LIST("tf"),
      .root_markers = LIST(".terraform.lock.hcl")},
     "brew install hashicorp/tap/terraform-ls"},
    {{.name = "sqls", .command = LIST("sqls"), .languages = LIST("sql")},
     "go install github.com/sqls-server/sqls@latest"},
    {{.name = "zls",
      .command = LIST("zls"),
      .languages = LIST("zig"),
      .root_markers = LIST("build.zig")},
     "brew install zls"},
    {{.name = "fortls",
      .command = LIST("fortls"),
      .languages = LIST("f90"),
      .root_markers = LIST(".fortls", ".fortlsrc")},
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

const char *
client_spec_hint(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].spec.name, name) == 0)
            return table[i].install_hint;
    }
    return NULL;
}

const struct client_spec *
client_spec_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].spec.name, name) == 0)
            return &table[i].spec;
    }
    return NULL;
}

/* The user's own over the table's, member by member. */
static json_t *
over(const char *known, const char *own)
{
    json_t *all = known ? json_loads(known, 0, NULL) : NULL;
    AUTO(json_decref_)
    json_t *more = own && own != known ? json_loads(own, 0, NULL) : NULL;
    if (!all)
        return steal(more);
    if (more)
        json_object_update_recursive(all, more);
    return all;
}

json_t *
client_spec_settings(const struct client_spec *spec)
{
    const struct client_spec *known = client_spec_known(spec->name);
    return over(known ? known->settings : NULL, spec->settings);
}

json_t *
client_spec_options(const struct client_spec *spec)
{
    const struct client_spec *known = client_spec_known(spec->name);
    return over(known ? known->initialization_options : NULL,
                spec->initialization_options);
}
