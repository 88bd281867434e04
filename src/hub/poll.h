#pragma once
/* GET /v1/workspaces/{id}/events: the log in pages, for who can do nothing but ask. Private to the hub; loop thread. */
#include "hub/internal.h"

#define POLL_LIMIT_DEFAULT 500
#define POLL_LIMIT_MAX 1000
#define POLL_WAIT_S_MAX 25
#define POLL_LOOK_MS                                                                     \
    4000 // longer than asked for, for a workspace or a page that is being read

void poll_serve(struct exchange *x);
