#pragma once
/* What a language server says of an entity: three states, and why it is not known.
 * An early null is never stored as a fact. Plain data, any thread. */
#include "base/arena.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/snapshot.h"
#include "model/span.h"

#define HOVER_BYTES_MAX (64 * 1024)

/* Both enums are stored in the index by number: append only. */
enum hover_state { HOVER_UNKNOWN, HOVER_EMPTY, HOVER_KNOWN, HOVER_STATE_COUNT };

enum hover_reason {
    HOVER_REASON_NONE,      // known and empty
    HOVER_REASON_NOT_ASKED, // not its turn yet
    HOVER_REASON_NO_SERVER, // none for the language is installed or allowed
    HOVER_REASON_STARTING,
    HOVER_REASON_TIMED_OUT,
    HOVER_REASON_CRASHED,
    HOVER_REASON_BUSY,
    HOVER_REASON_CANCELLED,
    HOVER_REASON_FAILED, // the server answered with an error
    HOVER_REASON_COUNT
};

struct hover {
    enum hover_state state;
    enum hover_reason reason;
    bool stale;          // text of an earlier content; asked again in time
    struct str markdown; // when known
    struct str server;   // who said it, "clangd"
};

/* One entity to ask about. */
struct hover_target {
    struct str key;
    struct position at; // start of its name
};

struct hover_answer {
    struct str key;
    struct hover hover;
};

/* The answers for one file. Owns all it points to. */
struct hover_batch {
    struct arena arena;
    struct str path;
    struct hash128
        content; // of the text the server saw; the store drops answers for another
    uint64_t server_key; // who answers: client_server_key(); 0: it is not said
    bool is_reused;      // nobody was asked: another index knew
    bool is_handed;      // by an editor: what another one told of this content stays
    bool
        is_copied; // of another index, into a file just put: may be stale, and nothing becomes so
    bool is_late; // from a dead letter: what anybody told of this content stays
    struct hover_answer *answers;
    size_t n_answers;
};

/* A hover that somebody else asked for, of a place and not yet of an entity. */
struct handed_hover {
    struct position at, end; // end: `at`, or of the range that is hovered
    struct str markdown;
    bool is_taken;
};

/* Of one text, from an editor. Owns all it points to. */
struct handed_hovers {
    struct arena arena;
    struct snapshot *text;
    struct str source; // hover.server of each
    struct handed_hover *v;
    size_t n;
    size_t n_dropped; // before they came here
    int r;            // 0; -EAGAIN: no index yet; -ESTALE: the index has another text
};

/* "known", "empty", "unknown" */
const char *hover_state_name(enum hover_state state);
/* "timed_out"… ; "" for NONE */
const char *hover_reason_name(enum hover_reason reason);

void hover_batch_destroy(struct hover_batch *b);
void handed_hovers_destroy(struct handed_hovers *h);
DEFINE_AUTO(hover_batch_destroy, struct hover_batch *)
