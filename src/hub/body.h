#pragma once
/* How a request's body is framed: what its headers say, and chunks taken off, which libwebsockets
 * leaves on. Pure. Private to the hub; any thread. */
#include "base/base.h"
#include "base/str.h"

#define BODY_LINE_BYTES_MAX 256       // a chunk's size with its extensions
#define BODY_EXTENSION_BYTES_MAX 8192 // of all chunks of a body together
#define BODY_TRAILER_BYTES_MAX 4096
#define BODY_SIZE_BYTES_MAX (INT64_C(1) << 50) // of a Content-Length, and of a chunk

enum body_framing { BODY_FRAMING_NONE, BODY_FRAMING_LENGTH, BODY_FRAMING_CHUNKED };

struct body_frame {
    enum body_framing framing; // LENGTH: of at least one byte
    uint64_t size_bytes;       // of LENGTH
};

/* From the values of Transfer-Encoding and Content-Length, STR_NONE when absent; each came once, or
 * its values arrive joined by a comma. -EINVAL: not exactly one known framing. */
int body_read_framing(struct str transfer_encoding, struct str content_length,
                      struct body_frame *ret_frame);

enum body_type { BODY_TYPE_NONE, BODY_TYPE_JSON, BODY_TYPE_LINES, BODY_TYPE_OTHER };
/* Of Content-Type: absent, application/json, application/x-ndjson (charset utf-8 or none), another. */
enum body_type body_read_type(struct str content_type);

/* Chunks under way; a zeroed one is at the beginning. */
struct body_decoder {
    enum {
        BODY_AT_SIZE,
        BODY_AT_EXTENSION,
        BODY_AT_SIZE_LF,
        BODY_AT_DATA,
        BODY_AT_DATA_CR,
        BODY_AT_DATA_LF,
        BODY_AT_TRAILER, // begins a line
        BODY_AT_TRAILER_REST,
        BODY_AT_TRAILER_LF,
        BODY_AT_LAST_LF,
        BODY_AT_END
    } at;
    uint64_t left; // of the chunk; while its size is read, the size so far
    unsigned n_digits, line_bytes, extension_bytes, trailer_bytes;
};

#define BODY_E_END                                                                       \
    1 // the last chunk and the trailers are over; what is left of *bytes is not the body's

/* Takes bytes off *bytes up to the end of the next piece of the body, which is a view into them.
 * 0: an empty piece means that all was taken. -EPROTO: not chunks, or above a limit. */
int body_decode(struct body_decoder *d, struct str *bytes, struct str *ret_piece);
