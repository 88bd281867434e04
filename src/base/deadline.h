#pragma once
/* How long a piece of work may take, in the time of the thread that does it: what one file costs must
 * not depend on how busy the machine is. Belongs to the thread that set it. */
#include "base/base.h"

#define DEADLINE_WALL_FACTOR 10 // after so many times its length it is over in any case

/* {0}: never over. */
struct deadline {
    int64_t look_ms; // clock_mono_ms() before which it cannot be over; 0: no deadline
    int64_t thread_until_ms;
    int64_t wall_until_ms;
};

int64_t clock_thread_ms(void); // what this thread has run
/* From now on; 0: none. */
struct deadline deadline_after(uint64_t ms);
/* Cheap enough for inner loops: as a rule, one look at the monotonic clock. */
bool deadline_is_over(struct deadline *d);
/* Of it, at least 1, for a part of the work that takes milliseconds; 0: no deadline. */
uint64_t deadline_left_ms(const struct deadline *d);
