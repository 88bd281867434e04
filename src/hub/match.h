#pragma once
/* Matching of names: event patterns, paths of routes, and the cursor of a subscription. Pure.
 * Private to the hub; any thread. */
#include "base/base.h"
#include "base/str.h"

#define MATCH_PATTERNS_MAX 32
#define MATCH_PATTERN_BYTES_MAX 64
#define MATCH_PARAMS_MAX 2

/* '*' stands for any run of characters; everything else for itself. */
bool match_pattern(struct str pattern, struct str name);
/* "/v1/workspaces/{}/search": {} is one segment, {*} at the end all that is left, neither empty.
 * Views into path. */
bool match_path(const char *route, struct str path,
                struct str ret_params[MATCH_PARAMS_MAX]);

/* Where a subscription begins. */
struct since {
    enum { SINCE_NOW, SINCE_START, SINCE_CURSOR } from;
    struct str epoch; // of a cursor; empty with seq 0: of any epoch
    int64_t seq;
    uint32_t n_parts; // of the row behind seq that are had already
};
/* "EPOCH:SEQ", "EPOCH:SEQ.I" (the row as far as its event I), "earliest", "latest". -EINVAL. */
int match_since(struct str text, struct since *ret_since);
/* 1 … 64 bytes, printable. An epoch only has to be comparable. */
bool match_epoch_is_wellformed(struct str epoch);
