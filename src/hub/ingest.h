#pragma once
/* What scanners send: NDJSON in, acknowledgements out; and the same as actions. Private to the hub; loop thread. */
#include "hub/internal.h"

#define HUB_INGEST_LINES 1000            // of a batch, and of one `add`
#define HUB_INGEST_BYTES (1u << 20)      // of a batch's lines
#define HUB_INGEST_READ_BYTES (4u << 20) // of them as they were read
#define HUB_INGEST_MS 100                // after a batch's first line
#define HUB_INGEST_FLYING 4              // batches of a stream at the writer
#define HUB_INGEST_STREAMS_MAX 64        // at a time
/* Of acknowledgements: nothing more is read, and nobody reads them: the stream ends. What is at the writer may all
 * come back at once, and be nothing but faults. */
#define HUB_INGEST_OUT_PAUSE_BYTES (512u << 10)
#define HUB_INGEST_OUT_BYTES (4u << 20)
/* Of lines, as they were read, that wait for the writer: alike. */
#define HUB_INGEST_HELD_BYTES (16u << 20)

struct request;
struct asker;

/* Actions. */
void ingest_run_add(struct request *request);
void ingest_run_delete(struct request *request);
/* Routes. */
void ingest_serve_stream(struct exchange *x);
void ingest_serve_add(struct exchange *x);
void ingest_serve_delete(struct exchange *x);
void ingest_serve_drop(struct exchange *x); // the workspace

/* An object: what was sent, and what became of it. */
void ingest_add_stats(struct buf *json, const struct hub *h);

/* ---- between ingest.c and add.c ---- */

/* Of the -errno that workspace_put_entities() said, or came back with; the text is static. */
enum problem ingest_problem(int r);
const char *ingest_why(int r);
/* Something came back: there may be room again. */
void ingest_look(struct hub *h);
/* NULL: there is none, and the asker was told. */
struct workspace *ingest_find(struct hub *h, struct str name, bool may_create,
                              struct asker *asker);
bool ingest_may_create(const struct exchange *x);
