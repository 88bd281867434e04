#pragma once
/* The dead letters, on the loop; the index has a copy. Part of internal.h, which includes it. */
#include "base/list.h"
#include "base/vec.h"
#include "model/dead_letter.h"

struct command;

struct letters {
    struct list all; // struct dead_letter.link, oldest first
    size_t n, n_bytes, n_kept;
    int64_t last_id;
    uint64_t n_dropped;
    VEC(int64_t) gone;  // that the index still has
    bool is_keeping;    // a command of ours is under way
    bool is_waiting;    // it failed: not before something else is committed
    bool is_impossible; // the backend keeps none
};

void letters_init(struct letters *l);
void letters_finish(struct letters *l);
void letters_open(struct letters *l, struct list *stored); // takes them
/* Takes it; id: of the one whose place it takes, 0: none. */
void letters_add(struct letters *l, struct dead_letter *letter, int64_t id);
struct dead_letter *letters_find(const struct letters *l, int64_t id); // or NULL
/* The id of the one that a command of this kind for this path would make good; 0: none. */
int64_t letters_of(const struct letters *l, enum dead_what what, struct str path);
int64_t letters_try(struct letters *l, enum dead_what what, struct str path); // it comes
void letters_remove(struct letters *l, int64_t id);         // it was made good
void letters_stay(struct letters *l, int64_t id);           // it was tried in vain
bool letters_take(struct letters *l, struct command *keep); // false: nothing to keep
void letters_kept(struct letters *l, const struct command *keep); // it came back
