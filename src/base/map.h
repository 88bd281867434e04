#pragma once
/* Hash map from byte strings (copied) to pointers (borrowed). Open addressing, seeded hash:
 * keys from outside cannot be chosen to collide. One thread at a time. */
#include "base/base.h"
#include "base/str.h"

struct map;

struct map *map_create(void) MUST_USE;
/* Values are not freed. */
void map_destroy(struct map *m);
size_t map_count(const struct map *m);
/* NULL when absent. */
void *map_get(const struct map *m, struct str key);
/* Returns the value that was there before, or NULL. `value` is non-NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Returns the removed value, or NULL. */
void *map_remove(struct map *m, struct str key);
/* In order of insertion. Start with *iter = 0; false at the end. No changes meanwhile, but map_remove of the key just yielded. */
bool map_next(const struct map *m, size_t *iter, struct str *ret_key, void **ret_value);

DEFINE_AUTO(map_destroy, struct map *)
