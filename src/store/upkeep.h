#pragma once
/* What an index has besides what it is of: commands that it did not take, jobs, and gauges. Part of store.h,
 * which includes it. The writer's thread, but for what only fills a buf. */
#include "model/batch.h"
#include "model/dead_letter.h"
#include "model/event.h"
#include "model/hover.h"
#include "model/job.h"

#define STORE_LETTERS_MAX 1000 // the oldest go first
#define STORE_LETTERS_BYTES (8u << 20)
#define STORE_LETTER_BYTES (1u << 20) // of a payload; a larger one is left out

#define STORE_JOB_BYTES (16u << 20) // of a request or a result; a row with more is none

struct store_writer;

struct store_gauges {
    uint64_t wal_bytes; // of the log's file
    uint64_t checkpoints, checkpoint_us_max;
    uint64_t event_bytes, past_rows, past_bytes; // under retention
};
void store_gauges(const struct store_writer *w, struct store_gauges *ret_gauges);

/* Asked between files and pieces of a merge while the text index is filled: when somebody waits for the writer,
 * what there is so far is written, and the step ends. */
typedef bool (*store_wanted_fn)(void *ctx);
void store_set_wanted(struct store_writer *w, store_wanted_fn is_wanted, void *ctx);

/* Takes the letter; not 0: stops and is returned. */
typedef int (*store_letter_fn)(void *ctx, struct dead_letter *letter);
/* Oldest first. Outside a transaction. */
int store_each_letter(struct store_writer *w, store_letter_fn fn, void *ctx);
/* These within a transaction. The row of this id is now this one. */
int store_put_letter(struct store_writer *w, const struct dead_letter *letter);
/* 0 also when it is not there. */
int store_drop_letter(struct store_writer *w, int64_t id);
/* Does what the command would have done, as far as nothing newer is overwritten: hovers only of the same
 * content and where nobody told another since; a letter of a file as a whole does nothing here, since
 * the file has to be looked at. The letter stays. -EBADMSG: its payload makes no sense. */
int store_replay_letter(struct store_writer *w, const struct dead_letter *letter,
                        struct event **ret_event);

/* ---- jobs ---- */

/* Takes the job; not 0: stops and is returned. */
typedef int (*store_job_fn)(void *ctx, struct job *job);
/* In no order. Outside a transaction. */
int store_each_job(struct store_writer *w, store_job_fn fn, void *ctx);
/* These within a transaction. The row of this id is now this one. */
int store_put_job(struct store_writer *w, const struct job *job);
/* 0 also when it is not there. */
int store_drop_job(struct store_writer *w, struct str id);

/* Payloads. */
void store_add_file_payload(struct buf *json, const struct batch *batch);
void store_add_hovers_payload(struct buf *json, const struct hover_batch *hovers);
void store_add_expiry_payload(struct buf *json, uint64_t server_key);
void store_add_event_payload(struct buf *json, enum event_type type, struct str data);
