#pragma once
/* One WebSocket, and the messages it sends. Private to the hub; loop thread. */
#include <jansson.h>

#include "hub/internal.h"
#include "hub/rate.h"
#include "hub/sub.h"
#include "hub/tree.h"

struct hub_client {
    struct list link; // the hub's
    struct hub *hub;
    struct lws *wsi;
    char id[24];
    struct workspace *home; // of its URL; NULL: none
    bool wants_subscription;
    bool is_open;
    bool is_pending; // libwebsockets was asked to call when it is writable
    bool is_paused;  // nothing is read
    bool has_lines;  // many messages in one, a line each
    bool is_cloudevents;
    struct buf in;    // a message that is not complete yet
    struct buf lines; // of a message of many, those that wait for room
    size_t lines_at;
    struct tree_read *read; // a worker has a message, before which no other is read
    int64_t read_wait_ms;   // what it is told, when it came too soon
    struct rate requests, floods;
    struct list replies;
    size_t reply_bytes;
    struct sub_owner owner; // of its subscriptions
    struct list asks;
    size_t n_asks;
    int64_t open_ms, progress_ms, close_ms;
    uint64_t acked_bytes;
    unsigned n_bad;
    bool is_ending, is_ended; // to be closed; told to libwebsockets
    uint16_t close_code;      // 0: stays open
    const char *close_why;
};

struct hub_client *hub_client_create(struct hub *h, struct lws *wsi,
                                     struct workspace *home, bool wants_subscription)
    MUST_USE;
void hub_client_destroy(struct hub_client *c);
/* The two with a result return non-zero to end the connection, as libwebsockets wants it. */
void hub_client_on_open(struct hub_client *c);
int hub_client_on_bytes(struct hub_client *c, struct str bytes);
int hub_client_on_writable(struct hub_client *c);
/* Once a second. */
void hub_client_on_tick(struct hub_client *c, int64_t now_ms);
void hub_client_heartbeat(struct hub_client *c);
/* Begin a message; it is given with hub_client_send(), which takes its bytes. */
void message_begin(struct buf *b);
void hub_client_send(struct hub_client *c, struct buf *message);
/* A subscription may have something to send. */
void hub_client_wake(struct hub_client *c);
/* After the replies that wait; with 4008 before them. */
void hub_client_close(struct hub_client *c, uint16_t code, const char *why);
/* With 4008, and nothing more is sent. */
void hub_client_close_slow(struct hub_client *c, const char *why);
/* Without what libwebsockets and the kernel have. */
size_t hub_client_memory(const struct hub_client *c);
/* Ends those that are to be. */
void hub_client_end_all(struct hub *h);

/* ---- actions.c ---- */

struct request {
    struct hub_client *client;
    const json_t *data;          // where its arguments are
    const char *request_id;      // JSON text
    struct workspace *workspace; // NULL: none named, and not exactly one open
    bool names_unknown;          // a workspace that is not open
    struct str workspace_name;   // as it was named
};

struct action {
    const char *name;
    bool needs_workspace;
    void (*run)(struct request *request);
};

/* NULL past the end; sorted by name. */
const struct action *action_at(size_t index);
const struct action *action_find(struct str name);
/* One message of the client, and the tree of it. retry_after_ms: 0, or it comes too soon, and is told so. */
void action_dispatch(struct hub_client *c, struct str text, const struct tree *tree,
                     int64_t retry_after_ms);
void request_problem(struct request *request, enum problem p, const char *detail);
/* Gives the request_id away: to a question, or to free(). */
struct asker request_asker(struct request *request) MUST_USE;
