/* stdout belongs to the LSP wire or to a command's result; this file is the only one that writes there.
 * A closed stdout (`gloss export | head`) ends the program quietly. */
#include <unistd.h>

#include "app/app.h"
#include "base/mem.h"

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

/* Bytes that a terminal obeys are shown instead; those in `kept` stay. */
static void
add_shown(struct buf *b, struct str s, const char *kept)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if ((unsigned char)c >= ' ' || (c != '\0' && strchr(kept, c)))
            buf_add_char(b, c);
        else if (c == '\n' || c == '\t')
            buf_add_cstr(b, c == '\n' ? "\\n" : "\\t");
        else
            buf_printf(b, "\\x%02x", (unsigned char)c);
    }
}

struct str
out_name(struct buf *b, struct str name)
{
    buf_reset(b);
    add_shown(b, name, "");
    return buf_str(b);
}

void
out_line(const char *fmt, ...)
{
    AUTO(buf_finish) struct buf shown = {0};
    AUTO(free) char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = xvasprintf(fmt, ap);
    va_end(ap);
    add_shown(&shown, str_of(line), "\n\t");
    buf_add_char(&shown, '\n');
    out_str(buf_str(&shown));
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
