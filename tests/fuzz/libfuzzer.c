/* The door for libFuzzer. Each input becomes a block of its own, so that reading behind it is seen. */
#include "base/mem.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    fuzz_init();
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = xmalloc(n + 1);
    if (n > 0)
        memcpy(copy, data, n);
    copy[n] = '\0';
    fuzz_one(str_slice(copy, n));
    free(copy);
    return 0;
}
