#pragma once
/* Tree + queries → the entities and edges of a file. Pure: no loop, no log. An extractor belongs to
 * one worker at a time and is reused. */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/str.h"
#include "lang/lang.h"
#include "model/batch.h"
#include "model/outline.h"

/* Conditions. */
#define EXTRACT_E_TOO_MANY                                                               \
    1 // more than ENTITY_PER_FILE_MAX entities: the batch holds the first ones
#define EXTRACT_E_TIMED_OUT 2 // deadline_ms passed

struct extractor;

struct extractor *extractor_create(void) MUST_USE;
void extractor_destroy(struct extractor *x);
/* Fills batch->entities and ->edges from batch->arena; batch->file.lang is set. Strings are copied and
 * valid UTF-8. outline: NULL, or what of text the tree is of. deadline_ms counts from the call; 0: none. Late or too many: the batch holds
 * what is complete. */
int extract_batch(struct extractor *x, const struct lang *lang, struct str text,
                  const struct outline *outline, const TSTree *tree, uint64_t deadline_ms,
                  struct batch *batch);
