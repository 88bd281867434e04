#pragma once
/* Settings and places. flags > environment > $XDG_CONFIG_HOME/gloss/config.json > defaults; a file
 * .gloss.json in a workspace may tune what the table marks as safe and never names a program.
 * Loaded at start, frozen after: readers on any thread need no lock. */
#include "base/arena.h"
#include "base/base.h"
#include "base/log.h"
#include "base/str.h"

#define CONFIG_FILE_BYTES_MAX (1024 * 1024)
#define CONFIG_IGNORE_MAX 1024
#define CONFIG_IGNORE_BYTES_MAX 4096
#define CONFIG_SERVERS_MAX 64
#define CONFIG_SERVER_WORDS_MAX 64 // of its command, languages, root markers
#define CONFIG_WORKSPACE_FILE ".gloss.json"

/* A language server of the user's. Without a command it tunes or turns off the built-in of that name.
 * command[0] is absolute or a bare name to be found on PATH. Lists are NULL-terminated. */
struct config_server {
    const char *name;
    const char *const *command;         // NULL: the built-in's
    const char *const *languages;       // key prefixes, "c"; NULL: the built-in's
    const char *const *root_markers;    // NULL: the built-in's
    const char *settings;               // JSON text or NULL
    const char *initialization_options; // JSON text or NULL
    bool enabled;
};

/* How much of a file is parsed. */
enum config_parse {
    CONFIG_PARSE_OUTLINE, // not the insides of bodies, where a language allows it
    CONFIG_PARSE_FULL
};

/* Plain fields are the getters. */
struct config {
    uint64_t max_file_bytes;
    const struct str
        *ignore; // gitignore(5) patterns, NUL-terminated; the workspace's come last
    size_t n_ignore;
    enum config_parse parse;
    uint64_t max_watches; // folders watched; 0: a share of what the system allows
    uint64_t jobs;        // workers; 0: one per core
    uint64_t hub_port, hub_bad_tokens, hub_strangers; // port 0: any free one
    uint64_t idle_exit_s;                             // 0: never
    enum log_level log_level;
    enum log_format log_format;
    bool enrich_enabled;
    uint64_t enrich_deadline_ms;
    uint64_t enrich_files_window;
    uint64_t enrich_requests_window, enrich_server_idle_s; // at most; 0: never ended
    uint64_t enrich_server_memory_bytes; // of its whole process group; 0: any
    const struct config_server *servers;
    size_t n_servers;
    const char *db;     // canonical URL (config_db_url()); NULL: config_index_path()
    bool trusted;       // false: tree-sitter only, no program is started
    struct arena arena; // of the strings
};

/* A flag that was given, by its own name ("jobs") or the setting's ("index.jobs"). */
struct config_flag {
    const char *name;
    const char *value; // may be NULL for a boolean
};

/* -EINVAL (or why a file cannot be read); *ret_why (heap): a line that names file, variable or flag, and setting. */
int config_load(const struct config_flag *flags, size_t n, struct config **ret_config,
                char **ret_why);
/* With root's own file. *ret_config is NULL when it has none: use `base`. It borrows from `base`, which
 * outlives it. Blocking, small. */
int config_for_workspace(const struct config *base, const char *root,
                         struct config **ret_config, char **ret_why);
void config_destroy(struct config *c);
DEFINE_AUTO(config_destroy, struct config *)

/* ---- the table: docs/CONFIG.md and doctor are made from it ---- */

enum config_type {
    CONFIG_NUMBER,
    CONFIG_BOOL,
    CONFIG_CHOICE,
    CONFIG_URL,
    CONFIG_PATTERNS,
    CONFIG_SERVERS
};

struct config_setting {
    const char *name; // "index.max_file_bytes": {"index":{"max_file_bytes":…}} in a file
    const char *flag; // "jobs" or NULL
    const char *env;  // "GLOSS_INDEX_MAX_FILE_BYTES" or NULL
    enum config_type type;
    bool is_workspace_safe;
    const char *fallback;       // the default, as text; NULL: none
    uint64_t min, max;          // of a number
    const char *const *choices; // NULL-terminated
    size_t offset;              // in struct config
    const char *help;
};

/* By name; NULL past the end. */
const struct config_setting *config_setting_at(size_t index);
/* The value as text for people, "2097152". */
void config_setting_show(const struct config *c, const struct config_setting *s,
                         struct buf *out);

/* ---- places; results are heap strings ---- */

/* $XDG_CONFIG_HOME/gloss/config.json, or ~/.config/… */
char *config_file_path(void) MUST_USE;
/* $XDG_STATE_HOME/gloss, or ~/.local/state/gloss. Not created. */
char *config_state_dir(void) MUST_USE;
/* $XDG_RUNTIME_DIR/gloss, else (none, or not ours alone) the state folder. Created with 0700. */
char *config_runtime_dir(void) MUST_USE;
/* <state>/<name>-<id>/index.db; id: 12 hex digits of the hash of root, which is a real path. Not created. */
char *config_index_path(const char *root) MUST_USE;
/* "sqlite:PATH" or a plain path → "sqlite:/absolute/path"; "rocksdb:PATH" alike; "mem:", "postgres[ql]://…"
 * as they are (may hold a password: uri_public()). Else -EINVAL. */
int config_db_url(const char *text, char **ret_url, char **ret_why);
/* Of root's index; db: such a URL, of a server with "#<root>" unless it names one; NULL: config_index_path(). */
char *config_index_url(const char *db, const char *root) MUST_USE;
