#pragma once
/* WebSocket and HTTP on 127.0.0.1, by libwebsockets on our loop. Loop thread. Serves the workspaces
 * of the registry: live events, replay, search, stats, probes. */
#include "base/base.h"
#include "rt/loop.h"
#include "workspace/workspace.h"

#define HUB_CONNECTIONS_MAX 1024
#define HUB_MESSAGE_BYTES_MAX (1u << 20)
#define HUB_FRAME_BYTES_MAX (256u << 10) // out
#define HUB_SUBSCRIPTIONS_MAX 64         // per connection
#define HUB_PENDING_MAX 8                // questions of one connection at the index
#define HUB_RATE 200                     // of them a second,
#define HUB_RATE_BURST 400               // and so many at once
#define HUB_HEARTBEAT_MS 30000
#define HUB_TOKEN_HEX 64

struct hub;

struct hub_options {
    uint16_t port;     // 0: any
    const char *token; // HUB_TOKEN_HEX hex digits; copied
    /* Of all connections, because all come from this machine; 0: as many as there are. */
    uint64_t bad_tokens_per_min, strangers_per_s;
    /* Number of clients that take events changed; for idle exit. May be NULL. */
    void (*on_clients)(void *ctx, size_t n_clients);
    void *ctx;
};

/* The registry outlives it. -EADDRINUSE; -ENOPKG: the event library package is missing; other -errno;
 * *ret_why (heap) says what to do. */
int hub_open(struct loop *l, const struct hub_options *options,
             struct workspaces *workspaces, struct hub **ret_hub, char **ret_why);
uint16_t hub_port(const struct hub *h);
size_t hub_clients(const struct hub *h);
/* Allow one more Origin, e.g. of an editor's webview. At most 16, each at most 256 bytes; -ENOSPC, -EINVAL. */
int hub_allow_origin(struct hub *h, const char *origin);
/* Lets nobody in any more, closes clients with 1001, lets go of every workspace, then on_shut. */
void hub_shut(struct hub *h, void (*on_shut)(void *ctx), void *ctx);
/* After on_shut, and once no other thread opens files (the registry is closed): libwebsockets closes
 * a descriptor twice when it ends. */
void hub_close(struct hub *h, void (*on_closed)(void *ctx), void *ctx);
