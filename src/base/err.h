#pragma once
/* Error doctrine: 0 is success; below 0 is -errno, fatal for the operation and forwarded unchanged
 * with err_trace(); above 0 is a MODULE_E_* condition that the direct caller handles and never forwards. */
#include "base/base.h"

/* Forward r; with GLOSS_TRACE_ERRORS set in the environment prints file:line on stderr for r < 0. */
#define err_trace(r) err_trace_at((r), __FILE__, __LINE__)
/* A condition that cannot happen here becomes -ENOTRECOVERABLE. */
#define err_fold(r) err_fold_at((r), __FILE__, __LINE__)

int err_trace_at(int r, const char *file, int line);
int err_fold_at(int r, const char *file, int line);
/* strerror for -errno; static storage. */
const char *err_text(int r);
