#pragma once
/* What other processes commit to an index, of backends that can tell. Part of store.h, which includes it. */
#include "base/base.h"

struct store_reader;

/* Whether a reader of such an index can be told. */
bool store_can_follow(const char *url);
/* From now on *ret_fd can be read when it is told something, and when its connection is lost: time for
 * store_reader_news(). It is the reader's. -ENOTSUP */
int store_reader_listen(struct store_reader *r, int *ret_fd);
/* Takes what came, also in the midst of other reads, by which the descriptor is empty again. 1: something
 * was committed since the last call. */
int store_reader_news(struct store_reader *r);
