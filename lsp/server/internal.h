#pragma once
/* What the files of this folder share. Nobody else includes it. */
#include <jansson.h>

#include "base/list.h"
#include "base/map.h"
#include "codec/codec.h"
#include "lsp/server/server.h"
#include "lsp/wire/wire.h"
#include "model/snapshot.h"
#include "rt/process.h"
#include "rt/timer.h"

#define SERVER_ROOTS_MAX 16

enum session_state { SESSION_NEW, SESSION_RUNNING, SESSION_SHUT_DOWN };
enum position_encoding { ENCODING_UTF16, ENCODING_UTF8 };
enum feature { FEATURE_AUTO, FEATURE_ON, FEATURE_OFF };

/* A workspace that this session looks at. */
struct session_root {
    struct list link;
    struct server_session *session;
    struct workspace *workspace;
    struct workspace_listener *listener;
    bool is_progress_shown;
    unsigned progress_number;
};

/* An open document of this session. */
struct session_doc {
    struct workspace *workspace; // NULL: outside of every root
    char *path;                  // relative
    char *language_id;
    struct snapshot *text;
};

struct server_session {
    struct loop *loop;
    const struct config *config;
    struct workspaces *workspaces;
    struct server_host host;
    struct wire *wire;
    enum session_state state;
    enum position_encoding encoding;
    bool is_editor, is_trusted, is_closing;
    bool has_progress, has_nested_symbols;
    enum feature hover, definition, document_symbol, references, call_hierarchy,
        type_hierarchy;
    json_t *served; // language ids that another server in the editor serves, or NULL
    struct list roots;
    struct map *docs; // uri → struct session_doc
    struct list pending;
    struct list feeds;
    struct process_watch *editor;
    int exit_code;
};

/* A request between its arrival and its answer. It outlives the session if a job holds it: then
 * session is NULL and nothing is said. */
struct pending {
    struct list link; // of session.pending
    struct server_session *session;
    struct wire_id id;
    struct query_ticket *ticket;
    struct workspace *workspace;
    void (*run)(struct pending *p); // when the workspace is open; NULL once it ran
    struct timer *deadline;
    char *uri, *word; // relative path; identifier, query or epoch
    int64_t since;    // of a feed; -1: from now
    int64_t read_ns;  // wire_read_ns()
    struct position at;
    bool is_answered, with_declaration;
    size_t n_wanted; // answers of other parts to come
    struct buf result;
    struct workspace_listener *listener;
};

/* session.c */
void session_end(struct server_session *s, int exit_code);
/* Registered and to be answered once; workspace may be NULL. */
struct pending *pending_create(struct server_session *s, const struct wire_id *id,
                               struct workspace *w);
/* Runs p->run now, or when the workspace is past opening. */
void pending_when_open(struct pending *p, void (*run)(struct pending *p));
void pending_run(struct server_session *s, const struct workspace *w); // those that wait
void pending_set_deadline(struct pending *p, uint64_t timeout_ms);     // null at its end
void pending_reply(struct pending *p, struct str json);
void pending_error(struct pending *p, int code, const char *message);
/* After the last callback that holds it. */
void pending_destroy(struct pending *p);
void session_cancel(struct server_session *s, const struct wire_id *id);
void session_forget_feeds(struct server_session *s);

/* roots.c */
int session_add_root(struct server_session *s, const char *path,
                     struct workspace **ret_workspace);
void session_remove_root(struct server_session *s, const char *path);
void session_drop_roots(struct server_session *s);
struct workspace *session_workspace_of(struct server_session *s, const char *absolute,
                                       struct str *ret_path);

/* documents.c, place.c */
void session_close_documents(struct server_session *s);
struct session_doc *session_find_doc(struct server_session *s, json_t *params,
                                     const char **ret_uri);
/* An editor's position into bytes of the document; false: not a position. */
bool place_read(const struct server_session *s, const struct session_doc *doc,
                const json_t *position, struct position *ret_at);
/* The identifier at a place, as a view; empty when there is none. */
struct str place_word(const struct session_doc *doc, struct position at);
void place_add_range(const struct server_session *s, struct buf *json,
                     const struct span *span);
/* The range of `text` from `at` on. */
void place_add_name(const struct server_session *s, struct buf *json,
                    const struct position *at, struct str text);
void place_add_location(const struct server_session *s, struct buf *json,
                        const struct workspace *w, const struct entity_row *row);
bool feature_is_on(const struct server_session *s, enum feature f,
                   const struct session_doc *doc);

/* progress.c */
void progress_changed(struct session_root *root);
void progress_end(struct session_root *root);
