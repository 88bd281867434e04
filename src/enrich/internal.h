#pragma once
/* Inside src/enrich: a server with its queue, and a file's way through it (task.c). */
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "enrich/enrich.h"
#include "enrich/mute.h"
#include "enrich/window.h"
#include "lsp/client/client.h"
#include "rt/timer.h"

#define ENRICH_PRIORITIES 3
#define ENRICH_NULLS 2  // the same null so often is an empty hover
#define ENRICH_DEATHS 2 // with so many a hover in flight is taken for the cause
#define ENRICH_PROBES 4 // after a first deadline passed in a file without any answer
#define ENRICH_AGAIN 3  // it may become quiescent for a moment first
#define ENRICH_ROUNDS 8 // of provisional answers
#define ENRICH_PARK_MS_MIN 250 // doubled each round
#define ENRICH_PARK_MS_MAX 8000
#define ENRICH_LOOK_AGAIN_MS 30000 // for a language that had no server
#define ENRICH_GOOD_MIN 3          // hovers with text: from then on a null is believed
#define ENRICH_ROUNDS_UNPROVEN 4   // or after so many rounds of nulls: 4 s
#define ENRICH_YIELD_MS 200        // nothing new is sent after an editor's request
#define ENRICH_TURN_HOVERS 8       // sent in one turn of the loop while an editor asks
#define ENRICH_WATCH_MS 2000       // between two looks at a working server's memory

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
    int64_t sent_us;
    enum ask_state state;
    uint8_t n_nulls, n_deaths;
    bool is_alone; // sent after the file's first answer and before hardly anything
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
    int64_t first_answer_us;
    bool is_probing; // one at a time until something answers
    bool is_suspect; // its hovers were in flight when the server died
    unsigned n_probes, n_rounds;
    int64_t wake_ms;
};

/* A program at a root: one process, or none at the moment. */
struct server {
    struct enrich *e;
    struct client_spec spec;
    char *program, *root;
    struct client *client;    // while it is needed
    bool is_ending;           // its client was closed and is not gone yet
    char *why;                // of the last end that was our wish; NULL while it runs
    struct client_stats past; // sums of the clients that are gone
    struct list waiting[ENRICH_PRIORITIES], running, parked;
    size_t n_running, n_in_flight;
    struct window window;
    uint64_t key;      // client_server_key() of when it was ready; 0: it never was
    bool is_silent;    // a whole file went by without an answer
    bool has_unready;  // files were given up on while it was not quiescent
    unsigned n_again;  // times that these were asked for again, of this life
    unsigned n_silent; // files in a row that did
    bool has_answered; // anything, in this life or one before
    unsigned n_good;   // hovers with text since its start
    struct mute mute;
    int64_t idle_since_ms; // 0: it has work
    char version[sizeof(((struct client_stats *)NULL)->version)];
};

struct lang_server {
    struct client_spec spec;
    char *program;     // NULL: none when last looked
    struct map *roots; // of folders → absolute paths
    int64_t looked_ms, roots_ms;
    bool is_looked_up; // at looked_ms, and nobody wants it to be again
};
void lang_server_destroy(struct lang_server *entry);

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
    int64_t yield_until_ms;
    bool leaves_processor; // an editor asks
    size_t n_sent;         // hovers in this turn
    struct timer *turn, *wake, *watch;
    uint64_t backoff_ms_min, park_ms_min, watch_ms,
        vain_ms; // shorter in tests; backoff 0: the client's
    bool is_paused, is_wanted_due, is_server_due, is_again_due, is_left_due, is_idle_told;
    size_t n_clients; // not gone
    bool is_closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

/* enrich.c */
void enrich_arm(struct enrich *e);            // something is to be done at the next turn
bool enrich_has_sent(const struct enrich *e); // what one turn may

/* servers.c */
void servers_look_again(struct enrich *e); // at once, for languages that had none
bool server_is_known(struct enrich *e, const char *lang);
struct server *server_of(struct enrich *e, const char *lang, const char *path);
/* Ends one that answered and then nothing more; it comes back as after a crash. */
void server_wake(struct server *s);
/* Starts it, unless it runs or its last process is still going. */
void server_need(struct server *s);
bool server_may_ask(const struct server *s);
bool server_is_given_up(const struct server *s);
bool server_has_work(const struct server *s);
/* Ends its process if nobody needed it for long. */
void server_rest(struct server *s, int64_t now_ms);
int64_t server_rest_ms(const struct server *s); // when that will be; INT64_MAX: not
void servers_watch(void *ctx);                  // of their memory
void server_close(struct server *s);            // enrich_close(): its client
void server_destroy(struct server *s);

/* task.c */
struct task *task_create(struct enrich *e, struct enrich_job *job);
void task_destroy(struct task *t);
/* All that is not final becomes unknown for that reason. */
void task_settle(struct task *t, enum hover_reason reason);
void task_cancel(struct task *t);
bool task_is_settled(const struct task *t);
void task_start(struct task *t);
void task_leave(struct task *t); // it waits: handed over as it is
/* Sends what the windows allow. */
void task_fill(struct task *t);
/* The round is over: begins the next, parks, or hands the batch over. */
void task_step(struct task *t);
/* The server is ready now: what was to wait does not. */
void task_ask_again(struct task *t);
/* Back to the queue: the process that had the file open is gone, or the pause is over. */
void task_requeue(struct task *t);
