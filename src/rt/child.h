#pragma once
/* A program with stdin, stdout and stderr as streams, that cannot outlive us: it runs under a guard
 * (our own executable as `gloss __guard PARENT_PID -- PROGRAM ARGS…`, see guard.h) that kills its
 * whole process group and every descendant when we die, even by kill -9. */
#include "base/base.h"
#include "rt/loop.h"
#include "rt/stream.h"

struct child;

struct child_options {
    const char *program; // absolute path
    char *const *args;   // NULL-terminated, args[0] is the name
    char *const *env;    // NULL: ours
    const char *cwd;     // NULL: ours
    const char *
        guard_program; // absolute path of an executable that calls guard_main(); NULL: none, only PDEATHSIG of the child itself
    uint64_t memory_limit_bytes; // RLIMIT_AS; 0: none
    int niceness;                // added to ours, with all it starts; 0 to 19
};

/* -ENOENT, -EACCES…: it could not be started. on_exit runs once, perhaps before the last bytes of
 * stdout: on_end of the stream tells. The streams are the caller's to close. Under a guard, status
 * 127 may mean that exec failed, and 128 + n arrives as signum n. */
int child_open(struct loop *l, const struct child_options *options,
               void (*on_exit)(void *ctx, int64_t status, int signum), void *ctx,
               struct child **ret_child);
struct stream *child_stdin(struct child *c); // given away by the first call of each
struct stream *child_stdout(struct child *c);
struct stream *child_stderr(struct child *c);
int child_pid(const struct child *c); // the guard's when there is one
/* To the process group. */
void child_kill(struct child *c, int signum);
/* Under a guard: the program and all that it starts leave one of our processors to others, or may use all again. */
void child_leave_processor(struct child *c, bool is_left);
/* TERM now, KILL after grace_ms if it is still there; on_exit is still called. */
void child_terminate(struct child *c, uint64_t grace_ms);
uint64_t child_rss_bytes(const struct child *c); // of the whole group; 0 when unknown
/* After on_exit, or before: then it is killed and on_exit is not called. NULL is allowed. */
void child_close(struct child *c);
