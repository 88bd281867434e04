#pragma once
/* Inside lsp/client: what a spec becomes on this machine. Nothing here knows a client. */
#include <jansson.h>

#include "lsp/client/spec.h"

/* Where a server lies about the protocol, or wants more than its row can say. */
enum client_quirk {
    QUIRK_COMPILE_COMMANDS =
        1,                   // wants the folder of compile_commands.json as an argument
    QUIRK_LOADING_TEXT = 2,  // says "(loading...)" instead of nothing yet
    QUIRK_SERVER_STATUS = 4, // not quiescent before its experimental/serverStatus says so
    QUIRK_OWN_TSSERVER = 8,  // runs the workspace's TypeScript unless told which
};

/* servers.c: the user's settings over the table's, member by member; may be NULL. */
const struct client_spec *client_spec_known(const char *name);
const char *client_spec_hint(const char *name);
json_t *client_spec_settings(const struct client_spec *spec);
json_t *client_spec_options(const struct client_spec *spec);

/* choice.c: PATH without what is relative or within the workspace (NULL: of none). */
char *client_choice_path(const char *root);
char **client_choice_environment(const char *root);
void client_choice_environment_free(char **environment);

/* roots.c: the folder with its compile_commands.json (heap), or NULL. */
char *client_root_database(const char *folder);

/* quirks.c */
/* One more argument for the command line (heap), or NULL. */
char *client_quirk_argument(const struct client_spec *spec, const char *root);
bool client_quirk_is_loading(const struct client_spec *spec, struct str text);
/* Why it cannot be run here, though its program is there (heap), or NULL. */
char *client_quirk_misses(const struct client_spec *spec, const char *program,
                          const char *path);
/* The TypeScript for a server that runs one: tsserver.js (heap), or NULL. */
char *client_quirk_tsserver(const struct client_spec *spec, const char *program,
                            const char *root);
/* With what only this machine can tell; takes `options` and gives them back. */
json_t *client_quirk_options(const struct client_spec *spec, const char *program,
                             const char *root, json_t *options);
