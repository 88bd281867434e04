#pragma once
/* What scanners send, a line each. Part of codec.h, which includes it. */
#include <jansson.h>

#include "model/batch.h"
#include "model/ingest.h"

/* The object of docs/PROTOCOL.md "Ingestion": op, key and what the op has. NULL, or why it is none (static): then the item is
 * INGEST_BAD and has that as its fault. Everything is copied into the batch. */
const char *codec_read_ingest(const json_t *line, struct ingest_batch *batch,
                              struct ingest_item *ret_item);
/* The other way: op "file" with as many entities as a line of about bytes_max holds, then the rest one by one. What the file
 * is besides (size, state) is not told. A line is fn's until it returns, and has no newline. */
void codec_each_ingest_line(const struct batch *b, size_t bytes_max,
                            void (*fn)(void *ctx, struct str line), void *ctx);
/* {"title", "text" or "texts":[…]} of earlier clients as an entity's line, a new reference; NULL: it is none. Its
 * kind is section, its language text, its path the title, its hover the texts with blank lines between. */
json_t *codec_older_document(const json_t *line);
