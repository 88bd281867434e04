#pragma once
/* What scanners send: NDJSON in, acknowledgements out; and the same as actions. Private to the hub; loop thread. */
#include "hub/internal.h"

#define HUB_INGEST_LINES 1000       // of a batch, and of one `add`
#define HUB_INGEST_BYTES (1u << 20) // of a batch's lines
#define HUB_INGEST_MS 100           // after a batch's first line
#define HUB_INGEST_FLYING 4         // batches of a stream at the writer
#define HUB_INGEST_STREAMS_MAX 64   // at a time
#define HUB_INGEST_OUT_BYTES                                                             \
    (256u << 10) // of acknowledgements that nobody reads; then nothing is read either

struct request;

/* Actions. */
void ingest_run_add(struct request *request);
void ingest_run_delete(struct request *request);
/* Routes. */
void ingest_serve_stream(struct exchange *x);
void ingest_serve_add(struct exchange *x);
void ingest_serve_delete(struct exchange *x);
