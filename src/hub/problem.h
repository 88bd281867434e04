#pragma once
/* What can be wrong with a request, in RFC 9457 words: the one object of HTTP and WebSocket answers.
 * Pure. Private to the hub; any thread. */
#include "base/base.h"
#include "base/str.h"

enum problem {
    PROBLEM_BAD_REQUEST,
    PROBLEM_FORBIDDEN,
    PROBLEM_NOT_FOUND,
    PROBLEM_UNKNOWN_ACTION,
    PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_TIMEOUT,
    PROBLEM_CONFLICT,
    PROBLEM_TOO_LARGE,
    PROBLEM_UNSUPPORTED,
    PROBLEM_UPGRADE,
    PROBLEM_TOO_MANY,
    PROBLEM_INTERNAL,
    PROBLEM_NOT_READY,
    PROBLEM_OVERLOADED,
    PROBLEM_COUNT
};

unsigned problem_status(enum problem p);
/* Of Retry-After; 0: trying the same again is of no use. */
unsigned problem_retry_after_s(enum problem p);
/* {"type":"/problems/not-found","title","status","detail","retryable","retry_after_ms"} */
void problem_add(struct buf *b, enum problem p, const char *detail);
/* retry_after_ms instead of the usual. */
void problem_add_after(struct buf *b, enum problem p, const char *detail,
                       int64_t retry_after_ms);
/* Of a -errno that a question to the index came back with. */
enum problem problem_of_error(int r);
