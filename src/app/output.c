/* stdout belongs to the LSP wire or to a command's result; this file is the only one that writes there.
 * A closed stdout (`gloss export | head`) ends the program quietly. */
#include <unistd.h>

#include "app/app.h"

static NORETURN void
end_without_stdout(void)
{
    if (errno != EPIPE)
        fail("cannot write the output: %s", strerror(errno));
    _exit(EXIT_FAILED); // not exit(): what is buffered cannot be written
}

void
out_str(struct str s)
{
    if (s.n > 0 && fwrite(s.p, 1, s.n, stdout) != s.n)
        end_without_stdout();
}

void
out_flush(void)
{
    if (fflush(stdout) == EOF)
        end_without_stdout();
}

void
out_line(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vfprintf(stdout, fmt, ap) < 0 || fputc('\n', stdout) == EOF)
        end_without_stdout();
    va_end(ap);
}

int
fail(const char *fmt, ...)
{
    va_list ap;

    progress_clear();
    va_start(ap, fmt);
    fputs("gloss: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return EXIT_FAILED;
}

void
progress_show(const char *fmt, ...)
{
    va_list ap;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(ap, fmt);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

void
progress_clear(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
