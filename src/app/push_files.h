#pragma once
/* What an engine has of one sender's files: asked page by page before a push begins (docs/PROTOCOL.md, Ingestion). Loop
 * thread. */
#include "app/push_wire.h"

struct push_files;

struct push_files_events {
    void (*on_file)(void *ctx, struct str path);
    /* Once, and nothing after it. 0: that were all; else why is one line for the user. */
    void (*on_end)(void *ctx, int r, const char *why);
};

/* The address stays until the end. No callback before it returned. */
struct push_files *push_files_open(struct loop *l, const struct push_address *address,
                                   const struct push_files_events *events, void *ctx)
    MUST_USE;
/* No callback after this; from one of them as well. NULL is allowed. */
void push_files_close(struct push_files *p);
