#pragma once
/* libwebsockets' callbacks, the gate, and the life of an HTTP request. Private to the hub; loop thread. */
#include "hub/exchange.h"

extern const struct lws_protocols serve_protocols[];
/* Lets go of every client and exchange; their sockets end with libwebsockets. */
void serve_drop_all(struct hub *h);
/* Once a second. */
void serve_on_tick(struct hub *h, int64_t now_ms);

/* ---- upgrade.c ---- */

/* As libwebsockets asks before it switches; a result that is not 0 ends the connection. */
int upgrade_begin(struct peer *peer);

/* ---- routes.c ---- */

enum body_kind { BODY_NONE, BODY_JSON, BODY_STREAM };

struct route {
    const char *path; // as match_path()
    enum http_method
        method; // GET (HEAD too), POST or DELETE; a path may stand in several rows
    /* JSON: whole, in x->body, before serve is called. STREAM: serve is called at the headers. */
    enum body_kind body;
    bool is_open;                      // needs no token
    void (*serve)(struct exchange *x); // NULL: a WebSocket's
};

/* NULL past the end; sorted by path, then method. */
const struct route *route_at(size_t index);
/* NULL: there is none; *ret_methods then has a bit (1 << method) for each that the path knows. */
const struct route *route_find(struct str path, enum http_method method,
                               struct str ret_params[MATCH_PARAMS_MAX],
                               unsigned *ret_methods);

/* ---- exchange.c: for libwebsockets' callbacks; a result that is not 0 ends the connection ---- */

struct exchange *exchange_create(struct hub *h, struct lws *wsi) MUST_USE;
void exchange_destroy(struct exchange *x);
/* Copies what the address says behind its '?'. */
void exchange_read_arguments(struct exchange *x);
/* The gate let it pass and it has its route: serves it, or waits for its body. */
void exchange_on_begin(struct exchange *x);
int exchange_on_bytes(struct exchange *x, struct str raw);
int exchange_on_bytes_end(struct exchange *x);
int exchange_on_writable(struct exchange *x);
void exchange_on_tick(struct exchange *x, int64_t now_ms);
