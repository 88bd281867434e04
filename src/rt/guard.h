#pragma once
/* The guard process: starts a program in a session of its own, passes its exit status on, and ends
 * it with all descendants (PR_SET_CHILD_SUBREAPER) as soon as the parent is gone. Own process,
 * single thread, no loop. */
#include <signal.h>

#include "base/base.h"

/* argv: ["gloss", "__guard", PARENT_PID, "--", PROGRAM, ARGS…]. Returns the exit code for main:
 * the program's, 128 + signal when one ended it, 127 when it could not be started.
 * Between PARENT_PID and "--" may stand --memory=BYTES (RLIMIT_AS of the program) and --name=NAME
 * (its args[0]).
 * TERM, INT, HUP, QUIT, USR1 and USR2 go on to the program's process group. */
int guard_main(int argc, char **argv);

/* Sent to a guard with sigqueue(): the value is the signal for the program's group. SIGKILL ends
 * every descendant. Blocked before the guard's exec, so that it cannot come too early. */
#define GUARD_SIGNAL (SIGRTMIN + 5)
/* Values of it that are no signals: the program and all below it leave one of our processors to others, or may
 * use all of them again. Nothing happens where there is only one. */
#define GUARD_LEAVE_PROCESSOR 1001
#define GUARD_TAKE_PROCESSORS 1002
