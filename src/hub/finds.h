#pragma once
/* A search whose results are sent as they are read, a line each. Private to the hub; loop thread. */
#include "hub/exchange.h"

#define FINDS_MAX 16 // of a hub at once: each holds up to 1.6 MB of numbers

/* Answers the exchange, whose params[0] is the workspace: what to search is in its body, or without one
 * in its address. */
void finds_serve(struct exchange *x);
