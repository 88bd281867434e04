/* Names of hover states and reasons, and the ends of what holds several hovers. */
#include "model/hover.h"

static const char *const states[HOVER_STATE_COUNT] = {
    [HOVER_UNKNOWN] = "unknown",
    [HOVER_EMPTY] = "empty",
    [HOVER_KNOWN] = "known",
};

static const char *const reasons[HOVER_REASON_COUNT] = {
    [HOVER_REASON_NONE] = "",
    [HOVER_REASON_NOT_ASKED] = "not_asked",
    [HOVER_REASON_NO_SERVER] = "no_server",
    [HOVER_REASON_STARTING] = "starting",
    [HOVER_REASON_TIMED_OUT] = "timed_out",
    [HOVER_REASON_CRASHED] = "crashed",
    [HOVER_REASON_BUSY] = "busy",
    [HOVER_REASON_CANCELLED] = "cancelled",
    [HOVER_REASON_FAILED] = "failed",
};

const char *
hover_state_name(enum hover_state state)
{
    assert((unsigned)state < HOVER_STATE_COUNT);
    return states[state];
}

const char *
hover_reason_name(enum hover_reason reason)
{
    assert((unsigned)reason < HOVER_REASON_COUNT);
    return reasons[reason];
}

void
hover_batch_destroy(struct hover_batch *b)
{
    if (!b)
        return;
    arena_finish(&b->arena);
    free(b);
}

void
handed_hovers_destroy(struct handed_hovers *h)
{
    if (!h)
        return;
    snapshot_unref(h->text);
    arena_finish(&h->arena);
    free(h);
}
