#pragma once
/* Inside lsp/client: the client's parts and what its files ask of one another. */
#include "base/list.h"
#include "base/map.h"
#include "lsp/client/choice.h"
#include "lsp/client/client.h"
#include "lsp/wire/wire.h"
#include "model/snapshot.h"
#include "rt/child.h"
#include "rt/timer.h"

#define CLIENT_DEADLINES_MAX 10 // that a hover waits for its turn
#define CLIENT_RETRIES_MAX 3    // of ContentModified and ServerCancelled
#define CLIENT_RETRY_MS 20      // doubled each time
#define CLIENT_PROGRESS_MAX 1024
#define CLIENT_EXIT_MS 200 // from its death to the end of its output

enum encoding { ENCODING_UTF8, ENCODING_UTF16, ENCODING_UTF32 };

struct doc {
    char *uri;
    struct snapshot *text; // only when positions need it
    int64_t answered_ns;   // last; 0: nothing yet
};

struct client {
    struct loop *loop;
    const struct client_spec *spec;
    char *program, *root, *workspace_root, *guard_program;
    uint64_t deadline_ms, backoff_ms_min;
    const struct client_events *events;
    void *ctx;

    enum client_state state;
    struct child *child;
    struct wire *wire;
    struct stream *err;
    struct timer *life; // by state: initialize, its last output, back-off, stop
    bool leaves_processor;
    bool is_start_due; // as soon as the old process is gone
    int spawn_r;
    char *exit_text; // how the process ended; NULL while it runs
    char *reason;    // of the last crash
    struct buf stderr_tail, why;
    int64_t crashes_ms[CLIENT_CRASHES_MAX]; // newest first
    size_t n_crashes;
    void (*on_closed)(void *ctx); // set: closing
    void *closed_ctx;

    enum encoding encoding;
    bool is_busy;         // says its serverStatus
    struct map *progress; // tokens begun and not ended
    struct map *docs;     // path → doc
    json_t *settings, *options;

    struct list timed;   // requests by due_ms
    struct list settled; // answered at the next turn
    struct timer *due, *turn;
    int64_t answered_ns; // last
    struct client_stats stats;
    uint64_t server_key; // 0: not ready yet
};

/* client.c */
void client_crash(struct client *c, const char *reason);

/* handshake.c */
json_t *client_handshake_params(const struct client *c);
json_t *client_handshake_configuration(const struct client *c);
json_t *client_handshake_folders(const struct client *c);
/* -EPROTO: the result of initialize is none. */
int client_handshake_read(struct client *c, const json_t *result);

/* docs.c */
char *client_doc_uri(const struct client *c, const char *path) MUST_USE;
struct doc *client_doc_find(const struct client *c, const char *path);
/* Column in the server's encoding. `doc` may be NULL: not open. */
uint32_t client_doc_column(const struct client *c, const struct doc *doc,
                           struct position at);
void client_docs_clear(struct client *c);

/* hover.c */
void client_on_turn(void *ctx);
void client_on_due(void *ctx);
/* Answers every request in flight. */
void client_end_hovers(struct client *c, enum hover_reason reason);

/* peer.c: what the server asks and tells. */
void client_peer_on_request(void *ctx, const struct wire_id *id, const char *method,
                            json_t *params);
void client_peer_on_notification(void *ctx, const char *method, json_t *params);
bool client_peer_is_quiescent(const struct client *c);
void client_peer_reset(struct client *c);

/* version.c: notes it for people; its whole text (heap) is what the key is made of. */
char *client_version_read(struct client *c, const json_t *info);
