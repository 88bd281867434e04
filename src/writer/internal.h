#pragma once
/* What the sides of the writer share: writer.c on the loop, drain.c on its thread. Nobody else's. */
#include "base/vec.h"
#include "rt/mailbox.h"
#include "rt/queue.h"
#include "writer/writer.h"

enum command_kind {
    COMMAND_PUT_FILE,
    COMMAND_DELETE_FILE,
    COMMAND_PUT_HOVERS,
    COMMAND_EXPIRE,
    COMMAND_PUT_EVENT,
    COMMAND_PUT_JOB,
    COMMAND_PUT_ENTITIES,
    COMMAND_FLUSH,
    COMMAND_REPLAY, // a dead letter
    COMMAND_KEEP,   // what changed of the dead letters; the writer's own
};

/* Travels loop → queue → thread → mail → loop; one owner at a time. */
struct command {
    struct queue_item item;
    struct list link; // of a group, then of its mail
    enum command_kind kind;
    union {
        struct batch *batch;
        struct hover_batch *hovers;
        struct ingest_batch *ingest; // the pusher's, again with the completion
        char *path;
        struct {
            enum event_type type;
            char *subject, *data;
            size_t subject_n, data_n;
        } event;
        struct {
            char *lang;
            uint64_t server_key;
        } expire;
        struct {
            struct job *put; // NULL: drop
            char *drop;      // its id
            enum event_type type;
            char *data; // NULL: no event
            size_t data_n;
        } job;
        struct dead_letter *replay;
        struct {
            struct list put; // copies
            VEC(int64_t) drop;
        } keep;
    } u;
    bool is_urgent;
    int64_t letter_id; // the dead letter that it makes good; 0: none
    int64_t pushed_us, wait_us, latency_us;
    struct dead_letter *dead; // of a failure
    writer_done_fn done;
    void *ctx;
    int r;
    struct event *told; // of the commit
};

enum letter_kind { LETTER_OPEN, LETTER_COMMIT, LETTER_GAUGES, LETTER_END };

struct letter { // from the thread
    struct mail mail;
    enum letter_kind kind;
    int r;                  // of the open
    struct store_info info; // of the open
    char *why;              // of the open
    struct list commands;   // of the commit, in the order they were applied
    uint64_t commit_us;     // 0: nothing was committed
    uint64_t n_retries;
    enum writer_cause cause;
    struct store_gauges gauges;
    struct list dead, jobs; // of the open
};

/* The thread's side; all of it is the thread's from thread_start() to its end. */
struct drain {
    struct queue *queue;
    struct mailbox *mailbox;
    char *url;
    char *root, *maker;         // may be NULL
    struct store_writer *store; // NULL when it could not be opened
    int open_r;
    struct list group;   // struct command.link, of the open transaction
    size_t n_bulk;       // files in a row that nobody waits for
    size_t let_go_bytes; // of batches, since free pages went back to the system
    unsigned n_put_off;  // commits since the log was looked at
    unsigned n_urgent;   // groups in a row of urgent commands alone
    bool is_text_waiting;
    size_t text_step; // entities
    int64_t text_began_ns;
    bool is_text_cut;    // the step that is under way: something waited
    bool is_hovers_only; // the last group
    bool is_failing;     // the last retries were in vain: the next command gets none
    int64_t prune_at_ms;
};

void drain_main(void *ctx);
/* Of a command that failed; NULL: it has nothing to lose. */
struct dead_letter *command_dead_letter(const struct command *c, int r);
/* What it carries; the command itself stays. */
void command_drop_payload(struct command *c);

#include "writer/letters.h"
