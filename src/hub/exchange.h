#pragma once
/* One HTTP request and its answer, for those who serve it. Private to the hub; loop thread. */
#include <jansson.h>

#include "hub/internal.h"

#include "hub/body.h"
#include "hub/tree.h"

#define EXCHANGE_BODY_BYTES_MAX (8u << 20)    // of BODY_JSON
#define EXCHANGE_BODIES_BYTES_MAX (64u << 20) // of all of them at once
/* As sent. After 100 MiB of a body in chunks libwebsockets reads no more: what comes behind this must
 * still fit below, to be thrown away. */
#define EXCHANGE_CHUNKED_BYTES_MAX (64u << 20)
#define EXCHANGE_BODY_AGE_MS 300000 // libwebsockets lets no request be older than 370 s
#define EXCHANGE_VALUES_MAX (1u << 18) // of BODY_JSON
#define EXCHANGE_LATE "no answer within 30 s"
#define SERVE_JSON "application/json"
#define SERVE_LINES "application/x-ndjson"
#define SERVE_PROBLEM "application/problem+json"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };

/* What goes on while a body comes in or an answer goes out in parts. Any member may be NULL. */
struct exchange_stream {
    void (*on_bytes)(void *owner, struct str bytes); // decoded (chunks taken off)
    void (*on_body_end)(void *owner);                // all of it came
    /* It will not: too long, too old, or no chunks. NULL: the connection ends without a word. */
    void (*on_body_cut)(void *owner, const char *why);
    /* More of a streamed answer is wanted: appends <= HUB_FRAME_BYTES_MAX. true: call again; false:
     * nothing more now, exchange_wake() when there is. */
    bool (*next_part)(void *owner, struct buf *part);
    /* Nothing was answered for 30 s: answers with a problem, and with nothing after it. NULL: whoever serves it has a
     * time of its own. */
    void (*on_late)(void *owner);
    /* The connection ended, whatever the reason; owner is freed here. Called exactly once. */
    void (*on_gone)(void *owner);
};

/* Lives as long as its connection, which ends with the answer. */
struct exchange {
    struct hub *hub;
    struct lws *wsi;
    enum http_method method;
    bool is_head;
    const struct route *route;
    char *path;
    struct str params[MATCH_PARAMS_MAX]; // views into path
    struct buf args;                     // name=value, a NUL behind each
    char *origin;                        // an allowed one, which is to be told so
    struct ask *ask;
    /* The body. */
    struct body_frame frame;
    struct body_decoder decoder;
    struct buf body;        // of BODY_JSON; stays until the exchange goes
    struct tree_read *read; // a worker has the body
    struct tree tree;       // of a large one
    bool has_tree;
    uint64_t body_bytes, chunked_bytes;
    bool is_read_by_lws; // libwebsockets hands over what comes, and sees the peer go
    bool is_body_done;   // or there is none
    bool is_body_cut, is_paused, is_stopped;
    /* The answer. */
    struct buf headers;  // more of them, each with its CRLF
    struct buf response; // behind LWS_PRE bytes: what is not written yet
    bool is_answered, is_streamed, is_ended, is_written, is_pending, is_lingering,
        is_dropped;
    bool has_let_go; // of libwebsockets' copy of the headers
    const struct exchange_stream *stream;
    void *owner;
    /* Keeping an eye on it. */
    int64_t begun_ms, read_ms, progress_ms;
    uint64_t acked_bytes, drained_bytes;
    struct hangup *hangup; // of one that libwebsockets does not read from
    unsigned n_ends;
};

/* Answers it; once. */
void exchange_answer(struct exchange *x, unsigned status, const char *type,
                     struct str body);
void exchange_problem(struct exchange *x, enum problem p, const char *detail);
/* The body of BODY_JSON, which must be an object. NULL: the problem was answered. */
json_t *exchange_read_object(struct exchange *x) MUST_USE;
/* Before it is answered. Ours, or checked: without CR and LF. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);
/* Of the address, decoded; false when it is absent. A view that stays as long as the exchange. */
bool exchange_argument_view(const struct exchange *x, const char *name,
                            struct str *ret_value);
/* The same, copied; false also when it is longer than size. */
bool exchange_argument(const struct exchange *x, const char *name, char *ret_value,
                       size_t size);
/* A header that libwebsockets has no name for, in small letters with its colon: "last-event-id:".
 * While serve runs. */
bool exchange_header(const struct exchange *x, const char *name, char *ret_value,
                     size_t size);

/* ---- in parts ---- */
/* From serve; the stream and the owner stay until on_gone. Also for an answer that comes late. */
void exchange_set_stream(struct exchange *x, const struct exchange_stream *stream,
                         void *owner);
/* Back-pressure; up to 16 KiB may come all the same. */
void exchange_pause_body(struct exchange *x, bool is_paused);
/* Headers of a streamed answer: it has no Content-Length and ends with the connection. */
void exchange_begin(struct exchange *x, unsigned status, const char *type);
void exchange_wake(struct exchange *x); // next_part has something
void exchange_end(struct exchange *x);  // after what next_part still gives
