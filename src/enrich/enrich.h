#pragma once
/* Which entity to ask next, how many at once, join per file. For each file: didOpen,
 * every hover (join-all, window per server), didClose, one hover_batch when the last
 * answered, timed out or was cancelled. A slow or dead server costs its own answers and
 * nothing else. Loop thread. Owns the clients, one per server and root. */
#include "base/base.h"
#include "config/config.h"
#include "model/hover.h"
#include "model/snapshot.h"
#include "rt/loop.h"

/* Processes of one server, each at a root of its own; what lies under further roots is asked of
 * the one at the workspace's. */
#define ENRICH_ROOTS_MAX 4

struct enrich;

/* One file to ask about. Owns what it points to; given to enrich_submit. */
struct enrich_job {
    char *path;        // relative to the root
    char *lang;        // key prefix
    char *language_id; // LSP
    struct snapshot *text;
    struct hash128 content; // of text
    struct arena arena;     // of targets
    struct hover_target *targets;
    size_t n_targets;
    int priority; // 0 to 2, higher first: 2 open document, 1 changed lately, 0 the rest
};
void enrich_job_destroy(struct enrich_job *job);
DEFINE_AUTO(enrich_job_destroy, struct enrich_job *)

struct enrich_events {
    /* A file's batch; the callee owns it. Answers of kind unknown are in it too, with
     * their reason. */
    void (*on_batch)(void *ctx, struct hover_batch *batch);
    /* Room for more jobs (fewer than the window are waiting): ask the store for the next
     * files. May come often. */
    void (*on_wanted)(void *ctx);
    /* Nothing waits and nothing runs any more. */
    void (*on_idle)(void *ctx);
    /* is_all: a server that was long in becoming ready is, or speaks at last: what is unknown may be asked
     * for again. Else: what was left out while it was mute may be. May be NULL. */
    void (*on_again)(void *ctx, bool is_all);
    /* A server changed state; for status. */
    void (*on_server)(void *ctx);
};

struct enrich *enrich_open(struct loop *l, const struct config *config, const char *root,
                           const char *guard_program, const struct enrich_events *events,
                           void *ctx) MUST_USE;
/* Starts the language's server if it is not running. When there is none, on_batch
 * follows (from the loop) with unknown(no_server) for all. A later job for the same path
 * replaces a waiting one and cancels a running one: each job gives one batch all the
 * same, with unknown(cancelled) for what was not answered. */
void enrich_submit(struct enrich *e, struct enrich_job *job);
void enrich_cancel_path(struct enrich *e, const char *path);
size_t enrich_waiting(const struct enrich *e);              // jobs not finished
bool enrich_has_server(struct enrich *e, const char *lang); // configured or on PATH
/* Who answers for this language (hover_batch.server_key), once it was ready; else 0. */
uint64_t enrich_server_key(const struct enrich *e, const char *lang);
void enrich_pause(struct enrich *e);
void enrich_resume(struct enrich *e);
bool enrich_is_paused(const struct enrich *e);
/* For minutes it said nothing of what it was asked: now only open documents are asked about (a job of
 * another one is answered unknown at once), until on_again. */
bool enrich_is_mute(struct enrich *e, const char *lang, const char *path);
/* Somebody asked for it: servers that were given up or mute get another chance, and languages that had
 * none are looked up. */
void enrich_retry(struct enrich *e);
/* An editor asked for something: its request goes first, nothing new is sent for 200 ms. */
void enrich_yield(struct enrich *e);
/* All servers that run or start do without one of our processors, or may use all of them again. */
void enrich_leave_processor(struct enrich *e, bool is_left);

struct enrich_server_status {
    const char *name, *program, *root, *state, *why, *version;
    int pid;
    uint64_t rss_bytes, requests, answers, timeouts, errors, restarts, pending;
    uint64_t window, best_us; // hovers at once; latency that it is judged by
};
/* Borrowed until the next loop turn; false past the end. */
bool enrich_server_at(const struct enrich *e, size_t index,
                      struct enrich_server_status *ret_status);
/* Stops the servers (all at once), drops waiting jobs, then on_closed. */
void enrich_close(struct enrich *e, void (*on_closed)(void *ctx), void *ctx);
