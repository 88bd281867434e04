#pragma once
/* Inside src/enrich: a server with its queue, and a file's way through it (task.c). */
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "enrich/enrich.h"
#include "lsp/client/client.h"
#include "rt/timer.h"

#define ENRICH_PRIORITIES 3
#define ENRICH_NULLS 2  // the same null so often is an empty hover
#define ENRICH_PROBES 4 // after a first deadline passed in a file without any answer
#define ENRICH_ROUNDS 8 // of provisional answers
#define ENRICH_PARK_MS_MIN 250 // doubled each round
#define ENRICH_PARK_MS_MAX 8000
#define ENRICH_LOOK_AGAIN_MS 30000 // for a language that had no server

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_PARKED, TASK_DONE };

enum ask_state {
    ASK_DUE, // this round
    ASK_IN_FLIGHT,
    ASK_AGAIN, // next round, at once
    ASK_LATER, // next round, after a pause: the server may not be ready
    ASK_FINAL,
};

struct ask {
    struct task *task;
    struct client_request *request; // in flight
    enum ask_state state;
    uint8_t n_nulls;
};

/* One file. In a list of its server by state, or in enrich's `done`. */
struct task {
    struct list link;
    struct enrich_job *job;
    struct hover_batch *batch;
    struct server *server; // NULL: no server
    enum task_state state;
    struct ask *asks; // as many as the batch has answers
    size_t next;      // no ASK_DUE before it
    size_t n_in_flight, n_final;
    bool is_open;      // by didOpen
    bool has_answered; // since then
    bool is_probing;   // one at a time until something answers
    unsigned n_probes, n_rounds;
    int64_t wake_ms;
};

struct server {
    struct enrich *e;
    struct client_spec spec;
    char *program;
    struct client *client; // once it was needed
    struct list waiting[ENRICH_PRIORITIES], running, parked;
    size_t n_running, n_in_flight;
    bool is_silent; // a whole file went by without an answer
    char version[sizeof(((struct client_stats *)NULL)->version)];
};

struct lang_server {
    struct server *server; // NULL: none when last looked
    int64_t looked_ms;
};

struct enrich {
    struct loop *loop;
    const struct config *config;
    char *root, *guard_program;
    const struct enrich_events *events;
    void *ctx;
    VEC(struct server *) servers;
    struct map *langs;   // → lang_server
    struct map *by_path; // → the newest task of the path
    struct list done;    // batches to be given away at the next turn
    size_t n_tasks;
    struct timer *turn, *wake;
    bool is_paused, is_wanted_due, is_server_due, is_idle_told;
    size_t n_clients; // not closed
    bool is_closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

/* enrich.c */
void enrich_arm(struct enrich *e); // something is to be done at the next turn

/* task.c */
struct task *task_create(struct enrich *e, struct enrich_job *job);
void task_destroy(struct task *t);
/* All that is not final becomes unknown for that reason. */
void task_settle(struct task *t, enum hover_reason reason);
void task_cancel(struct task *t);
bool task_is_settled(const struct task *t);
void task_start(struct task *t);
/* Sends what the windows allow. */
void task_fill(struct task *t);
/* The round is over: begins the next, parks, or hands the batch over. */
void task_step(struct task *t);
/* Back to the queue: the process that had the file open is gone, or the pause is over. */
void task_requeue(struct task *t);
