#pragma once
/* The single writer: one bounded queue, one thread, one write connection, one transaction per drain.
 * Owns the queue, the thread, the store's writer handle and the dead letters. Functions on the loop.
 * Completions run on the loop after COMMIT, in the order of the commands. */
#include "base/base.h"
#include "base/histogram.h"
#include "model/batch.h"
#include "model/event.h"
#include "model/hover.h"
#include "model/job.h"
#include "rt/loop.h"
#include "store/store.h"

/* A transaction stops taking more at the first of these, or when the queue is empty; but in the
 * middle of a bulk load it waits for more, so that a load of thousands of files is a few commits a
 * second. writer_flush() ends that. */
#define WRITER_BATCH_ENTITIES 8000
#define WRITER_BATCH_BYTES (8u << 20)
#define WRITER_BATCH_MS 250 // after its BEGIN
/* And with an urgent command in it, after which it takes only others like it and waits for none. */
#define WRITER_URGENT_ENTITIES 1000
#define WRITER_URGENT_MS 50
/* So many transactions of urgent commands alone, one after the other, then those that are not have a turn:
 * the next one takes of them for so long before it takes anything urgent. */
#define WRITER_URGENT_IN_A_ROW 8
#define WRITER_TURN_MS 10
#define WRITER_BULK_FILES 16 // in a row, with nobody waiting, are a bulk load
#define WRITER_QUEUE_CAPACITY 4096
#define WRITER_RETRIES 3 // of -EBUSY and -EIO, with back-off 10, 40, 160 ms

/* A step of filling the text index takes about so long on any backend, but ends when something waits. Few and
 * large steps make fewer runs to merge. */
#define WRITER_TEXT_STEP_MS 75
#define WRITER_TEXT_STEP_ENTITIES 4000 // the first
/* Of the next, after a full one of so many entities took so long. */
size_t writer_text_step(size_t n_entities, int64_t took_ns);

struct writer;

/* r: 0 committed (event may be NULL: nothing changed), else -errno and nothing of the command is stored. */
typedef void (*writer_done_fn)(void *ctx, int r, struct event *event);

struct writer_events {
    /* Once, before anything else. r < 0: why tells; the writer must then be closed. */
    void (*on_open)(void *ctx, int r, const struct store_info *info, const char *why);
    /* After each COMMIT, before completions: its events by seq (event_ref to keep). is_all: these name all changes. */
    void (*on_commit)(void *ctx, struct event *const *events, size_t n, bool is_all);
};
/* Why a transaction took no more. */
enum writer_cause {
    WRITER_FULL_ENTITIES,
    WRITER_FULL_BYTES,
    WRITER_FULL_TIME,
    WRITER_EMPTY,   // nothing was left to take
    WRITER_FLUSHED, // a flush was in it
    WRITER_CAUSE_COUNT
};
const char *writer_cause_name(enum writer_cause cause); // "entities", "bytes", …
/* Of commands that somebody waits for (is_urgent), and of all others; in µs. */
struct writer_lane {
    struct histogram wait;    // from the push until the thread took it
    struct histogram latency; // from the push until its COMMIT returned
};

struct writer_stats {
    size_t depth, depth_max;
    uint64_t commits, commands, retries, failed;
    uint64_t commit_us_total, commit_us_max;
    uint64_t causes[WRITER_CAUSE_COUNT]; // of commits
    struct histogram commit;             // of COMMIT alone, µs
    struct writer_lane interactive, bulk;
    int64_t head; // last committed seq
    struct store_gauges gauges;
    size_t letters, letters_bytes; // dead ones
    size_t letters_in_memory;      // of them: the index could not take them either yet
    uint64_t letters_dropped;      // the oldest: there were too many
    uint64_t letters_replayed;     // by writer_replay
};

/* root: of the tree, or NULL; see store_writer_open(). maker: or NULL; see store_set_maker(). */
struct writer *writer_open(struct loop *l, const char *url, const char *root,
                           const char *maker, const struct writer_events *events,
                           void *ctx) MUST_USE;
/* Each gives its payload. done may be NULL. is_urgent: before bulk work (an open document). */
void writer_put_file(struct writer *w, struct batch *batch, bool is_urgent,
                     writer_done_fn done, void *ctx);
void writer_delete_file(struct writer *w, struct str path, writer_done_fn done,
                        void *ctx);
void writer_put_hovers(struct writer *w, struct hover_batch *hovers, writer_done_fn done,
                       void *ctx);
void writer_put_event(struct writer *w, enum event_type type, struct str subject,
                      struct str data, bool is_urgent, writer_done_fn done, void *ctx);
/* data: of an event of this type with it, whose subject is the job; empty: none. */
void writer_put_job(struct writer *w, struct job *job, enum event_type type,
                    struct str data, writer_done_fn done, void *ctx);
void writer_drop_job(struct writer *w, struct str id);
/* What the index had of them when it was opened, in no order; once, from on_open on. */
void writer_take_jobs(struct writer *w, struct list *jobs);
/* store_put_entities(). The batch is the caller's again when done is called, which sees what became of its items. */
void writer_put_entities(struct writer *w, struct ingest_batch *batch, bool is_urgent,
                         writer_done_fn done, void *ctx);
/* store_expire_hovers(); r is 1 when something became stale. */
void writer_expire_hovers(struct writer *w, struct str lang, uint64_t server_key,
                          writer_done_fn done, void *ctx);
/* done after everything pushed before it is committed, which is not put off any longer. */
void writer_flush(struct writer *w, writer_done_fn done, void *ctx);
struct writer_stats writer_stats(const struct writer *w);
/* While editors ask: a COMMIT keeps its processor for 2 ms, whoever else wakes there. Or all of them again. */
void writer_leave_processor(struct writer *w, bool is_left);

/* Commands that failed for good: told to done, and kept here and in the index (as soon as it can be written).
 * One goes when the same is done later: for a file, its next commit. */
/* The newest, then by age; NULL past the oldest, or before the index is open. Borrowed until the loop goes on. */
const struct dead_letter *writer_letter_at(const struct writer *w, size_t index);
/* -ENOENT; -EALREADY: that is under way. Does it again (store_replay_letter) and removes it in the same transaction; on failure it stays.
 * One of a file is only removed: who looks at the file calls writer_put_file(). */
int writer_replay(struct writer *w, int64_t id, writer_done_fn done, void *ctx);

/* Commits what is queued, delivers every completion, joins, frees, then on_closed. */
void writer_close(struct writer *w, void (*on_closed)(void *ctx), void *ctx);
