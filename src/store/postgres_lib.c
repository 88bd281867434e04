/* Finding libpq. Each connection has the addresses of its own, so that there is nothing that threads would
 * have to share; the library itself stays once it is there. */
#include "store/postgres_lib.h"

#include <dlfcn.h>

#include "base/err.h"

static const struct {
    const char *name;
    size_t offset;
} entries[] = {
#define POSTGRES_LIB_ENTRY(name) {#name, offsetof(struct postgres_lib, name)},
    POSTGRES_LIB_NAMES(POSTGRES_LIB_ENTRY)};

int
postgres_lib_open(struct postgres_lib *lib)
{
    if (lib->handle)
        return 0;
    void *handle = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return err_trace(-ELIBACC);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        void *entry = dlsym(handle, entries[i].name);
        if (!entry) {
            dlclose(handle);
            return err_trace(-ELIBACC);
        }
        memcpy((char *)lib + entries[i].offset, &entry, sizeof(entry));
    }
    lib->handle = handle;
    return 0;
}

void
postgres_lib_close(struct postgres_lib *lib)
{
    if (lib->handle)
        dlclose(lib->handle);
    lib->handle = NULL;
}
