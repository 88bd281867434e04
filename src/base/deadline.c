/* A thread's own time costs a system call, the monotonic clock none: the first is asked only when the
 * second says that it may have run out. Invariant: look_ms is never later than the moment at which the
 * thread's time can run out. */
#include "base/deadline.h"

#include <time.h>

#include "base/clock.h"

int64_t
clock_thread_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) < 0)
        abort();
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct deadline
deadline_after(uint64_t ms)
{
    if (ms == 0)
        return (struct deadline){0};
    int64_t length_ms = (int64_t)MIN(ms, (uint64_t)INT32_MAX), now_ms = clock_mono_ms();
    return (struct deadline){
        .look_ms = now_ms + length_ms,
        .thread_until_ms = clock_thread_ms() + length_ms,
        .wall_until_ms = now_ms + length_ms * DEADLINE_WALL_FACTOR,
    };
}

bool
deadline_is_over(struct deadline *d)
{
    if (d->look_ms == 0)
        return false;
    int64_t now_ms = clock_mono_ms();
    if (now_ms < d->look_ms)
        return false;
    if (now_ms >= d->wall_until_ms)
        return true;
    int64_t left_ms = d->thread_until_ms - clock_thread_ms();
    if (left_ms <= 0)
        return true;
    d->look_ms = now_ms + left_ms;
    return false;
}

uint64_t
deadline_left_ms(const struct deadline *d)
{
    if (d->look_ms == 0)
        return 0;
    int64_t left_ms = d->thread_until_ms - clock_thread_ms();
    int64_t wall_left_ms = d->wall_until_ms - clock_mono_ms();
    return (uint64_t)MAX(MIN(left_ms, wall_left_ms), INT64_C(1));
}
