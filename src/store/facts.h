#pragma once
/* What is said of an index as a whole: its limits, its identity, its counts. Part of store.h, which
 * includes it. Plain data. */
#include "base/base.h"
#include "model/batch.h"
#include "model/hover.h"

#define STORE_EPOCH_BYTES 33 // 32 hex digits and NUL
#define STORE_SCHEMA_VERSION 8
#define STORE_EVENTS_MAX 1000000 // retention, rows
#define STORE_EVENTS_AGE_MS (7LL * 24 * 3600 * 1000)
#define STORE_EVENTS_BYTES (256LL << 20)
#define STORE_PAST_ROWS 100000 // contents that no file has, and whose hovers are kept
#define STORE_PAST_BYTES (64LL << 20)

struct store_info {
    char epoch[STORE_EPOCH_BYTES];
    int64_t head;      // last seq given; 0 in a new index
    int64_t first_seq; // oldest event still kept; head + 1 when none
    bool is_new;
    bool was_damaged; // writer only: the old file was set aside just now
    bool is_partial;  // a copy was begun in it, and not finished: see store_copy_open()
};

struct store_counts {
    uint64_t files[FILE_STATE_COUNT];
    uint64_t entities, edges;
    uint64_t hovers[HOVER_STATE_COUNT];
    uint64_t stale;
    uint64_t reasons[HOVER_REASON_COUNT]; // of unknown hovers
    uint64_t reused;                      // hovers that came without a request, ever
    uint64_t past_contents, past_bytes;   // whose hovers are kept though no file has them
    uint64_t size_bytes;                  // of the database
};

/* Hovers that are known or empty, and not stale, of a content: of a file that has it, or had it. */
struct store_told_hover {
    uint64_t place; // entity_place()
    struct hover hover;
};
struct store_told {
    uint64_t server_key;
    struct store_told_hover *v; // by place
    size_t n;
};
/* The same of a content that no file has. */
struct store_past {
    struct hash128 content;
    struct str lang;
    const struct store_told *told;
};
