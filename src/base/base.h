#pragma once
/* Standard headers and the few macros every file uses. Ends by banning what must not be called. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#undef MIN // <sys/param.h> has them too
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))

/* The struct that holds `member` at `ptr`. */
#define container_of(ptr, type, member)                                                  \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Hand a pointer over: yields it and leaves NULL behind. */
#define steal(p)                                                                         \
    __extension__({                                                                      \
        __typeof__(p) *steal_at_ = &(p);                                                 \
        __typeof__(p) steal_value_ = *steal_at_;                                         \
        *steal_at_ = NULL;                                                               \
        steal_value_;                                                                    \
    })

/* DEFINE_AUTO(thing_destroy, struct thing *) makes AUTO(thing_destroy) struct thing *t = NULL; possible. */
#define DEFINE_AUTO(fn, type)                                                            \
    static inline void fn##_auto_(type *p)                                               \
    {                                                                                    \
        fn(*p);                                                                          \
    }
/* The same for objects in the caller's memory: DEFINE_AUTO_IN(buf_finish, struct buf). */
#define DEFINE_AUTO_IN(fn, type)                                                         \
    static inline void fn##_auto_(type *p)                                               \
    {                                                                                    \
        fn(p);                                                                           \
    }
#define AUTO(fn) __attribute__((cleanup(fn##_auto_)))

static inline void
free_auto_(void *p)
{
    free(*(void **)p);
}

#include "base/banned.h"
