#pragma once
/* What is left of a command that the index did not take: enough to tell of it and to try it again.
 * The strings do not change after it was made. One owner at a time. */
#include "base/base.h"
#include "base/list.h"
#include "base/str.h"

/* The index has their names: append only. */
enum dead_what {
    DEAD_PUT_FILE,
    DEAD_DELETE_FILE,
    DEAD_PUT_HOVERS,
    DEAD_EXPIRE_HOVERS,
    DEAD_PUT_EVENT,
    DEAD_WHAT_COUNT
};

struct dead_letter {
    struct list link;
    int64_t id;
    enum dead_what what;
    bool is_kept;       // in the index; else only in memory
    unsigned n_tries;   // commands under way that would make it good
    int64_t time_ms;    // wall clock, of the last try
    struct str path;    // of the file; the language of an expiry, the subject of an event
    struct str error;   // in words
    struct str payload; // JSON object; empty: it was too large
};

/* "put_file", "delete_file", "put_hovers", "expire_hovers", "put_event" */
const char *dead_what_name(enum dead_what what);
/* -ENOENT. */
int dead_what_parse(struct str name, enum dead_what *ret_what);
/* A later one about the same path says all that this one said. */
bool dead_what_is_same(enum dead_what a, enum dead_what b);
/* Of a file as a whole: tried again by a look at the disk. */
bool dead_what_is_file(enum dead_what what);
/* Copies the strings. */
struct dead_letter *dead_letter_create(enum dead_what what, struct str path,
                                       struct str error, struct str payload) MUST_USE;
struct dead_letter *dead_letter_copy(const struct dead_letter *l) MUST_USE;
void dead_letter_destroy(struct dead_letter *l);
size_t dead_letter_bytes(const struct dead_letter *l);
