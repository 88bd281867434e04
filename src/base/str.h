#pragma once
/* struct str: a borrowed view of bytes, perhaps with NUL inside, not necessarily terminated.
 * struct buf: a growing byte string, always NUL-terminated behind its end; a zeroed one is valid. */
#include "base/base.h"

#include <sys/types.h>

struct str {
    const char *p; // NULL only when n is 0
    size_t n;
};

struct buf {
    char *p; // NULL until the first append
    size_t n;
    size_t cap;
};

#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

struct str str_of(const char *s); // NULL gives the empty view
static inline struct str
str_slice(const char *p, size_t n)
{
    return (struct str){p, n};
}
static inline bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
bool str_eq_c(struct str a, const char *b);
int str_cmp(struct str a, struct str b); // bytewise, shorter first
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
/* Index of the first occurrence, or -1. */
ssize_t str_find(struct str s, struct str needle);
ssize_t str_find_char(struct str s, char c);
struct str str_trim(struct str s); // ASCII white space off both ends
/* Cut the part before `sep` off *rest; false when *rest is used up. A separator ends a part, so
 * "a,,b," has the parts "a", "", "b". */
bool str_split(struct str *rest, char sep, struct str *ret_part);
/* Decimal, whole string, within the type; -EINVAL / -ERANGE. */
int str_to_u64(struct str s, uint64_t *ret_value);
int str_to_i64(struct str s, int64_t *ret_value);
int hex_value(char c);                // 0 to 15, -1 unless a hex digit
char *str_dup(struct str s) MUST_USE; // heap copy, NUL-terminated

void buf_finish(struct buf *b);
void buf_grow(struct buf *b, size_t extra); // of buf_reserve()
static inline void
buf_reset(struct buf *b) // keeps the memory
{
    b->n = 0;
    if (b->p)
        b->p[0] = '\0';
}
static inline void
buf_reserve(struct buf *b, size_t extra)
{
    if (extra >= b->cap - b->n) // one more for the NUL
        buf_grow(b, extra);
}
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
    buf_reserve(b, n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}
static inline void
buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drop the first n bytes. */
void buf_consume(struct buf *b, size_t n);
static inline struct str
buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
/* The heap string (never NULL); the buf is empty after. */
char *buf_steal(struct buf *b) MUST_USE;

DEFINE_AUTO_IN(buf_finish, struct buf)
