/* The table of commands, parsing of command lines by their rows, and help from the same rows. */
#include "app/commands/commands.h"

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "store/store.h"
#include "workspace/workspace.h"

/* Keep sorted by name. */
static const struct command *const commands[] = {
    &command_dashboard, &command_doctor, &command_events, &command_export,
    &command_index,     &command_jobs,   &command_lsp,    &command_migrate,
    &command_outline,   &command_push,   &command_retry,  &command_search,
    &command_serve,     &command_show,   &command_status, &command_stop,
    &command_version,
};

/* Every command has these; each overrides the setting of the same name. */
static const struct command_option common_options[] = {
    {"db", OPTION_TEXT, "URL",
     "where the index lies: PATH, sqlite:PATH, rocksdb:FOLDER, postgres://… or mem: "
     "(default: by the root; docs/STORES.md)"},
    {"json", OPTION_FLAG, NULL, "machine-readable output"},
    {"log-level", OPTION_TEXT, "LEVEL", "error, warn, info or debug"},
    {"log-format", OPTION_TEXT, "FORMAT", "text or json"},
    {"help", OPTION_FLAG, NULL, "this text"},
    {0},
};

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* ---- help ---- */

static void
show_options(const struct command_option *options)
{
    for (; options && options->name; options++) {
        char left[64];

        snprintf(left, sizeof(left), "--%s%s%s", options->name,
                 options->value_name ? " " : "",
                 options->value_name ? options->value_name : "");
        out_line("  %-22s %s", left, options->help);
    }
}

static void
show_command_help(const struct command *c)
{
    out_line("usage: gloss %s [OPTIONS]%s%s", c->name, c->arguments[0] ? " " : "",
             c->arguments);
    out_line("\n%s.", c->summary);
    if (c->details)
        out_line("\n%s", c->details);
    out_line("\noptions:");
    show_options(c->options);
    show_options(common_options);
}

static void
show_help(void)
{
    out_line("usage: gloss COMMAND [OPTIONS] [ARGUMENTS]\n");
    out_line("A live, enriched index of the code you are editing.\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        out_line("  %-10s %s", commands[i]->name, commands[i]->summary);
    out_line("\n`gloss COMMAND --help` tells more. Exit codes: 0 ok, 1 failed, 2 wrong "
             "usage.");
}

static int wrong_usage(const struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int
wrong_usage(const struct command *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    AUTO(free) char *text = xvasprintf(fmt, ap);
    va_end(ap);
    fail("%s (see `gloss%s%s --help`)", text, c ? " " : "", c ? c->name : "");
    return EXIT_USAGE;
}

/* ---- parsing ---- */

/* Rows of the command, then the common ones, under one numbering: command_line.values. */
static const struct command_option *
option_at(const struct command *c, size_t index)
{
    for (const struct command_option *o = c->options; o && o->name; o++)
        if (index-- == 0)
            return o;
    return index < ARRAY_LEN(common_options) - 1 ? &common_options[index] : NULL;
}

static int
find_option(const struct command *c, struct str name)
{
    const struct command_option *o;

    for (size_t i = 0; (o = option_at(c, i)); i++)
        if (str_eq_c(name, o->name))
            return (int)i;
    return -1;
}

/* One "--name[=value]" at argv[*at]; moves *at over a value of its own. */
static int
parse_option(struct command_line *line, int argc, char **argv, int *at)
{
    struct str rest = str_of(argv[*at] + 2), name = rest;
    const struct command_option *o;
    const char *value = NULL;
    ssize_t eq = str_find_char(rest, '=');
    uint64_t number;
    int i;

    if (eq >= 0) {
        name = str_slice(rest.p, (size_t)eq);
        value = rest.p + eq + 1;
    }
    i = find_option(line->command, name);
    if (i < 0)
        return wrong_usage(line->command, "unknown option --%.*s", STR_ARG(name));
    o = option_at(line->command, (size_t)i);
    if (o->kind == OPTION_FLAG) {
        if (value)
            return wrong_usage(line->command, "--%s takes no value", o->name);
        value = "1";
    } else if (!value) {
        if (*at + 1 >= argc)
            return wrong_usage(line->command, "--%s needs a value", o->name);
        value = argv[++*at];
    }
    if (o->kind == OPTION_NUMBER && str_to_u64(str_of(value), &number) < 0)
        return wrong_usage(line->command, "--%s wants a whole number, not \"%s\"",
                           o->name, value);
    line->values[i] = value;
    return 0;
}

static int
parse_line(struct command_line *line, int argc, char **argv)
{
    bool only_arguments = false;

    for (int i = 2; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strncmp(argv[i], "--", 2) == 0) {
            int r = parse_option(line, argc, argv, &i);
            if (r != 0)
                return r;
        } else if (!only_arguments && strcmp(argv[i], "-h") == 0) {
            line->values[find_option(line->command, STR("help"))] = "1";
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
            return wrong_usage(line->command, "unknown option %s", argv[i]);
        } else if (line->n_arguments >=
                   MIN(line->command->max_arguments, (size_t)COMMAND_ARGUMENTS_MAX)) {
            return wrong_usage(line->command, "one argument too many: %s", argv[i]);
        } else {
            line->arguments[line->n_arguments++] = argv[i];
        }
    }
    if (line_has(line, "help"))
        return 0;
    if (line->n_arguments < line->command->min_arguments)
        return wrong_usage(line->command, "%s is missing", line->command->arguments);
    return 0;
}

static int
load_config(struct command_line *line)
{
    static const char *const names[] = {"db",        "idle-exit", "jobs", "log-format",
                                        "log-level", "parse",     "port"};
    struct config_flag flags[ARRAY_LEN(names)];
    size_t n = 0;
    AUTO(free) char *why = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int at = find_option(line->command, str_of(names[i]));
        if (at >= 0 && line->values[at])
            flags[n++] = (struct config_flag){names[i], line->values[at]};
    }
    if (config_load(flags, n, &line->config, &why) < 0) {
        fail("%s", why);
        return EXIT_USAGE;
    }
    log_setup(line->config->log_level, line->config->log_format);
    line->db_url = line->config->db;
    line->is_json = line_has(line, "json");
    return 0;
}

int
command_main(int argc, char **argv)
{
    struct command_line line = {0};
    int r;

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        line.command = argc == 3 ? find_command(argv[2]) : NULL;
        if (line.command)
            show_command_help(line.command);
        else
            show_help();
        out_flush();
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    line.command = find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (!line.command)
        return wrong_usage(NULL, "there is no command \"%s\"", argv[1]);
    r = parse_line(&line, argc, argv);
    if (r != 0)
        return r;
    if (line_has(&line, "help")) {
        show_command_help(line.command);
        out_flush();
        return EXIT_OK;
    }
    r = load_config(&line);
    if (r == 0)
        r = line.command->run(&line);
    config_destroy(line.config);
    out_flush();
    return r;
}

/* ---- what commands ask of their line ---- */

const char *
line_text(const struct command_line *line, const char *option)
{
    int i = find_option(line->command, str_of(option));

    assert(i >= 0);
    return line->values[i];
}

bool
line_has(const struct command_line *line, const char *option)
{
    return line_text(line, option) != NULL;
}

int64_t
line_number(const struct command_line *line, const char *option, int64_t fallback)
{
    const char *text = line_text(line, option);
    int64_t value;

    return text && str_to_i64(str_of(text), &value) == 0 ? value : fallback;
}

char *
line_root(const struct command_line *line, size_t index)
{
    return line_root_of(line, index < line->n_arguments ? line->arguments[index] : NULL);
}

char *
line_root_of(const struct command_line *line UNUSED, const char *dir)
{
    struct fs_stat st;
    char *real = NULL;
    int r = fs_real_path(dir ? dir : ".", &real);

    if (r == 0)
        r = fs_stat_file(real, &st);
    if (r == 0 && (st.mode & S_IFMT) != S_IFDIR)
        r = -ENOTDIR;
    if (r == 0)
        return real;
    fail("%s: %s", !dir ? "." : dir[0] ? dir : "\"\"", err_text(r));
    free(real);
    return NULL;
}

/* The nearest folder above an absolute path that has an index; NULL when there is none. */
static char *
indexed_root_above(const char *path)
{
    struct str dir = path_dirname(str_of(path));

    for (;;) {
        AUTO(free) char *root = str_dup(dir), *index = config_index_path(root);

        if (fs_exists(index))
            return steal(root);
        if (dir.n <= 1)
            return NULL;
        dir = path_dirname(dir);
    }
}

int
line_file(const struct command_line *line, const char *file, const char *dir,
          char **ret_root, char **ret_relative)
{
    AUTO(free) char *real = NULL, *root = NULL, *cwd = NULL, *joined = NULL;
    struct str below;

    if (!file[0])
        return fail("the file's name is empty");
    if (fs_real_path(file, &real) <
        0) { // perhaps gone from the disk but not from the index
        if (fs_real_path(".", &cwd) < 0)
            return fail("%s: the current folder is gone", file);
        joined = path_join(cwd, file);
        real = path_normalize(joined);
    }
    if (dir || line->db_url)
        root = line_root_of(line, dir);
    else if (!(root = indexed_root_above(real)))
        return fail("no folder above %s has an index; run `gloss index DIR` first", file);
    if (!root)
        return EXIT_FAILED;
    below = path_below(str_of(root), str_of(real));
    if (below.n == 0)
        return fail("%s is not in %s", file, root);
    *ret_relative = str_dup(below);
    *ret_root = steal(root);
    return EXIT_OK;
}

char *
line_workspace_id(const char *root)
{
    char hex[HASH_HEX_BYTES];

    hash128_to_hex(hash128(str_of(root)), hex);
    hex[WORKSPACE_ID_BYTES - 1] = '\0';
    return xstrdup(hex);
}

char *
line_index_url(const struct command_line *line, const char *root)
{
    return config_index_url(line->db_url, root);
}

struct store_reader *
line_open_index(const struct command_line *line, const char *root)
{
    AUTO(free) char *url = line_index_url(line, root), *why = NULL;
    struct store_reader *reader = NULL;
    int r = store_reader_open(url, &reader, &why);

    if (r == 0)
        return reader;
    if (r == -ENOENT)
        fail("%s has no index yet; run `gloss index %s` first", root, root);
    else
        fail("cannot open the index: %s", why ? why : err_text(r));
    return NULL;
}
