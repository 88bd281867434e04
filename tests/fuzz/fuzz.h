#pragma once
/* A target reads bytes as the program reads them from outside. Linked with libfuzzer.c it is searched for
 * crashes (./dev fuzz), with replay.c it is a test of its corpus and of mutations of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/str.h"

/* Before the first input. */
void fuzz_init(void);
/* Any bytes; one NUL behind them, in a block of just that size. */
void fuzz_one(struct str input);

/* What must hold of every input. */
#define fuzz_check(holds)                                                                \
    do {                                                                                 \
        if (!(holds)) {                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds);                  \
            abort();                                                                     \
        }                                                                                \
    } while (0)

/* Within text, or empty. */
#define fuzz_check_view(view, text)                                                      \
    fuzz_check((view).n == 0 ||                                                          \
               ((view).p >= (text).p && (view).p + (view).n <= (text).p + (text).n))

/* Input up to the first `end`, which is left out of both; the rest stays. */
static inline struct str
fuzz_part(struct str *input, char end)
{
    ssize_t at = str_find_char(*input, end);
    struct str part = str_slice(input->p, at < 0 ? input->n : (size_t)at);
    *input = str_slice(input->p + part.n + (at >= 0), input->n - part.n - (at >= 0));
    return part;
}
