#pragma once
/* Which server for which language, and where it works: part of lsp/client/client.h, which
 * includes it. Any thread; what looks for programs and markers asks the file system. */
#include "base/base.h"
#include "base/str.h"
#include "config/config.h"

/* The root of a server for a file; of the folders from its own up to the workspace's: */
enum client_root_rule {
    CLIENT_ROOT_NEAREST,      // the nearest that has any marker
    CLIENT_ROOT_FIRST_MARKER, // the nearest with the first marker that any has
    CLIENT_ROOT_OUTERMOST,    // the outermost that has any
};

/* What to run: a row of the servers table (client/servers.c) or of the configuration. A
 * marker is a name, "*.ending", or "NAME TEXT": a line of it begins with TEXT. */
struct client_spec {
    const char *name;                // "clangd"
    const char *const *command;      // NULL-terminated; [0] absolute or looked up on PATH
    const char *const *languages;    // key prefixes, NULL-terminated
    const char *const *root_markers; // NULL: always the workspace's root
    enum client_root_rule root_rule;
    const char *settings;               // JSON text for workspace/configuration, or NULL
    const char *initialization_options; // JSON text, or NULL
    uint32_t quirks;                    // enum client_quirk, client/quirks.c
};

/* One of the servers that speak a language, in the order of choice: by the user's
 * configuration, then the table. Only a program of the configuration or on PATH, outside
 * of `root`, a workspace (NULL: of none). The spec borrows from `config` and the table;
 * two of the same name are the same server. False past the end. */
struct client_candidate {
    struct client_spec spec;
    bool is_users;            // its command is
    bool is_off;              // by the configuration, or for want of trust
    char *program, *why;      // absolute path; NULL: cannot be run, and why
    const char *install_hint; // "apt install clangd", may be NULL
};
bool client_candidate_at(const struct config *config, const char *root, struct str lang,
                         size_t index, struct client_candidate *ret);
void client_candidate_finish(struct client_candidate *c);
/* The first that can be run; *ret_program is heap. */
bool client_spec_for(const struct config *config, const char *root, struct str lang,
                     struct client_spec *ret_spec, char **ret_program);
const struct client_spec *client_spec_at(size_t index, const char **ret_install_hint);
/* Where that server is to work for a file of the workspace, heap: the workspace's root or
 * below it. Asks the file system: keep it by folder. */
char *client_root_for(const struct client_spec *spec, const char *workspace_root,
                      const char *path) MUST_USE;
