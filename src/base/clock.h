#pragma once
/* Time. Monotonic for durations and deadlines, wall for what people and the log read. Any thread. */
#include "base/base.h"

int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); // since the epoch

#define CLOCK_ISO_BYTES 25
/* 2026-11-21T08:00:00.123Z */
void clock_iso8601(int64_t wall_ms, char ret_text[CLOCK_ISO_BYTES]);
