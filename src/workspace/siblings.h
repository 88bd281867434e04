#pragma once
/* What the index of a folder, and those of its repository's other worktrees, know of a content. Any
 * thread, one at a time. */
#include "base/arena.h"
#include "base/base.h"
#include "store/store.h"

#define SIBLINGS_OPEN_MAX 5
#define SIBLINGS_AGE_MS 10000 // then they are looked for anew

struct siblings;

/* Of the folder `root`, a real path, whose own index is at `url`; nothing is opened yet. */
struct siblings *siblings_create(const char *root, const char *url) MUST_USE;
void siblings_destroy(struct siblings *s); // NULL is allowed
/* *ret_told, in the arena, for each that knows something; start with *at = 0; false at the end.
 * server_key: who would be asked, and nobody else's word counts; 0 when that is not known yet. */
bool siblings_next(struct siblings *s, size_t *at, struct hash128 content,
                   struct str lang, uint64_t server_key, struct arena *a,
                   struct store_told *ret_told);
/* Closes what is open, until somebody asks again. */
void siblings_rest(struct siblings *s);
