#pragma once
/* Where an index in memory lies, and what else is not to be on a disk. Inside of src/store. */
#include "base/base.h"

/* A folder of one owner on a file system in memory. Whoever holds it has the lock on the folder. */
struct mem_place {
    char *dir;
    char *path; // of an index in it
    int fd;
};

/* The first of these folders that is in memory and may be written; NULL if none is. Those that are NULL
 * or no absolute path are passed over. Heap. */
char *mem_base(const char *const *candidates, size_t n) MUST_USE;
/* The one of this user: $XDG_RUNTIME_DIR, else /dev/shm. */
char *mem_base_of_user(void) MUST_USE;
/* Removes what killed engines of this user left in base. */
void mem_sweep(const char *base);
/* -EWOULDBLOCK: there is one of that name. */
int mem_place_make(const char *base, const char *name, struct mem_place **ret_place);
/* With all that is in it. NULL is allowed. */
void mem_place_remove(struct mem_place *place);
