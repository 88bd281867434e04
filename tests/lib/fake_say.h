#pragma once
/* What fake_ls writes: whole frames, with the oddities of a life, and bytes that are none. */
#include <jansson.h>

#include "base/base.h"
#include "base/str.h"

/* Blocking; ends the process when nobody reads any more. */
void say_bytes(int fd, const char *p, size_t n);
void say_text(int fd, const json_t *text); // no string: nothing
/* Of a life: "header" in place of Content-Length, "header_bytes" of another one before it. */
struct buf say_frame_of(const json_t *life, const char *body, size_t n);
void say_message(const json_t *life, json_t *message); // takes it
/* An answer as its rule wants it. */
void say_answer(const json_t *life, const json_t *rule, json_t *message); // takes it
/* Items of a list; *n_requests counts those of ours. */
void say_list(const json_t *life, const json_t *list, size_t *n_requests);
/* Standard output is closed, and whatever would be said after is not. */
void say_no_more(void);
