#pragma once
/* Editor-facing LSP sessions: one method table, one file per group. A session is one connection (an
 * editor through its bridge, stdio with --in-process, or a command of ours asking the engine).
 * Loop thread. Owns its wire and documents' texts; borrows the workspaces. */
#include "base/base.h"
#include "base/histogram.h"
#include "rt/loop.h"
#include "rt/stream.h"
#include "workspace/workspace.h"

#define SERVER_DOCUMENTS_MAX 4096
#define SERVER_DOCUMENT_BYTES_MAX (64u << 20)
#define SERVER_HANDED_MAX 1000             // hovers of one gloss/hovers
#define SERVER_HANDED_BYTES_MAX (1u << 20) // and their markdown
#define SERVER_HANDED_SOURCE_BYTES_MAX 64
#define SERVER_HOVER_MS 500 // deadline of our own replies

struct server_session;

/* What the process around the sessions offers. All may be NULL. */
struct server_host {
    void (*on_stop)(void *ctx);        // gloss/stop
    char *(*dashboard_url)(void *ctx); // heap; NULL when there is no hub
    int (*allow_origin)(void *ctx, const char *origin);
    /* Members of the engine's status object: "pid":…,"port":… */
    void (*add_status)(void *ctx, struct buf *json);
    /* The session is over: exit_code 0 after shutdown+exit, else 1. It frees itself after this. */
    void (*on_closed)(void *ctx, struct server_session *session, int exit_code);
    /* Microseconds from the frame of a hover, read, to its answer, written. */
    struct histogram *hover_us;
    void *ctx;
};

/* out NULL: the same stream both ways. */
struct server_session *server_session_open(struct loop *l, struct stream *in,
                                           struct stream *out,
                                           const struct config *config,
                                           struct workspaces *workspaces,
                                           const struct server_host *host) MUST_USE;
/* Ends it from our side; on_closed follows from the loop. */
void server_session_close(struct server_session *s);
/* True once it sent initialize: an editor, not a command. */
bool server_session_is_editor(const struct server_session *s);
