#pragma once
/* Words of some files' entities on their way into a run of the text index. Inside of the SQLite backend;
 * the writer's thread. */
#include "store/sqlite_runs.h"

#define GATHER_FILES_MAX 4095 // of one run

struct text_gather;

/* seed: of hash tables over words from outside. */
struct text_gather *sqlite_gather_create(uint64_t seed) MUST_USE;
void sqlite_gather_destroy(struct text_gather *g);
/* The generation of the first file that comes. */
void sqlite_gather_begin(struct text_gather *g, int64_t first_gen);
void sqlite_gather_file(struct text_gather *g); // another one, of the next generation
/* In the order of slots within a file. */
void sqlite_gather_entity(struct text_gather *g, uint32_t slot, struct str name);
/* Of the entity that came last. */
void sqlite_gather_words(struct text_gather *g, struct str text, unsigned mask);
void sqlite_gather_name(struct text_gather *g, struct str name); // words and their parts
void sqlite_gather_target(struct text_gather *g, struct str name);
/* All keys, in their order; what was gathered is no longer there. */
int sqlite_gather_write(struct text_gather *g, struct sqlite_conn *c,
                        struct text_out *out);
