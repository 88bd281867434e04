#pragma once
/* The end of a process that is not our child (an editor), told at once: a pidfd on the loop. */
#include "base/base.h"
#include "rt/loop.h"

struct process_watch;

/* -ESRCH: there is none. on_exit runs once, and not after process_watch_close. */
int process_watch_open(struct loop *l, int pid, void (*on_exit)(void *ctx), void *ctx,
                       struct process_watch **ret_watch);
void process_watch_close(struct process_watch *w); // NULL is allowed
