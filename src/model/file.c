/* Names of a file's states and of the reasons for them, as in JSON and queries. */
#include "model/file.h"

static const char *const states[FILE_STATE_COUNT] = {
    [FILE_INDEXED] = "indexed",
    [FILE_SKIPPED] = "skipped",
    [FILE_FAILED] = "failed",
};

static const char *const reasons[FILE_REASON_COUNT] = {
    [FILE_REASON_NONE] = "",
    [FILE_REASON_NO_GRAMMAR] = "no_grammar",
    [FILE_REASON_TOO_LARGE] = "too_large",
    [FILE_REASON_BINARY] = "binary",
    [FILE_REASON_UNREADABLE] = "unreadable",
    [FILE_REASON_VANISHED] = "vanished",
    [FILE_REASON_TIMED_OUT] = "timed_out",
    [FILE_REASON_TOO_MANY_ENTITIES] = "too_many_entities",
};

const char *
file_state_name(enum file_state state)
{
    assert((unsigned)state < FILE_STATE_COUNT);
    return states[state];
}

const char *
file_reason_name(enum file_reason reason)
{
    assert((unsigned)reason < FILE_REASON_COUNT);
    return reasons[reason];
}
