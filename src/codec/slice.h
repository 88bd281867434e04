#pragma once
/* Cutting JSON text without building a tree: views into the text, checked on the way. For the event
 * log's rows, which are taken apart on the loop thread. Private to codec. */
#include "base/base.h"
#include "base/str.h"

/* A walk over the members of an object or the elements of an array. */
struct slice_walk {
    struct str rest;
    char close; // what ends it
    bool is_first;
    bool is_within; // something may follow behind it
};

#define SLICE_E_END 1

/* `text` is one object (open is '{') or array ('['), with nothing behind it. -EINVAL if it does not
 * begin like that. */
int slice_open(struct slice_walk *w, struct str text, char open);
/* 0 gives one; SLICE_E_END after the last; -EINVAL when the text is damaged or deeper than
 * CODEC_DEPTH_MAX. A key is as written: quotes taken off, escapes kept; empty in an array. */
int slice_next(struct slice_walk *w, struct str *ret_key, struct str *ret_value);
/* The same in two steps: up to the value; and the value. Or, of an array that is walked by itself instead: a walk over
 * it, and back behind its end. */
int slice_key(struct slice_walk *w, struct str *ret_key);
int slice_value(struct slice_walk *w, struct str *ret_value);
int slice_enter(const struct slice_walk *w, struct slice_walk *ret_inner);
void slice_leave(struct slice_walk *w, const struct slice_walk *inner);
