#pragma once
/* What /proc knows about a process and its descendants. Only for src/rt. Any thread. */
#include <sched.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/vec.h"

#define PROC_DESCENDANTS_MAX 65536

struct proc_pids {
    VEC(pid_t) pids;
};

/* Children, theirs, and so on, without `root`; parents before their children. A moment's picture:
 * who forks meanwhile may be missing. */
void proc_add_descendants(pid_t root, struct proc_pids *ret_pids);
/* For each thread of it; false: none of them had others. */
bool proc_set_processors(pid_t pid, const cpu_set_t *processors);
/* All but one, and of the same always the same, so that what one leaves another does not take; false: there is
 * only one. */
bool proc_leave_one(cpu_set_t *processors);
/* What the calling thread has to itself; zeroed: it leaves nothing. */
struct proc_place {
    bool has_left;
    cpu_set_t processors; // before that
};
/* The calling thread leaves that one to others, or uses all of its own again. Costs nothing when it is so already. */
void proc_settle(struct proc_place *place, bool is_left);
/* 0 when it is gone. */
uint64_t proc_rss_bytes(pid_t pid);
