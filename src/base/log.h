#pragma once
/* Log lines on stderr, one each, never stdout. Any thread; a line is one write(2).
 * #define LOG_MODULE "hub" above the include. Low floors (base, model, codec, lang, store, parse, extract) do not log. */
#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Before the first thread. Default: LOG_WARN, LOG_TEXT. */
void log_setup(enum log_level max, enum log_format format);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *module, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* What a line is about, for lines of one connection or request to be found again. Either may be NULL. */
struct log_about {
    const char *connection;
    const char *request; // a JSON string or number, as it came
};
void log_write_about(enum log_level level, const char *module,
                     const struct log_about *about, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#define log_about(level, about, ...)                                                     \
    do {                                                                                 \
        if (log_enabled(level))                                                          \
            log_write_about(level, LOG_MODULE, about, __VA_ARGS__);                      \
    } while (0)
#define log_error(...) log_write(LOG_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, LOG_MODULE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, LOG_MODULE, __VA_ARGS__)
#define log_debug(...)                                                                   \
    do {                                                                                 \
        if (log_enabled(LOG_DEBUG))                                                      \
            log_write(LOG_DEBUG, LOG_MODULE, __VA_ARGS__);                               \
    } while (0)
