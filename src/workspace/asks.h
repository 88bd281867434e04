#pragma once
/* The order in which files are asked about, for each language by itself: first what somebody has open,
 * the last one in front; then what changed lately, the same way; then the rest folder by folder, those
 * with an open document before the others. Whoever owns it calls. */
#include "base/list.h"
#include "base/str.h"
#include "lang/lang.h"

#define ASKS_LANGS (LANG_COUNT_MAX + 1) // the last: no language

enum ask_rank { ASK_REST, ASK_LATELY, ASK_OPEN }; // also the priority of its job

struct asks;
struct ask_folder;

/* A file that waits. */
struct ask {
    struct list link;          // of its rank, or of its folder
    struct ask_folder *folder; // of the rest
    size_t lang;
    enum ask_rank rank;
    char path[];
};

struct asks *asks_create(void) MUST_USE;
void asks_destroy(struct asks *a); // NULL is allowed
size_t asks_count(const struct asks *a);
/* True: it was not there. One that is there comes to the front of a rank that is no lower. */
bool asks_put(struct asks *a, struct str path, size_t lang, enum ask_rank rank);
/* A document was opened: if it waits it is first, and the rest of its folder comes before other folders. */
void asks_open(struct asks *a, struct str path);
void asks_remove(struct asks *a, struct ask *ask);
/* In order; NULL: no more. Look for the next one before this one is removed. */
struct ask *asks_first(const struct asks *a, size_t lang);
struct ask *asks_after(const struct asks *a, const struct ask *ask);
