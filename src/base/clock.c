/* Time in 64 bits. It exists so that nobody mixes the two clocks: durations never
 * jump, dates may. Invariant: a printed date has exactly CLOCK_ISO_BYTES - 1
 * characters. */
#include "base/clock.h"

#include <time.h>

/* The years 0000 to 9999, which are those that four digits can tell. */
#define WALL_MS_MIN INT64_C(-62167219200000)
#define WALL_MS_MAX INT64_C(253402300799999)

static struct timespec
clock_now(clockid_t id)
{
    struct timespec now;
    /* Fails only for a clock that does not exist or an address that is not ours. */
    if (clock_gettime(id, &now) < 0)
        abort();
    return now;
}

int64_t
clock_mono_ns(void)
{
    struct timespec now = clock_now(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
clock_mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

int64_t
clock_wall_ms(void)
{
    struct timespec now = clock_now(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *
put_digits(char *at, int value, int n_digits, char after)
{
    for (int i = n_digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    at[n_digits] = after;
    return at + n_digits + 1;
}

void
clock_iso8601(int64_t wall_ms, char ret_text[CLOCK_ISO_BYTES])
{
    wall_ms = MAX(MIN(wall_ms, WALL_MS_MAX), WALL_MS_MIN);
    int64_t ms = wall_ms % 1000;
    if (ms < 0)
        ms += 1000;
    time_t seconds = (time_t)((wall_ms - ms) / 1000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);

    char *at = put_digits(ret_text, tm.tm_year + 1900, 4, '-');
    at = put_digits(at, tm.tm_mon + 1, 2, '-');
    at = put_digits(at, tm.tm_mday, 2, 'T');
    at = put_digits(at, tm.tm_hour, 2, ':');
    at = put_digits(at, tm.tm_min, 2, ':');
    at = put_digits(at, tm.tm_sec, 2, '.');
    at = put_digits(at, (int)ms, 3, 'Z');
    *at = '\0';
}
