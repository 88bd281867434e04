#pragma once
/* Typed growing array: VEC(struct thing) v = {0}; *vec_push(&v) = x; free with vec_finish(&v).
 * Elements must be trivially copyable; pointers into it end with the next push. */
#include "base/base.h"
#include "base/mem.h"

#define VEC(type)                                                                        \
    struct {                                                                             \
        type *v;                                                                         \
        size_t n, cap;                                                                   \
    }

#define vec_reserve(vec, extra)                                                          \
    do {                                                                                 \
        if ((vec)->n + (extra) > (vec)->cap) {                                           \
            (vec)->cap = MAX((vec)->n + (extra), (vec)->cap ? (vec)->cap * 2 : 8);       \
            (vec)->v = xreallocarray((vec)->v, (vec)->cap, sizeof(*(vec)->v));           \
        }                                                                                \
    } while (0)
/* Address of a new, uninitialised last element. */
#define vec_push(vec)                                                                    \
    __extension__({                                                                      \
        vec_reserve((vec), 1);                                                           \
        &(vec)->v[(vec)->n++];                                                           \
    })
#define vec_finish(vec)                                                                  \
    do {                                                                                 \
        free((vec)->v);                                                                  \
        (vec)->v = NULL;                                                                 \
        (vec)->n = (vec)->cap = 0;                                                       \
    } while (0)
