#pragma once
/* An upload to an engine's hub: lines of JSON in one HTTP request that goes on, and the acknowledgements that come back
 * meanwhile (docs/PROTOCOL.md, Ingestion). Loop thread. Nothing is kept of a line but its number. */
#include "base/base.h"
#include "base/str.h"
#include "rt/loop.h"

struct push_wire;

struct push_address {
    uint16_t port; // of 127.0.0.1
    const char *workspace, *token, *sender;
    unsigned silence_s; // so long whoever listens there may say nothing; above 0
};

/* ---- what requests to a hub share ---- */
struct stream;
struct buf;
/* *ret_why (heap): one line for the user. -ECONNREFUSED: nobody listens there; -ETIMEDOUT: too many wait before us. */
int push_connect(struct loop *l, const struct push_address *address,
                 struct stream **ret_stream, char **ret_why);
/* Behind method and path: " HTTP/1.1" and the headers of every request, without the empty line. */
void push_add_head(struct buf *out, const struct push_address *address);
/* The status of a whole head, and what is behind it; 0: its end is not there yet; -EPROTO: it is none. */
int push_read_head(struct str text, struct str *ret_rest);
/* -ETIMEDOUT in words; heap. */
char *push_why_silent(const struct push_address *address) MUST_USE;
/* What a problem (RFC 9457) says: -EAGAIN come back later, -EPERM do not; *ret_why is heap. */
int push_refusal(unsigned status, struct str body, char **ret_why);

/* ---- an upload ---- */
struct push_events {
    /* A line that was refused, before the acknowledgement that counts it. */
    void (*on_fault)(void *ctx, uint64_t line, const char *why);
    /* All lines up to this one are committed, or were refused. */
    void (*on_ack)(void *ctx, uint64_t last_line);
    /* Once, and nothing after it. 0: all of it was acknowledged; -EPERM: this engine takes none of it; else it may be
     * tried again. why is one line for the user, borrowed; NULL: err_text(r) says it. */
    void (*on_end)(void *ctx, int r, const char *why);
};

/* The address is only read. Errors are those of push_connect(). Who owes an answer and says nothing for silence_s has
 * ended it: -ETIMEDOUT. */
int push_wire_open(struct loop *l, const struct push_address *address,
                   const struct push_events *events, void *ctx,
                   struct push_wire **ret_wire, char **ret_why);
/* One line, without its newline. The number it has, from 1. */
uint64_t push_wire_add(struct push_wire *p, struct str line);
/* No more lines: on_end comes when all are acknowledged. */
void push_wire_finish(struct push_wire *p);
/* No callback after this. Not from one of them. NULL is allowed. */
void push_wire_close(struct push_wire *p);
