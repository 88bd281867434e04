#pragma once
/* Random work on an index of its own, the same for the same seed, and what must hold of the index after
 * whatever befell it. Used by every test of faults; one thread. A test is short unless GLOSS_SOAK is set;
 * FAULT_SEED takes another course. In a child of a test a broken promise ends the child. */
#include "../unit/store/sample.h"

#define WORK_FILES 10
#define WORK_OPS_MAX 3
#define WORK_DIED 99 // exit code of a child in which a promise was broken

struct dice {
    uint64_t state;
};

/* of n faces, from 0 */
uint32_t dice_roll(struct dice *d, uint32_t n);
/* First of all: scratch is in memory, if it may be, since nothing here depends on a real disk but its time. */
void fault_begin(void);
/* Where an index will be, of the backend that FAULT_BACKEND names, else of SQLite. Skips the test when this
 * build has none. */
struct sample *fault_place(void);
void fault_place_end(struct sample *s);
/* FAULT_SEED, else the same in each short run and another in each long one. */
uint64_t fault_seed(void);
/* How many rounds. */
long fault_count(long in_test, long in_soak);
/* Under a sanitizer each costs several times as much: so many times fewer are enough for what it finds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define FAULT_FEWER 3
#else
#    define FAULT_FEWER 1
#endif

/* Instead of cmocka's, which in a child would go on with the next test. */
#define NEED(condition)                                                                  \
    ((condition) ? (void)0 : need_failed(__FILE__, __LINE__, #condition))
void need_failed(const char *file, int line, const char *what);
/* Says which round it is, in case a promise is broken. */
void need_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* fork(); in the child a broken promise is its end. */
pid_t need_fork(void);
/* The child's exit code; -signal when it was ended by one. */
int need_wait(pid_t pid);
/* In a child, to its end: threads that a library started do not come along with a fork, so who forks does not
 * open an index of RocksDB itself. */
void need_in_child(void (*fn)(void *ctx), void *ctx);

/* ---- work ---- */

enum op_kind { OP_PUT, OP_FAIL, OP_DELETE, OP_HOVERS, OP_EXPIRE, OP_EVENT, OP_TEXT };

/* A transaction: the same each time that it is tried. */
struct tx {
    struct {
        enum op_kind kind;
        size_t file;
        char *spec;    // OP_PUT: its content; OP_HOVERS: the content that was asked
        uint64_t seed; // OP_HOVERS: of the answers
    } ops[WORK_OPS_MAX];
    size_t n;
    bool is_brief;
};

struct work {
    const struct sample *s;
    struct store_writer *w;
    struct dice dice;
    char *specs[WORK_FILES]; // as they are in the index; NULL: not there, or not known
    bool is_bulky;           // now and then a file of hundreds of functions
    int64_t head;            // acknowledged
    char epoch[STORE_EPOCH_BYTES];
};

/* Opens the index of s for writing. -errno; *ret_info may be NULL. */
int work_open(struct work *work, struct store_info *ret_info);
/* Closes the writer and forgets what is known. */
void work_finish(struct work *work);
void work_forget(struct work *work); // what the files hold

void tx_plan(struct work *work, struct tx *tx);
void tx_finish(struct tx *tx);
/* 0 and the head is moved, or -errno and nothing is. */
int tx_try(struct work *work, const struct tx *tx);
/* Plan, try, and a checkpoint if one is due: must succeed. */
void work_step(struct work *work);
void work_steps(struct work *work, long n);

/* ---- what must hold ---- */

/* All that the contract shows, as text; -errno. Of one view; state_rows() within one. */
int state_rows(struct store_reader *r, struct buf *b);
int state_dump(struct store_reader *r, struct buf *b);
/* Of a reader of its own; NEEDs that it can be read. */
struct hash128 state_of(const struct sample *s);
/* No hole between first_seq and head; when nothing was pruned, replaying the log gives the rows. */
void need_true_log(const struct sample *s, int64_t *ret_head);
/* What its kind of index can be asked. */
void need_sound_index(const struct sample *s);
/* integrity_check, references and counts: by SQL, of the file at rest or in use. */
void need_sound(const char *path);
/* *ret_why: heap, what SQLite says; true when it is "ok". */
bool is_intact(const char *path, char **ret_why);
