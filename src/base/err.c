/* The one place that follows an error on its way up. It exists so that a forwarded
 * -errno can be traced to its source without a logger on the low floors. Invariant:
 * only err_fold changes a code, and only one above 0. */
#include "base/err.h"

#include <unistd.h>

int
err_trace_at(int r, const char *file, int line)
{
    if (r >= 0 || !getenv("GLOSS_TRACE_ERRORS"))
        return r;

    int saved_errno = errno;
    char text[512];
    int n = snprintf(text, sizeof(text), "%s:%d: %s (%d)\n", file, line, err_text(r), r);
    size_t len = MIN((size_t)MAX(n, 0), sizeof(text) - 1);
    ssize_t written UNUSED = write(STDERR_FILENO, text, len);
    errno = saved_errno;
    return r;
}

int
err_fold_at(int r, const char *file, int line)
{
    return err_trace_at(r > 0 ? -ENOTRECOVERABLE : r, file, line);
}

const char *
err_text(int r)
{
    /* Not strerror(): that one may write to memory that all threads share. */
    const char *text = r == INT_MIN ? NULL : strerrordesc_np(r < 0 ? -r : r);
    return text ? text : "Unknown error";
}
