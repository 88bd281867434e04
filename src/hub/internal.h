#pragma once
/* What the files of src/hub share. Nobody outside includes it. Loop thread. */
#include <libwebsockets.h> // before base: base bans names that it uses

#include "base/base.h"
#include "base/histogram.h"
#include "base/list.h"
#include "base/str.h"
#include "base/vec.h"
#include "hub/gate.h"
#include "hub/hub.h"
#include "hub/limits.h"
#include "hub/match.h"
#include "hub/problem.h"
#include "hub/rate.h"
#include "rt/timer.h"

struct exchange;
struct hub_client;

/* ---- hub.c ---- */

struct hub_stats {
    uint64_t connections, refused, requests, events_sent, events_coalesced, slow_closed;
    uint64_t events_undelivered, throttled, flood_closed;
    uint64_t bad_tokens, strangers_refused, full, silent_closed;
    uint64_t ingest_overloaded, ingest_bytes,
        ingest_paused_ms; // of streams; of those that ended
};

/* Whose turn it is to read pages of an index: see snapshot.h. */
struct snapshot_turns {
    struct list waiting; // in the order in which they came
    struct list holding; // reading, or with a page
    size_t n_reading, n_holding;
};

struct hub {
    struct loop *loop;
    struct workspaces *workspaces;
    char *token;
    void (*on_clients)(void *ctx, size_t n_clients);
    void *ctx;
    struct lws_context *context;
    const void *static_handles[2]; // libwebsockets' own, by which we see that it is gone
    uint16_t port;
    size_t connections_max, descriptors_max;
    VEC(char *) origins;
    struct list peers; // every accepted socket
    size_t n_peers;
    struct list clients; // of them, the WebSockets
    size_t n_clients;
    struct list followers; // SSE and polls
    size_t n_followers;
    uint64_t next_view; // number of the next CloudEvent
    struct list feeds;  // workspaces somebody subscribed to
    struct list asks;   // questions under way
    struct list reads;  // of JSON, at workers
    struct snapshot_turns snapshots;
    size_t body_bytes;   // of requests, held
    size_t n_finds;      // searches that are sent as they are read
    struct list ingests; // streams of scanners
    size_t n_ingests;
    uint64_t next_client;
    int64_t woken_ms; // for a commit at once
    struct timer *wake_timer, *end_timer, *tick_timer, *close_timer;
    int64_t next_heartbeat_ms;
    struct buf lines; // many messages as one frame, while it is made
    struct buf view;  // an event as a CloudEvent, until it is sent
    struct rate_limit bad_token_limit, stranger_limit;
    struct rate bad_tokens, strangers;
    struct hub_stats stats;
    struct histogram connection_ms; // of WebSockets that are closed
    struct histogram event_us;      // from the news of a commit until a socket has it
    struct histogram request_us;    // of questions to an index
    int event_fd;          // of libwebsockets' own, which it closes twice; -1: not known
    dev_t placeholder_dev; // of what we put in its place
    ino_t placeholder_ino;
    bool is_closing, is_end_requested, is_ending, has_let_go, is_shut;
    void (*on_shut)(void *ctx);
    void *shut_ctx;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

/* One accepted socket, from first to last; what it became hangs on it. */
struct peer {
    struct list link;
    struct hub *hub;
    struct lws *wsi;
    struct hub_client *client;
    struct exchange *exchange;
    int64_t since_ms;
    bool is_cut; // it was silent for too long
};

/* So many more connections find a descriptor, and the copy by which it is seen that they hang up. Below zero: would,
 * with so many less. */
bool hub_has_descriptors(const struct hub *h, int n_connections);
/* One more who takes events finds a place. */
bool hub_has_place(const struct hub *h);
/* One more or less of those who take events: for idle exit, and for what closing waits for. */
void hub_tell_clients(struct hub *h);
/* Something ended: perhaps the last thing that closing waits for. */
void hub_check_closing(struct hub *h);
/* Members of an object, without braces: what /v1/stats says of the hub itself. */
void hub_add_stats(struct buf *json, const struct hub *h);
/* By id, by the path of its root, or by the name of one without: then it is opened. NULL: none. */
struct workspace *hub_find_workspace(const struct hub *h, struct str id_or_root);
/* The one that is open when there is exactly one; else NULL. Neither gives one that is being deleted. */
struct workspace *hub_only_workspace(const struct hub *h);
