#pragma once
/* Which files a workspace has, by path; those of one sender, for a scanner that begins anew. Private to the hub;
 * loop thread. */
#include "hub/exchange.h"

#define FILES_LIMIT_MAX 10000
#define FILES_SENDER_BYTES_MAX 64

/* ?sender=NAME as a number; 0: there is none. false: it is no name. */
bool files_read_sender(const struct exchange *x, uint64_t *ret_sender);
/* Answers the exchange, whose params[0] is the workspace; while that is being opened the answer waits. */
void files_serve(struct exchange *x);
