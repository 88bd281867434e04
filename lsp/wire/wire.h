#pragma once
/* LSP base protocol over a stream: frames (Content-Length) and JSON-RPC 2.0 envelopes.
 * Knows no method. Used by both ends: sessions of editors and clients of language
 * servers. Loop thread. Owns the stream, the read buffer and the table of our pending
 * requests. */
#include <jansson.h>

#include "base/base.h"
#include "base/str.h"
#include "rt/loop.h"
#include "rt/stream.h"

#define WIRE_MESSAGE_BYTES_MAX (64u << 20)
#define WIRE_HEADER_BYTES_MAX 8192
#define WIRE_PENDING_MAX 65536
#define WIRE_BACKLOG_BYTES_MAX                                                           \
    (256u << 20) // a peer that does not read is dropped at this

/* JSON-RPC and LSP error codes. */
enum wire_error {
    WIRE_PARSE_ERROR = -32700,
    WIRE_INVALID_REQUEST = -32600,
    WIRE_METHOD_NOT_FOUND = -32601,
    WIRE_INVALID_PARAMS = -32602,
    WIRE_INTERNAL_ERROR = -32603,
    WIRE_NOT_INITIALIZED = -32002,
    WIRE_REQUEST_FAILED = -32803,
    WIRE_SERVER_CANCELLED = -32802,
    WIRE_CONTENT_MODIFIED = -32801,
    WIRE_REQUEST_CANCELLED = -32800,
};

struct wire;

/* The peer's id of its request: number or string, copied. */
struct wire_id {
    bool is_string;
    int64_t number;
    char *string; // heap
};
void wire_id_finish(struct wire_id *id);
struct wire_id wire_id_copy(const struct wire_id *id);
bool wire_id_eq(const struct wire_id *a, const struct wire_id *b);

struct wire_events {
    /* params may be NULL; borrowed. A request is answered with wire_reply*() by its id,
     * once. */
    void (*on_request)(void *ctx, const struct wire_id *id, const char *method,
                       json_t *params);
    void (*on_notification)(void *ctx, const char *method, json_t *params);
    /* Malformed message that did not end the stream: -32700 or -32600 was already
     * answered. May be NULL. */
    void (*on_bad_message)(void *ctx, const char *why);
    /* Once: end of file (r 0), or a broken frame / limit / I/O error (r < 0, why says it
     * in one line). Every pending request got its answer (r < 0) before. wire_close()
     * follows, by the owner. */
    void (*on_end)(void *ctx, int r, const char *why);
};

/* Takes the stream for reading; `out` may be another one (stdio) or NULL when both are
 * the same. */
struct wire *wire_open(struct loop *l, struct stream *in, struct stream *out,
                       const struct wire_events *events, void *ctx) MUST_USE;
/* Nothing is called after; pending requests are dropped without an answer; closes the
 * streams. NULL is allowed. */
void wire_close(struct wire *w);
/* Tell the peer that we are done writing (closes its stdin after what is pending). */
void wire_shutdown(struct wire *w);

/* r: 0 result (borrowed, may be JSON null); > 0 never; -EPROTO the peer answered an
 * error: error_code and message are set; -EPIPE the stream ended. */
struct wire_answer {
    int r;
    json_t *result;
    int64_t error_code;
    const char *error_message;
};
typedef void (*wire_answer_fn)(void *ctx, const struct wire_answer *answer);

/* All take `params` (a reference; may be NULL). Returns the id (> 0) for wire_cancel, 0
 * when WIRE_PENDING_MAX is reached (answered -EBUSY from the loop). */
int64_t wire_request(struct wire *w, const char *method, json_t *params,
                     wire_answer_fn fn, void *ctx);
/* Forget the answer (fn is not called) and send $/cancelRequest. Unknown ids are
 * ignored. */
void wire_cancel(struct wire *w, int64_t id);
void wire_notify(struct wire *w, const char *method, json_t *params);
void wire_reply(struct wire *w, const struct wire_id *id,
                json_t *result); // takes; NULL is null
/* The result already as JSON text. */
void wire_reply_text(struct wire *w, const struct wire_id *id, struct str result);
void wire_reply_error(struct wire *w, const struct wire_id *id, int code,
                      const char *message);
size_t wire_backlog(const struct wire *w);
/* When the end of the message that is being told was read; of clock_mono_ns(). */
int64_t wire_read_ns(const struct wire *w);

/* ---- frames alone (wire/frame.c): pure; used by the bridge, the tests and the fuzzer
 * ---- */

/* Conditions. */
#define WIRE_E_MORE 1 // not a whole frame yet

/* The first whole frame in `bytes`: ret_body views into it, ret_used is what to consume.
 * Header names in any case, Content-Type ignored, LF alone accepted. -EPROTO broken
 * header, -EMSGSIZE over the limit. */
int wire_frame_parse(struct str bytes, struct str *ret_body, size_t *ret_used);
void wire_frame_add(struct buf *b, struct str body);
