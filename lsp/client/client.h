#pragma once
/* One upstream language server for one root: a state table, requests with deadline and
 * cancel, capabilities, quirks. Loop thread. Owns the child process and its wire.
 *
 *   STOPPED → STARTING → READY → STOPPING → STOPPED
 *                │  crash │
 *                └► BACKOFF → STARTING …  five in 3 min → GIVEN_UP (until client_start)
 */
#include <jansson.h>

#include "base/base.h"
#include "base/str.h"
#include "lsp/client/spec.h"
#include "model/hover.h"
#include "rt/loop.h"

#define CLIENT_CRASHES_MAX 5
#define CLIENT_CRASH_WINDOW_MS (3 * 60 * 1000)
#define CLIENT_BACKOFF_MS_MIN 1000
#define CLIENT_BACKOFF_MS_MAX 60000
#define CLIENT_INITIALIZE_MS 30000
#define CLIENT_STOP_GRACE_MS 2000
#define CLIENT_STDERR_BYTES 4096 // tail kept
/* The editor's own servers and builds go first, where the kernel weighs processes. Where it weighs sessions
 * (autogroup) it has no effect, on purpose: a session as nice was waited for less (the slowest of 40 hovers
 * beside clangd: 1.7 to 3.5 instead of 3.6 to 6.7 ms), but beside builds hovers timed out. */
#define CLIENT_NICENESS 5

enum client_state {
    CLIENT_STOPPED,
    CLIENT_STARTING,
    CLIENT_READY,
    CLIENT_STOPPING,
    CLIENT_BACKOFF,
    CLIENT_GIVEN_UP,
    CLIENT_STATE_COUNT
};
const char *client_state_name(enum client_state state);

struct client;

/* None of them runs once client_close() was called. */
struct client_events {
    /* May run from within client_start(); again for the same state when more is known of
     * why, which may be NULL. */
    void (*on_state)(void *ctx, enum client_state state, const char *why);
    /* $/progress ended or the server said it is quiescent: provisional answers may be
     * asked again. May be NULL. */
    void (*on_quiescent)(void *ctx);
};

struct client_options {
    const struct client_spec *spec; // outlives the client
    const char *program;            // absolute
    const char *root;               // absolute, real: where the server works
    const char *workspace_root;     // real; NULL: the same
    const char *guard_program;      // rt/child.h
    uint64_t deadline_ms;
    uint64_t backoff_ms_min; // 0: CLIENT_BACKOFF_MS_MIN
};

struct client *client_open(struct loop *l, const struct client_options *options,
                           const struct client_events *events, void *ctx) MUST_USE;
void client_start(struct client *c); // no-op unless stopped or given up
enum client_state client_state(const struct client *c);
/* It leaves one of our processors to others, from now on and after restarts, or uses all again. */
void client_leave_processor(struct client *c, bool is_left);
/* As if it had crashed, for this reason; no-op unless starting or ready. */
void client_fail(struct client *c, const char *why);
/* Of the last state, with stderr's tail; may be NULL. */
const char *client_why(const struct client *c);
/* shutdown, exit, 2 s, TERM, KILL of the group; then on_closed and the memory is gone.
 * Pending hovers are answered cancelled first. */
void client_close(struct client *c, void (*on_closed)(void *ctx), void *ctx);

/* True when no $/progress is under way and the server has not said that it is busy. */
bool client_is_quiescent(const struct client *c);

/* READY only. Paths are absolute or relative to the workspace. One open per path at a time; a
 * crash closes all. Text is copied into the message. */
void client_did_open(struct client *c, const char *path, const char *language_id,
                     struct str text);
void client_did_close(struct client *c, const char *path);

/* What became of one hover. known/empty/unknown with reason; is_provisional: empty or
 * "(loading...)" that the server may yet take back. */
struct client_hover {
    struct hover hover; // markdown borrowed
    bool is_provisional;
    unsigned n_retries; // after ContentModified or ServerCancelled
    int64_t took_us;
};
typedef void (*client_hover_fn)(void *ctx, const struct client_hover *answer);

struct client_request; // valid until its fn ran
/* `at` is converted to the server's encoding (line text needed for utf-32). fn is called
 * once, never from within this call. At the deadline, which an answer for the same file
 * puts off: $/cancelRequest and unknown(timed_out). ContentModified and ServerCancelled are asked again up to 3 times. */
struct client_request *client_hover(struct client *c, const char *path,
                                    struct position at, client_hover_fn fn, void *ctx);
/* fn gets unknown(cancelled), from the loop. */
void client_hover_cancel(struct client_request *r);

struct client_stats {
    uint64_t requests, answers, timeouts, errors, restarts, pending;
    int pid; // 0 when none runs
    uint64_t rss_bytes;
    char version[128]; // serverInfo
};
struct client_stats client_stats(const struct client *c);
/* Names whose answers these are, for the cache: hash of the server's name, its version, its
 * settings and its initialization options. 0 before it was READY for the first time. */
uint64_t client_server_key(const struct client *c);
