#pragma once
/* What is counted, for Prometheus. Private to the hub; loop thread. */
#include "hub/internal.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The text of /metrics; names, labels and alerts in docs/METRICS.md. */
void metrics_add(struct buf *text, const struct hub *h);
