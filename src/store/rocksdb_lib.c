/* Loading the library. Invariant: its functions are written once, while all who ask for them wait
 * (rt/shared.h), and the library stays for good, since threads of its own do. */
#include "store/rocksdb_lib.h"

#include <dlfcn.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "rt/shared.h"

struct rocks_lib rocks;

static const struct {
    const char *name;
    size_t at;
} functions[] = {
#define ROCKS_ENTRY(name) {"rocksdb_" #name, offsetof(struct rocks_lib, name)},
    ROCKS_FUNCTIONS(ROCKS_ENTRY)
#undef ROCKS_ENTRY
};

static int
load(void *ctx UNUSED, const char *name, void **ret_thing)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return err_trace(-EPROTONOSUPPORT);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return err_trace(-EPROTONOSUPPORT);
        memcpy((char *)&rocks + functions[i].at, &function, sizeof(function));
    }
    *ret_thing = library;
    return 0;
}

/* Never: nobody drops it. */
static void
unload(void *library UNUSED)
{
}

int
rocks_lib_load(char **ret_why)
{
    struct shared *shared = NULL;
    int r = shared_take(ROCKS_LIBRARY, load, unload, NULL, &shared);
    if (r < 0 && ret_why)
        *ret_why = xstrdup("rocksdb: needs " ROCKS_LIBRARY ", which cannot be loaded");
    return r;
}
