#pragma once
/* An event as the hub's are, of a given size, made without a hub. */
#include "base/base.h"
#include "base/clock.h"

/* Number 1 is the first. */
static inline void
hub_message_make(char *at, size_t size, uint64_t number)
{
    char time[CLOCK_ISO_BYTES], head[400];
    clock_iso8601(clock_wall_ms(), time);
    int n = snprintf(
        head, sizeof(head),
        "{\"type\":\"event\",\"event_type\":\"entity.updated\",\"seq\":%" PRIu64
        ",\"i\":0,\"epoch\":\"4cafc8da74be1937e17b1411c0aa7f66\",\"workspace\":"
        "\"eafadc42d2fe\",\"library_id\":\"eafadc42d2fe\",\"time\":\"%s\",\"data\":\"",
        number, time);
    static const char tail[] = "\",\"last\":true}";
    size_t n_tail = sizeof(tail) - 1;
    if ((size_t)n + n_tail > size)
        abort();
    memcpy(at, head, (size_t)n);
    memset(at + n, 'x', size - (size_t)n - n_tail);
    memcpy(at + size - n_tail, tail, n_tail);
}
