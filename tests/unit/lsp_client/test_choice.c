/* Which server, which program, which folder: part of test_lsp_client.c, which includes it. */

static void
write_at(const char *dir, const char *name, const char *text)
{
    AUTO(free) char *path = path_join(dir, name);
    AUTO(free) char *folder = str_dup(path_dirname(str_of(path)));
    assert_int_equal(fs_mkdir_p(folder, 0700), 0);
    assert_int_equal(fs_write_atomic(path, str_of(text), 0700), 0);
}

static void
test_choice_of_server(void **state)
{
    (void)state;
    AUTO(free) char *path = xstrdup(getenv("PATH"));
    struct fake_ls fake;
    fake_ls_init(&fake, "{}");
    const char *const own[] = {fake_ls_env("TEST_FAKE_LS"), "x", NULL};
    const char *const missing[] = {"/nowhere/else", NULL};
    const char *const languages[] = {"c", "zz", NULL};
    struct config_server servers[] = {
        {.name = "gone", .command = missing, .languages = languages, .enabled = true},
        {.name = "off", .command = own, .languages = languages},
        {.name = "mine",
         .command = own,
         .languages = languages,
         .settings = "{}",
         .enabled = true},
        {.name = "pyright", .command = own, .enabled = true}, // languages of the table
        {.name = "gopls", .enabled = true}, // only tuned, and not installed
    };
    struct config config = {
        .trusted = true, .enrich_enabled = true, .servers = servers, .n_servers = 5};
    struct client_spec spec;
    char *program = NULL;
    setenv("PATH", fake.dir, 1);

    assert_true(client_spec_for(&config, NULL, STR("c"), &spec, &program));
    assert_string_equal(spec.name, "mine");
    assert_string_equal(program, own[0]);
    assert_string_equal(spec.settings, "{}");
    free(program);
    assert_true(client_spec_for(&config, NULL, STR("zz"), &spec, &program));
    free(program);
    assert_true(client_spec_for(&config, NULL, STR("py"), &spec, &program));
    assert_string_equal(spec.name, "pyright");
    assert_non_null(strstr(spec.settings, "openFilesOnly"));
    free(program);
    assert_false(client_spec_for(&config, NULL, STR("go"), &spec, &program));
    servers[4].command = own;
    assert_true(client_spec_for(&config, NULL, STR("go"), &spec, &program));
    assert_int_equal(spec.root_rule, CLIENT_ROOT_FIRST_MARKER);
    free(program);
    servers[4].root_markers = languages;
    assert_true(client_spec_for(&config, NULL, STR("go"), &spec, &program));
    assert_int_equal(spec.root_rule, CLIENT_ROOT_NEAREST); // of markers of his own
    free(program);
    assert_false(client_spec_for(&config, NULL, STR("cobol"), &spec, &program));
    config.trusted = false;
    assert_false(client_spec_for(&config, NULL, STR("c"), &spec, &program));
    config.trusted = true;
    config.enrich_enabled = false;
    assert_false(client_spec_for(&config, NULL, STR("c"), &spec, &program));

    config.enrich_enabled = true;
    config.n_servers = 0;
    assert_false(client_spec_for(&config, NULL, STR("sh"), &spec, &program));
    fake_ls_write(&fake, "bash-language-server", "");
    AUTO(free) char *installed = path_join(fake.dir, "bash-language-server");
    assert_int_equal(chmod(installed, 0700), 0);
    assert_true(client_spec_for(&config, NULL, STR("sh"), &spec, &program));
    assert_string_equal(spec.command[1], "start");
    assert_string_equal(program, installed);
    free(program);
    struct config_server off = {.name = "bash-language-server"};
    config.servers = &off;
    config.n_servers = 1;
    assert_false(client_spec_for(&config, NULL, STR("sh"), &spec, &program));
    setenv("PATH", path, 1);
    fake_ls_finish(&fake);
}

static char *
read_source(const char *name)
{
    AUTO(free) char *path = path_join(fake_ls_env("TEST_SOURCE_ROOT"), name);
    struct buf text = {0};
    assert_int_equal(fs_read_file(path, 1 << 20, &text, NULL), 0);
    return buf_steal(&text);
}

/* Its languages are those of the index, but for two that it will have. */
static void
assert_languages(const struct client_spec *spec, const char *languages)
{
    assert_non_null(spec->languages[0]);
    for (const char *const *l = spec->languages; *l; l++) {
        AUTO(free) char *row = xasprintf("\"key_prefix\": \"%s\"", *l);
        if (strcmp(*l, "f90") != 0 && strcmp(*l, "vim") != 0)
            assert_non_null(strstr(languages, row));
    }
}

static void
test_table(void **state)
{
    (void)state;
    static const char *const promised[] = {"clangd",
                                           "pyright",
                                           "basedpyright",
                                           "pylsp",
                                           "typescript-language-server",
                                           "vtsls",
                                           "tsgo",
                                           "gopls",
                                           "rust-analyzer",
                                           "bash-language-server",
                                           "vscode-css-language-server",
                                           "vscode-html-language-server",
                                           "vscode-json-language-server",
                                           "yaml-language-server",
                                           "intelephense",
                                           "lua-language-server",
                                           "ruby-lsp",
                                           "solargraph",
                                           "jdtls",
                                           "zls",
                                           "fortls",
                                           "vim-language-server"};
    AUTO(map_destroy) struct map *names = map_create();
    AUTO(free) char *docs = read_source("docs/SERVERS.md");
    AUTO(free) char *languages = read_source("grammars/languages.json");
    const char *hint;
    const struct client_spec *spec;
    for (size_t n = 0; (spec = client_spec_at(n, &hint)); n++) {
        assert_null(map_put(names, str_of(spec->name), names));
        assert_non_null(spec->command[0]);
        assert_null(strchr(spec->command[0], '/'));
        assert_languages(spec, languages);
        AUTO(free) char *documented = xasprintf("| %s |", spec->name);
        assert_non_null(strstr(docs, documented));
        assert_non_null(strstr(docs, hint));
        const char *const texts[] = {spec->settings, spec->initialization_options};
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            json_t *value = texts[i] ? json_loads(texts[i], 0, NULL) : json_object();
            assert_true(json_is_object(value));
            json_decref(value);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(promised); i++)
        assert_non_null(map_get(names, str_of(promised[i])));
}

/* ---- a workspace's programs ---- */

struct house {
    struct fake_ls fake;
    char *path, *home; // of the environment, as they were
    char *workspace, *bin;
    struct config config;
};

static void
house_init(struct house *h)
{
    *h = (struct house){.config = {.trusted = true, .enrich_enabled = true}};
    fake_ls_init(&h->fake, "{'lives':[{}]}");
    h->path = xstrdup(getenv("PATH"));
    h->home = xstrdup(getenv("HOME"));
    AUTO(free) char *workspace = path_join(h->fake.dir, "work");
    assert_int_equal(fs_mkdir_p(workspace, 0700), 0);
    assert_int_equal(fs_real_path(workspace, &h->workspace), 0);
    h->bin = path_join(h->fake.dir, "bin");
    assert_int_equal(fs_mkdir_p(h->bin, 0700), 0);
    setenv("HOME", h->bin, 1);
}

static void
house_finish(struct house *h)
{
    setenv("PATH", h->path, 1);
    setenv("HOME", h->home ? h->home : "/", 1);
    free(h->path);
    free(h->home);
    free(h->workspace);
    free(h->bin);
    fake_ls_finish(&h->fake);
}

static void
set_path(const struct house *h, const char *first)
{
    AUTO(free) char *path = xasprintf("%s:%s", first, h->bin);
    setenv("PATH", path, 1);
}

/* The program that serves `lang` in the workspace; heap or NULL. */
static char *
program_for(const struct house *h, const char *lang)
{
    struct client_spec spec;
    char *program = NULL;
    return client_spec_for(&h->config, h->workspace, str_of(lang), &spec, &program)
               ? program
               : NULL;
}

static void
test_programs_of_a_workspace(void **state)
{
    (void)state;
    struct house h;
    house_init(&h);
    AUTO(free) char *old_cwd = getcwd(NULL, 0);
    AUTO(free) char *modules = path_join(h.workspace, "node_modules/.bin");
    AUTO(free) char *link = path_join(h.fake.dir, "link");
    write_at(modules, "gopls", "#!/bin/sh\n");
    write_at(h.workspace, "gopls", "#!/bin/sh\n");
    write_at(h.workspace, ".gloss.json",
             "{\"servers\":[{\"name\":\"gopls\",\"command\":[\"gopls\"]}]}");
    write_at(h.workspace, ".vscode/settings.json",
             "{\"go.alternateTools\":{\"gopls\":\"./gopls\"}}");
    assert_int_equal(symlink(modules, link), 0);
    assert_int_equal(chdir(h.workspace), 0);
    const char *const firsts[] = {".",     "",  "node_modules/.bin", "./", h.workspace,
                                  modules, link};
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        set_path(&h, firsts[i]);
        assert_null(program_for(&h, "go"));
    }
    /* of another workspace they are just programs on PATH, but for the relative ones */
    struct client_spec spec;
    char *program = NULL;
    set_path(&h, modules);
    assert_true(client_spec_for(&h.config, h.bin, STR("go"), &spec, &program));
    free(steal(program));
    set_path(&h, ".");
    assert_false(client_spec_for(&h.config, NULL, STR("go"), &spec, &program));
    /* the user's own is found behind it */
    write_at(h.bin, "gopls", "#!/bin/sh\n");
    AUTO(free) char *own = path_join(h.bin, "gopls");
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        set_path(&h, firsts[i]);
        AUTO(free) char *found = program_for(&h, "go");
        assert_string_equal(found, own);
    }
    /* who opens his home keeps the programs in it */
    setenv("HOME", h.workspace, 1);
    set_path(&h, modules);
    AUTO(free) char *at_home = program_for(&h, "go");
    AUTO(free) char *of_home = path_join(modules, "gopls");
    assert_string_equal(at_home, of_home);
    /* what the user's configuration names by its place is his to name */
    AUTO(free) char *named = path_join(h.workspace, "gopls");
    const char *const command[] = {named, NULL};
    struct config_server server = {.name = "gopls", .command = command, .enabled = true};
    h.config.servers = &server;
    h.config.n_servers = 1;
    setenv("HOME", h.bin, 1);
    AUTO(free) char *by_place = program_for(&h, "go");
    assert_string_equal(by_place, named);
    assert_int_equal(chdir(old_cwd), 0);
    house_finish(&h);
}

/* A server starts programs by name, too. */
static void
test_path_that_servers_see(void **state)
{
    (void)state;
    struct fixture f;
    struct house h;
    house_init(&h);
    AUTO(free) char *bin_of_workspace = path_join(h.workspace, "bin");
    AUTO(free) char *root = path_join(h.workspace, "part");
    AUTO(free) char *program = path_join(h.bin, "server");
    AUTO(free) char *seen = path_join(h.fake.dir, "seen");
    assert_int_equal(fs_mkdir_p(bin_of_workspace, 0700), 0);
    assert_int_equal(fs_mkdir_p(root, 0700), 0);
    AUTO(free)
    char *script = xasprintf(
        "#!/bin/sh\necho \"$PATH\" >'%s.new'\n/bin/mv '%s.new' '%s'\n", seen, seen, seen);
    write_at(h.bin, "server", script);
    AUTO(free) char *first = xasprintf(".::rel:%s:%s", bin_of_workspace, root);
    set_path(&h, first);

    open_client(&f, "{}", 5000);
    client_close(f.client, on_closed, &f);
    RUN_UNTIL(&f.loop, f.is_closed);
    f.is_closed = false;
    const char *const command[] = {"server", NULL};
    f.spec.command = command;
    struct client_options options = {.spec = &f.spec,
                                     .program = program,
                                     .root = root,
                                     .workspace_root = h.workspace,
                                     .guard_program = fake_ls_env("TEST_GUARD"),
                                     .deadline_ms = 5000};
    f.client = client_open(&f.loop, &options, &events, &f);
    client_start(f.client);
    RUN_UNTIL(&f.loop, fs_exists(seen));
    AUTO(buf_finish) struct buf text = {0};
    assert_int_equal(fs_read_file(seen, 65536, &text, NULL), 0);
    AUTO(free) char *wanted = xasprintf("%s\n", h.bin);
    assert_true(str_eq_c(buf_str(&text), wanted));
    close_client(&f);
    house_finish(&h);
}

static void
test_candidates_say_why(void **state)
{
    (void)state;
    struct house h;
    house_init(&h);
    const char *const missing[] = {"/nowhere/mine", NULL};
    const char *const languages[] = {"go", NULL};
    struct config_server servers[] = {
        {.name = "mine", .command = missing, .languages = languages, .enabled = true},
        {.name = "gopls"}};
    h.config.servers = servers;
    h.config.n_servers = 1;
    write_at(h.workspace, "gopls", "#!/bin/sh\n");
    set_path(&h, h.workspace);
    struct client_candidate c;
    assert_true(client_candidate_at(&h.config, h.workspace, STR("go"), 0, &c));
    assert_true(c.is_users && !c.program && !c.install_hint);
    assert_string_equal(c.why, "/nowhere/mine is no program");
    client_candidate_finish(&c);
    assert_true(client_candidate_at(&h.config, h.workspace, STR("go"), 1, &c));
    assert_false(c.is_users);
    assert_non_null(strstr(c.why, "workspace's own and is not run"));
    assert_string_equal(c.install_hint, "apt install gopls");
    client_candidate_finish(&c);
    assert_false(client_candidate_at(&h.config, h.workspace, STR("go"), 2, &c));
    assert_true(client_candidate_at(&h.config, h.workspace, STR("zig"), 0, &c));
    assert_string_equal(c.why, "zls is not on PATH");
    client_candidate_finish(&c);

    h.config.n_servers = 2;
    assert_true(client_candidate_at(&h.config, NULL, STR("go"), 1, &c));
    assert_true(!c.program && strstr(c.why, "by your configuration"));
    client_candidate_finish(&c);
    h.config.enrich_enabled = false;
    assert_true(client_candidate_at(&h.config, NULL, STR("go"), 0, &c));
    assert_non_null(strstr(c.why, "enrich.enabled"));
    client_candidate_finish(&c);
    h.config.trusted = false;
    assert_true(client_candidate_at(&h.config, NULL, STR("go"), 0, &c));
    assert_non_null(strstr(c.why, "not trusted"));
    client_candidate_finish(&c);
    house_finish(&h);
}

/* ---- settings ---- */

static void
test_own_over_known_settings(void **state)
{
    (void)state;
    struct fixture f;
    open_client_of(&f, "{'lives':[{}]}", 5000,
                   &(struct client_spec){
                       .name = "pyright",
                       .settings = "{\"python\":{\"pythonPath\":\"/opt/py\","
                                   "\"analysis\":{\"diagnosticMode\":\"workspace\"}}}",
                       .initialization_options = "{\"a\":[{\"b\":null}]}"});
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "workspace/didChangeConfiguration") == 1);
    assert_int_equal(fake_ls_count(&f.fake, "'initializationOptions':{'a':[{'b':null}]}"),
                     1);
    AUTO(free) char *heard = fake_ls_heard(&f.fake);
    const char *settings = strstr(heard, "workspace/didChangeConfiguration");
    assert_non_null(strstr(settings, "\"pythonPath\":\"/opt/py\""));
    assert_non_null(strstr(settings, "\"diagnosticMode\":\"workspace\""));
    assert_non_null(strstr(settings, "\"useLibraryCodeForTypes\":true")); // of the table
    close_client(&f);
}

/* The path that the server is told (heap or NULL), and the version it is shown with. */
static char *
tsserver_told(const char *dir, const char *own_options, char ret_version[128])
{
    struct fixture f;
    const char *hint;
    const struct client_spec *spec;
    for (size_t i = 0; (spec = client_spec_at(i, &hint)); i++) {
        if (strcmp(spec->name, "typescript-language-server") == 0)
            break;
    }
    AUTO(free) char *program = path_join(dir, "typescript-language-server/lib/cli.mjs");
    open_client_of(&f, "{'lives':[{'initialize':{'result':{'capabilities':{}}}}]}", 5000,
                   spec);
    client_close(f.client, on_closed, &f);
    RUN_UNTIL(&f.loop, f.is_closed);
    f.is_closed = false;
    if (own_options)
        f.spec.initialization_options = own_options;
    AUTO(free)
    char *script = xasprintf("#!/bin/sh\nexec '%s' '%s' '%s'\n", f.fake.command[0],
                             f.fake.command[1], f.fake.command[2]);
    write_at(dir, "typescript-language-server/lib/cli.mjs", script);
    struct client_options options = {.spec = &f.spec,
                                     .program = program,
                                     .root = f.fake.dir,
                                     .guard_program = fake_ls_env("TEST_GUARD"),
                                     .deadline_ms = 5000};
    f.client = client_open(&f.loop, &options, &events, &f);
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    AUTO(free) char *heard = fake_ls_heard(&f.fake);
    assert_non_null(strstr(heard, "\"maximumHoverLength\":60000"));
    const char *at = strstr(heard, "\"tsserver\":{\"path\":\"");
    char *told = NULL;
    if (at) {
        at += strlen("\"tsserver\":{\"path\":\"");
        told = str_dup(str_slice(at, strcspn(at, "\"")));
    }
    snprintf(ret_version, 128, "%s", client_stats(f.client).version);
    close_client(&f);
    return told;
}

static void
test_typescript_of_our_choice(void **state)
{
    (void)state;
    struct house h;
    house_init(&h);
    AUTO(free) char *modules = path_join(h.fake.dir, "lib/node_modules");
    AUTO(free)
    char *program = path_join(modules, "typescript-language-server/lib/cli.mjs");
    AUTO(free) char *link = path_join(h.bin, "typescript-language-server");
    write_at(h.workspace, "node_modules/typescript/lib/tsserver.js", "");
    write_at(modules, "typescript-language-server/lib/cli.mjs", "");
    assert_int_equal(symlink(program, link), 0);
    AUTO(free) char *path = xstrdup(h.bin);
    setenv("PATH", path, 1);
    AUTO(free) char *before = program_for(&h, "ts");
    assert_null(before); // left alone it would run the workspace's
    struct client_candidate c;
    assert_true(client_candidate_at(&h.config, h.workspace, STR("ts"), 0, &c));
    assert_non_null(strstr(c.why, "has no TypeScript beside it"));
    client_candidate_finish(&c);
    write_at(modules, "typescript/lib/tsserver.js", "");
    AUTO(free) char *after = program_for(&h, "ts");
    assert_string_equal(after, link);

    char version[128];
    write_at(modules, "typescript-language-server/package.json",
             "{\"version\":\"5.3.0\"}");
    write_at(modules, "typescript/package.json", "{\"version\":\"5.9.3\"}");
    AUTO(free) char *told = tsserver_told(modules, NULL, version);
    AUTO(free) char *real = NULL;
    AUTO(free) char *wanted = path_join(modules, "typescript/lib/tsserver.js");
    assert_int_equal(fs_real_path(wanted, &real), 0);
    assert_string_equal(told, real);
    assert_string_equal(version, "5.3.0, TypeScript 5.9.3");
    AUTO(free)
    char *own = tsserver_told(modules, "{\"tsserver\":{\"path\":\"/mine\"}}", version);
    assert_string_equal(own, "/mine");
    assert_string_equal(version, "5.3.0");
    house_finish(&h);
}

#define BUILD                                                                            \
    "{'name':'gopls','version':'{\\\"GoVersion\\\":\\\"go1.%d\\\","                      \
    "\\\"Deps\\\":[1,2],\\\"Version\\\":\\\"v0.15\\\"}'}"

/* What a server is shown as, and the key of its answers. */
static uint64_t
assert_version(const char *server_info, const char *shown)
{
    struct fixture f;
    AUTO(free)
    char *scenario = xasprintf(
        "{'lives':[{'initialize':{'result':{'capabilities':{},'serverInfo':%s}}}]}",
        server_info);
    start_client(&f, scenario, 5000);
    assert_string_equal(client_stats(f.client).version, shown);
    uint64_t key = client_server_key(f.client);
    close_client(&f);
    return key;
}

static void
test_versions(void **state)
{
    (void)state;
    assert_version("{'name':'n','version':'v1'}", "v1");
    assert_version("{'name':'n','version':'{broken'}", "{broken");
    /* what gopls says is longer than what is shown of it, and all of it counts */
    AUTO(free) char *a = xasprintf(BUILD, 21);
    AUTO(free) char *b = xasprintf(BUILD, 22);
    assert_true(assert_version(a, "v0.15 go1.21") != assert_version(b, "v0.15 go1.22"));
    /* who says none is told by his file, and shown by his name */
    assert_true(assert_version("{'name':'n'}", "n") ==
                assert_version("{'name':'n'}", "n"));
    assert_version("null", "");
}

/* ---- roots ---- */

static const struct client_spec *
spec_named(const char *name)
{
    const char *hint;
    const struct client_spec *spec;
    for (size_t i = 0; (spec = client_spec_at(i, &hint)); i++) {
        if (strcmp(spec->name, name) == 0)
            return spec;
    }
    fail_msg("no server %s", name);
    return NULL;
}

/* `wanted` is relative to the workspace, "" its root. */
static void
assert_root(const struct house *h, const struct client_spec *spec, const char *path,
            const char *wanted)
{
    AUTO(free) char *root = client_root_for(spec, h->workspace, path);
    AUTO(free)
    char *below = wanted[0] ? path_join(h->workspace, wanted) : xstrdup(h->workspace);
    assert_string_equal(root, below);
}

static void
test_roots(void **state)
{
    (void)state;
    struct house h;
    house_init(&h);
    const struct client_spec *gopls = spec_named("gopls"),
                             *pyright = spec_named("pyright"),
                             *jdtls = spec_named("jdtls"),
                             *sh = spec_named("bash-language-server"),
                             *cs = spec_named("csharp-ls");
    write_at(h.fake.dir, "go.mod", ""); // above the workspace
    write_at(h.fake.dir, "pom.xml", "");
    assert_root(&h, gopls, "a/b.go", "");
    write_at(h.workspace, "a/go.mod", "");
    write_at(h.workspace, "a/deep/go.mod", "");
    assert_root(&h, gopls, "a/b.go", "a");
    assert_root(&h, gopls, "a/deep/er/b.go", "a/deep");
    assert_root(&h, gopls, "other/b.go", "");
    assert_root(&h, gopls, "b.go", "");
    write_at(h.workspace, "a/go.work", "");
    assert_root(&h, gopls, "a/deep/er/b.go", "a"); // over the nearer go.mod
    write_at(h.workspace, "py/setup.py", "");
    write_at(h.workspace, "py/sub/pyproject.toml", "");
    assert_root(&h, pyright, "py/sub/x/m.py", "py/sub"); // the nearest of any
    assert_root(&h, pyright, "py/m.py", "py");
    write_at(h.workspace, "j/pom.xml", "");
    write_at(h.workspace, "j/core/pom.xml", "");
    assert_root(&h, jdtls, "j/core/src/A.java", "j"); // the outermost, not above the root
    write_at(h.workspace, "n/App.csproj", "");
    write_at(h.workspace, "All.sln", "");
    assert_root(&h, cs, "n/A.cs", "");
    assert_root(&h, sh, "a/deep/x.sh", "");
    /* what is no file of the workspace */
    assert_root(&h, gopls, "../b.go", "");
    assert_root(&h, gopls, "/etc/b.go", "");
    assert_root(&h, gopls, "", "");
    AUTO(free) char *absolute = path_join(h.workspace, "a/./deep/../b.go");
    assert_root(&h, gopls, absolute, "a");
    AUTO(free) char *slashed = xasprintf("%s/", h.workspace);
    AUTO(free) char *root = client_root_for(gopls, slashed, "none/b.go");
    assert_string_equal(root, h.workspace);
    /* the user's markers */
    const char *const own[] = {"WORKSPACE.bzl", NULL};
    struct client_spec mine = *sh;
    mine.root_markers = own;
    write_at(h.workspace, "a/deep/WORKSPACE.bzl", "");
    assert_root(&h, &mine, "a/deep/x/y.sh", "a/deep");
    /* deeper than anybody goes */
    AUTO(buf_finish) struct buf deep = {0};
    buf_add_cstr(&deep, "a/");
    for (int i = 0; i < 200; i++)
        buf_add_cstr(&deep, "d/");
    buf_add_cstr(&deep, "b.go");
    assert_root(&h, gopls, deep.p, "");
    house_finish(&h);
}

static void
test_roots_of_a_cargo_workspace(void **state)
{
    (void)state;
    struct house h;
    house_init(&h);
    const struct client_spec *rust = spec_named("rust-analyzer");
    write_at(h.workspace, "all/Cargo.toml",
             "# all\n  [workspace.package]\nedition = \"2021\"\n");
    write_at(h.workspace, "all/one/Cargo.toml",
             "[package]\nname = \"one\"\n# [workspace]\n");
    write_at(h.workspace, "all/tools/Cargo.toml", "[package]\n[workspace]\n");
    write_at(h.workspace, "lone/Cargo.toml", "[package]");
    assert_root(&h, rust, "all/one/src/lib.rs", "all");
    assert_root(&h, rust, "all/tools/src/main.rs", "all/tools");
    assert_root(&h, rust, "lone/src/main.rs", "lone");
    assert_root(&h, rust, "src/main.rs", "");
    house_finish(&h);
}

static void
test_compilation_databases(void **state)
{
    (void)state;
    static const struct {
        const char *file, *path, *root, *database;
    } rows[] = {
        /* each replaces the one before as the first by name, or lies deeper */
        {"w/out/build/x64/compile_commands.json", "w/src/a.c", "w", "w/out/build/x64"},
        {"w/build-debug/compile_commands.json", "w/src/a.c", "w", "w/build-debug"},
        {"b/.build/compile_commands.json", "b/a.c", "b", "b/.build"},
        {"c/cmake-build-release/compile_commands.json", "c/x/y/a.c", "c",
         "c/cmake-build-release"},
        {"d/build/asan/compile_commands.json", "d/a.c", "d", "d/build/asan"},
        {"e/Release/compile_commands.json", "e/a.c", "e", "e/Release"},
        {"f/compile_commands.json", "f/lib/a.c", "f", "f"},
        {"f/lib/compile_flags.txt", "f/lib/a.c", "f/lib", NULL},
        {"g/src/compile_commands.json", "g/a.c", "", NULL},       // no folder of builds
        {"h/out/a/b/c/compile_commands.json", "h/a.c", "", NULL}, // too deep
    };
    struct house h;
    house_init(&h);
    const struct client_spec *clangd = spec_named("clangd");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_at(h.workspace, rows[i].file, "[]");
        assert_root(&h, clangd, rows[i].path, rows[i].root);
        AUTO(free) char *root = client_root_for(clangd, h.workspace, rows[i].path);
        AUTO(free) char *database = client_root_database(root);
        AUTO(free)
        char *wanted = rows[i].database ? path_join(h.workspace, rows[i].database) : NULL;
        assert_true((!wanted && !database) || strcmp(wanted, database) == 0);
    }
    house_finish(&h);
}
