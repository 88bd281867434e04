#pragma once
/* One file and one table row per command. Help, docs/CLI.md and parsing come from the same rows. */
#include "app/app.h"
#include "base/base.h"
#include "config/config.h"

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER };

/* A row of a command's options; the table ends with name NULL. */
struct command_option {
    const char *name; // without the dashes
    enum option_kind kind;
    const char *value_name; // "N", "PATH"; NULL for a flag
    const char *help;
};

#define COMMAND_OPTIONS_MAX 24
#define COMMAND_ARGUMENTS_MAX 64

/* What was on the command line, checked against the rows. */
struct command_line {
    const struct command *command;
    struct config *config;                   // frozen
    const char *db_url;                      // --db or NULL
    bool is_json;                            // --json
    const char *values[COMMAND_OPTIONS_MAX]; // by row; flags "1"; NULL when absent
    const char *arguments[COMMAND_ARGUMENTS_MAX + 1]; // NULL-terminated
    size_t n_arguments;
};

struct command {
    const char *name;
    const char *arguments;                // "[DIR]"
    const char *summary;                  // one line
    const char *details;                  // a paragraph or two for --help; may be NULL
    const struct command_option *options; // of its own; the common ones are added
    size_t min_arguments, max_arguments;
    int (*run)(const struct command_line *line); // exit code
};

extern const struct command command_dashboard, command_doctor, command_events,
    command_export, command_index, command_jobs, command_lsp, command_migrate,
    command_outline, command_push, command_retry, command_search, command_serve,
    command_show, command_status, command_stop, command_version;

/* Parse, then run. argv[0] is "gloss". Returns the exit code. */
int command_main(int argc, char **argv);
/* The value of an option by name, or NULL. */
const char *line_text(const struct command_line *line, const char *option);
bool line_has(const struct command_line *line, const char *option);
/* Checked number, `fallback` when absent; usage errors were reported at parsing. */
int64_t line_number(const struct command_line *line, const char *option,
                    int64_t fallback);
/* The workspace's root: the argument at `index`, or the current folder; its real path, heap; NULL and a message when it is none. */
char *line_root(const struct command_line *line, size_t index);
/* The same of a folder named by an option; NULL means the current one. */
char *line_root_of(const struct command_line *line, const char *dir);
/* The root and relative path of a file: dir if given, else the nearest folder above it that has an index
 * (or --db with the current folder). EXIT_FAILED and one line when there is none. */
int line_file(const struct command_line *line, const char *file, const char *dir,
              char **ret_root, char **ret_relative);
/* workspace_id() of a root. Heap. */
char *line_workspace_id(const char *root);
/* Connection string of the root's index: --db or its place. Heap. */
char *line_index_url(const struct command_line *line, const char *root);
/* A reader of that index; on failure one line was printed ("run `gloss index DIR` first") and NULL is returned. */
struct store_reader *line_open_index(const struct command_line *line, const char *root);
