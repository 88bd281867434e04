#pragma once
/* The index as a tags file for Vim, Emacs and readtags(1). */
#include "store/store.h"

/* Prints it, sorted by name in byte order as binary search wants it. */
int tags_print(struct store_reader *reader);
