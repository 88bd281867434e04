#pragma once
/* GET /v1/events/stream: Server-Sent Events. Private to the hub; loop thread. */
#include "hub/follow.h"

#define SSE_HEARTBEAT_MS 15000
#define SSE_RETRY_MS 2000

void sse_serve(struct exchange *x);
/* Behind the address: takes the filter of args. is_older: events have the names of an earlier document. */
void sse_open(struct exchange *x, const struct follow_args *args, bool is_older);
/* One event. `id` as JSON texts have it, printable; empty: the client's stays what it was. `data` has no line ends. */
void sse_add_event(struct buf *b, struct str id, const char *event_type, struct str data);
