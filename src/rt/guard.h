#pragma once
/* The guard process: starts a program in a session of its own, passes its exit status on, and ends
 * it with all descendants (PR_SET_CHILD_SUBREAPER) as soon as the parent is gone. Own process,
 * single thread, no loop. */
#include "base/base.h"

/* argv: ["gloss", "__guard", PARENT_PID, "--", PROGRAM, ARGS…]. Returns the exit code for main. */
int guard_main(int argc, char **argv);
