#pragma once
/* libwebsockets' callbacks, the gate, and HTTP. Private to the hub; loop thread. */
#include "hub/internal.h"

extern const struct lws_protocols serve_protocols[];
/* Lets go of every client and exchange; their sockets end with libwebsockets. */
void serve_drop_all(struct hub *h);

/* One HTTP request. */
struct exchange {
    struct hub *hub;
    struct lws *wsi;
    bool is_head, is_answered;
    struct buf response; // behind LWS_PRE bytes
    struct ask *ask;
    char *path;
    struct str params[MATCH_PARAMS_MAX]; // views into path
};

#define SERVE_JSON "application/json"
#define SERVE_PROBLEM "application/problem+json"
/* Answers it; once. */
void exchange_answer(struct exchange *x, unsigned status, const char *type,
                     struct str body);
void exchange_problem(struct exchange *x, enum problem p, const char *detail);
/* Decoded; false when it is absent or longer than size. */
bool exchange_argument(const struct exchange *x, const char *name, char *ret_value,
                       size_t size);

/* ---- routes.c ---- */

struct route {
    const char *path;                  // as match_path()
    bool is_open;                      // needs no token
    void (*serve)(struct exchange *x); // NULL: a WebSocket's
};

/* NULL past the end; sorted by path. */
const struct route *route_at(size_t index);
const struct route *route_find(struct str path, struct str ret_params[MATCH_PARAMS_MAX]);
