#pragma once
/* What the index knows of a file: the cheap tests for "unchanged", its state, and why it has no
 * entities. Plain data. */
#include "base/base.h"
#include "base/hash.h"
#include "base/str.h"

/* Stored by number: append only. */
enum file_state {
    FILE_INDEXED,
    FILE_SKIPPED, // on purpose: see reason
    FILE_FAILED,  // could not be read or parsed: see reason
    FILE_STATE_COUNT
};

enum file_reason {
    FILE_REASON_NONE,
    FILE_REASON_NO_GRAMMAR,
    FILE_REASON_TOO_LARGE,
    FILE_REASON_BINARY,
    FILE_REASON_UNREADABLE,
    FILE_REASON_VANISHED,
    FILE_REASON_TIMED_OUT,
    FILE_REASON_TOO_MANY_ENTITIES,
    FILE_REASON_COUNT
};

/* Instead of an mtime: what made the file's rows is not what makes them now, so they are made again. */
#define FILE_MTIME_OTHER_MAKER (-1)

struct file {
    struct str path; // relative to the root
    struct str lang; // "" without grammar
    enum file_state state;
    enum file_reason reason;
    uint64_t size_bytes;
    int64_t mtime_ns; // 0: an editor's buffer, to be looked at again from disk
    uint64_t inode;   // of what was sent: the sender (ingest_sender); 0: nobody alone
    struct hash128 content; // zero unless it was read
    uint64_t server_key;    // who told its hovers (hover_batch); the store's to set
};

const char *file_state_name(enum file_state state);
const char *file_reason_name(enum file_reason reason);
