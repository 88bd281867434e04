#pragma once
/* Inside lsp/wire: what a body says, apart from who is asking. */
#include "lsp/wire/wire.h"

enum message_kind {
    MESSAGE_NOTHING, // a bare null: some servers send it, it asks for nothing
    MESSAGE_REQUEST,
    MESSAGE_NOTIFICATION,
    MESSAGE_RESPONSE,
    MESSAGE_BAD,
};

/* Borrowed from the parsed body. */
struct message {
    enum message_kind kind;
    const char *method;   // request, notification
    json_t *params;       // may be NULL
    json_t *id;           // request: number or string; bad: the same or NULL
    int64_t response_id;  // response; 0 when it names none of ours
    json_t *result;       // response; may be NULL
    json_t *error;        // response that is an error: an object
    enum wire_error code; // bad
    const char *why;      // bad
};

/* Parses, with invalid UTF-8 and halves of surrogate pairs replaced; NULL when it is no JSON. A new
 * reference. */
json_t *wire_message_parse(struct str body) MUST_USE;
struct message wire_message_classify(json_t *value);

/* The peer's id as a copy; `id` is a number or a string. */
struct wire_id wire_message_id(const json_t *id);
void wire_message_add_id(struct buf *b, const struct wire_id *id); // NULL: null
