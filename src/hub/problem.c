/* Why: the one door that turns errors into protocol. */
#include "hub/problem.h"

#include "codec/codec.h"

static const struct problem_row {
    const char *slug;
    const char *title;
    unsigned status;
    int64_t retry_after_ms; // -1: trying the same again is of no use
} rows[PROBLEM_COUNT] = {
    [PROBLEM_BAD_REQUEST] = {"bad-request", "Bad request", 400, -1},
    [PROBLEM_FORBIDDEN] = {"forbidden", "Forbidden", 403, -1},
    [PROBLEM_NOT_FOUND] = {"not-found", "Not found", 404, -1},
    [PROBLEM_UNKNOWN_ACTION] = {"unknown-action", "Unknown action", 404, -1},
    [PROBLEM_METHOD_NOT_ALLOWED] = {"method-not-allowed", "Method not allowed", 405, -1},
    [PROBLEM_TIMEOUT] = {"timeout", "Request timeout", 408, -1},
    [PROBLEM_CONFLICT] = {"conflict", "Conflict", 409, -1},
    [PROBLEM_TOO_LARGE] = {"too-large", "Too large", 413, -1},
    [PROBLEM_UNSUPPORTED] = {"unsupported-type", "Unsupported type", 415, -1},
    [PROBLEM_UPGRADE] = {"upgrade-required", "Upgrade required", 426, -1},
    [PROBLEM_TOO_MANY] = {"too-many", "Too many", 429, 1000},
    [PROBLEM_INTERNAL] = {"internal", "Internal error", 500, -1},
    [PROBLEM_NOT_READY] = {"not-ready", "Not ready", 503, 500},
    [PROBLEM_OVERLOADED] = {"overloaded", "Overloaded", 503, 1000},
};

unsigned
problem_status(enum problem p)
{
    return rows[p].status;
}

unsigned
problem_retry_after_s(enum problem p)
{
    return rows[p].retry_after_ms < 0 ? 0
                                      : (unsigned)((rows[p].retry_after_ms + 999) / 1000);
}

void
problem_add(struct buf *b, enum problem p, const char *detail)
{
    problem_add_after(b, p, detail, rows[p].retry_after_ms);
}

void
problem_add_after(struct buf *b, enum problem p, const char *detail,
                  int64_t retry_after_ms)
{
    const struct problem_row *row = &rows[p];
    buf_printf(b, "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%u,\"detail\":",
               row->slug, row->title, row->status);
    codec_add_string(b, str_of(detail));
    if (retry_after_ms >= 0)
        buf_printf(b, ",\"retryable\":true,\"retry_after_ms\":%" PRId64 "}",
                   retry_after_ms);
    else
        buf_add_cstr(b, ",\"retryable\":false,\"retry_after_ms\":null}");
}

enum problem
problem_of_error(int r)
{
    switch (r) {
    case -ENOENT: return PROBLEM_NOT_FOUND;
    case -EINVAL: return PROBLEM_BAD_REQUEST;
    case -EINTR:
    case -EBUSY: return PROBLEM_OVERLOADED;
    }
    return PROBLEM_INTERNAL;
}
