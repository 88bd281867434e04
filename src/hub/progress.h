#pragma once
/* How far a peer's kernel has taken what was sent to it. Private to the hub; loop thread. */
#include "base/base.h"

/* Bytes acknowledged since the connection began; 0 when that cannot be asked. */
uint64_t progress_acked_bytes(int fd);
/* What is sent from now on goes out in full segments; false: and now the rest. A peer is woken less often. */
void progress_hold(int fd, bool holds);
