#pragma once
/* Who may come in: pure checks of what a request's headers say. Private to the hub; any thread. */
#include "base/base.h"
#include "base/str.h"

#define GATE_ORIGINS_MAX 16
#define GATE_ORIGIN_BYTES_MAX 256
#define GATE_SUBPROTOCOL "gloss.v1"              // a message is one JSON object
#define GATE_SUBPROTOCOL_LINES "gloss.v1.ndjson" // or several, a line each

/* One Host naming this machine's loopback: 127.0.0.1, localhost or [::1], with or without a port (an
 * editor's proxy forwards under its own). A foreign name is DNS rebinding. */
bool gate_host_is_ours(struct str host);
/* Exactly http://127.0.0.1:PORT, http://localhost:PORT or one of `allowed`. */
bool gate_origin_is_ours(struct str origin, uint16_t port, char *const *allowed,
                         size_t n_allowed);
/* What follows "Bearer "; empty when it is anything else. */
struct str gate_bearer(struct str authorization);

/* What an upgrade says besides Upgrade: "upgrade" is a word of Connection; the key is 16 bytes in base64. */
bool gate_connection_upgrades(struct str connection);
bool gate_key_is_wellformed(struct str key);

struct gate_offer {
    bool has_gloss;   // one of our subprotocols is among them
    struct str token; // of "bearer.<token>"; empty: none
};
/* The list of Sec-WebSocket-Protocol. -EINVAL: empty members, or two tokens. */
int gate_read_offer(struct str list, struct gate_offer *ret_offer);
/* scheme://host[:port] as a browser writes it, at most GATE_ORIGIN_BYTES_MAX; never "null". */
bool gate_origin_is_wellformed(struct str origin);
