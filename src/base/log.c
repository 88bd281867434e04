/* Log lines. It exists so that a log is one line an event, whatever the message holds:
 * control characters are written as escapes, so that no text from outside forges a
 * line or talks to the terminal. Invariant: a line is one write(2) to stderr and valid
 * UTF-8; errno is kept. */
#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/utf.h"

#include <unistd.h>

#define LOG_MESSAGE_BYTES_MAX 4096

/* Set before the first thread, read by all. */
static enum log_level log_max = LOG_WARN;
static enum log_format log_format = LOG_TEXT;

void
log_setup(enum log_level max, enum log_format format)
{
    log_max = max;
    log_format = format;
}

bool
log_enabled(enum log_level level)
{
    return level <= log_max;
}

static const char *
level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR: return "error";
    case LOG_WARN: return "warn";
    case LOG_INFO: return "info";
    case LOG_DEBUG: return "debug";
    }
    return "unknown";
}

/* The escapes of JSON, readable for people too; quotes and backslashes where asked. */
static void
add_escaped(struct buf *line, struct str s, bool in_quotes)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (in_quotes && (c == '"' || c == '\\'))
            buf_add(line, (char[]){'\\', (char)c}, 2);
        else if (c == '\n')
            buf_add_str(line, STR("\\n"));
        else if (c == '\r')
            buf_add_str(line, STR("\\r"));
        else if (c == '\t')
            buf_add_str(line, STR("\\t"));
        else if (c < 0x20 || c == 0x7F)
            buf_printf(line, "\\u%04x", (unsigned)c);
        else
            buf_add_char(line, (char)c);
    }
}

/* Cut to the limit, between two characters. */
static struct str
cut_message(struct str s)
{
    if (s.n <= LOG_MESSAGE_BYTES_MAX)
        return s;
    s.n = LOG_MESSAGE_BYTES_MAX;
    for (int back = 0; back < 3 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80; back++)
        s.n--;
    return s;
}

/* In text behind the module: " [c-1 7]". */
static void
add_about(struct buf *line, const struct log_about *about)
{
    if (log_format == LOG_JSON) {
        if (about->connection) {
            buf_add_str(line, STR(",\"connection\":\""));
            add_escaped(line, str_of(about->connection), true);
            buf_add_char(line, '"');
        }
        if (about->request)
            buf_printf(line, ",\"request\":%s", about->request);
        return;
    }
    if (!about->connection && !about->request)
        return;
    buf_add_str(line, STR(" ["));
    add_escaped(line, str_of(about->connection ? about->connection : "-"), false);
    if (about->request) {
        buf_add_char(line, ' ');
        add_escaped(line, str_of(about->request), false);
    }
    buf_add_char(line, ']');
}

static void
add_line(struct buf *line, enum log_level level, const char *module,
         const struct log_about *about, struct str message)
{
    char time[CLOCK_ISO_BYTES];
    clock_iso8601(clock_wall_ms(), time);

    switch (log_format) {
    case LOG_TEXT:
        buf_printf(line, "%s %-5s %s:", time, level_name(level), module);
        add_about(line, about);
        buf_add_char(line, ' ');
        add_escaped(line, message, false);
        buf_add_char(line, '\n');
        break;
    case LOG_JSON:
        buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"", time,
                   level_name(level));
        add_escaped(line, str_of(module), true);
        buf_add_char(line, '"');
        add_about(line, about);
        buf_add_str(line, STR(",\"message\":\""));
        add_escaped(line, message, true);
        buf_add_str(line, STR("\"}\n"));
        break;
    }
}

static void
write_line(enum log_level level, const char *module, const struct log_about *about,
           const char *fmt, va_list ap)
{
    int saved_errno = errno;
    char raw[LOG_MESSAGE_BYTES_MAX + 2]; // one more than is kept, to see that it was cut
    int n = vsnprintf(raw, sizeof(raw), fmt, ap);
    size_t raw_bytes = MIN((size_t)MAX(n, 0), sizeof(raw) - 1);

    AUTO(buf_finish) struct buf message = {0};
    AUTO(buf_finish) struct buf line = {0};
    struct str kept = cut_message(str_slice(raw, raw_bytes));
    utf8_add_valid(&message, kept);
    if (kept.n < raw_bytes)
        buf_add_str(&message, STR("..."));
    add_line(&line, level, module, about, buf_str(&message));

    /* Where the log cannot be written there is nobody to tell. */
    ssize_t written;
    do {
        written = write(STDERR_FILENO, line.p, line.n);
    } while (written < 0 && errno == EINTR);
    errno = saved_errno;
}

void
log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    static const struct log_about nothing = {0};
    if (!log_enabled(level))
        return;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, module, &nothing, fmt, ap);
    va_end(ap);
}

void
log_write_about(enum log_level level, const char *module, const struct log_about *about,
                const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, module, about, fmt, ap);
    va_end(ap);
}
