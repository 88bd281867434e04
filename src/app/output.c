/* stdout belongs to the LSP wire or to a command's result; this file is the only one that writes there.
 * A closed stdout (`gloss export | head`) ends the program quietly. */
#include <unistd.h>

#include "app/app.h"
#include "base/mem.h"

#define DELETE '\x7f'

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

/* U+0080 to U+009F in UTF-8: some terminals obey them, too. */
static bool
is_c1(struct str s, size_t i)
{
    return (unsigned char)s.p[i] == 0xC2 && i + 1 < s.n &&
           ((unsigned char)s.p[i + 1] & 0xE0) == 0x80;
}

/* Bytes that a terminal obeys are shown instead; those in `kept` stay. In JSON, which has no byte below a blank
 * within a line, what is shown means the same. */
static void
add_shown(struct buf *b, struct str s, const char *kept)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == DELETE || is_c1(s, i))
            buf_printf(b, "\\u%04x", (unsigned char)(c == DELETE ? c : s.p[++i]));
        else if ((unsigned char)c >= ' ' || (c != '\0' && strchr(kept, c)))
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
    AUTO(buf_finish) struct buf shown = {0};
    AUTO(free) char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = xvasprintf(fmt, ap);
    va_end(ap);
    add_shown(&shown, str_of(line), "");
    progress_clear();
    fprintf(stderr, "gloss: %.*s\n", STR_ARG(buf_str(&shown)));
    return EXIT_FAILED;
}

void
note(const char *fmt, ...)
{
    AUTO(free) char *line = NULL;
    va_list ap;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(ap, fmt);
    line = xvasprintf(fmt, ap);
    va_end(ap);
    fail("%s", line);
}

/* A terminal that can take a line back. */
static bool
has_progress(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

void
progress_show(const char *fmt, ...)
{
    va_list ap;

    if (!has_progress())
        return;
    va_start(ap, fmt);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

void
progress_clear(void)
{
    if (has_progress())
        fputs("\r\033[K", stderr);
}
