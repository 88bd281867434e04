#pragma once
/* How much and how long: what hub.h does not tell outside. Private to the hub. */

/* Sockets that are no WebSockets: to be told 503, probes, HTTP. */
#define HUB_SOCKETS_SPARE 64
/* Of them, where descriptors are few; and that are being closed, to make room. */
#define HUB_SOCKETS_TOLD 8
#define HUB_SOCKETS_CUT 16
/* Of replies that wait on one connection; above it nothing more is read. */
#define HUB_REPLY_BYTES_MAX (256u << 10)
#define HUB_STUCK_MS 10000 // no byte accepted while work is pending;
/* then for the peer to take what is on its way, and the close. */
#define HUB_STUCK_GRACE_MS 4000
#define HUB_CLOSE_MS 1000 // for clients to take their 1001
/* Events of this time go out together, but a commit after a quiet time. */
#define HUB_WAKE_MS 2
#define HUB_FRAMES_MAX 64 // of one turn of a connection, and
#define HUB_FRAMES_BYTES_MAX (64u << 10)
#define HUB_PARCELS_BYTES_MAX (512u << 10) // so, when they are made for many
#define HUB_SILENT_MS 5000                 // of a socket that asks for nothing
#define HUB_SILENT_FULL_MS 1000            // when others wait for its place
#define HUB_SLOW_ANSWER_MS 1000            // is written to the log
#define HUB_BAD_MAX 64                     // bad requests in a row
#define HUB_LINES_MAX 256                  // of one WebSocket message, of gloss.v1.ndjson
#define HUB_ID_BYTES_MAX 128               // request_id
#define HUB_VALUES_MAX (1u << 17)          // of a message or a line

#define HUB_CLOSE_SLOW 4008
#define HUB_CLOSE_OVERLOADED 4013
#define HUB_CLOSE_RATE 4029
#define HUB_CLOSE_FLOOD 4502
