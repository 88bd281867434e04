#pragma once
/* What scanners send, a line each. Part of codec.h, which includes it. */
#include <jansson.h>

#include "model/ingest.h"

/* The object of docs/PROTOCOL.md "Ingestion": op, key and what the op has. NULL, or why it is none (static): then the item is
 * INGEST_BAD and has that as its fault. Everything is copied into the batch. */
const char *codec_read_ingest(const json_t *line, struct ingest_batch *batch,
                              struct ingest_item *ret_item);
