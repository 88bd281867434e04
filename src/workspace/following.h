#pragma once
/* A workspace whose index another engine writes. Inside of the workspace; loop thread. */
#include "workspace/workspace.h"

struct following;

/* Instead of writing. The workspace's writer could not be opened, another one takes its place later. */
void following_begin(struct workspace *w);
/* Is this the state? Until its first news it is still being opened. */
bool following_is_begun(const struct workspace *w);
/* Somebody asks for more than following: the place is taken now if it is free. */
void following_try(struct workspace *w);
/* One line for status. */
const char *following_why(const struct workspace *w);
/* workspace.c: what comes behind it, and with each commit of whomever. */
void workspace_begin_writing(struct workspace *w, const struct store_info *info);
void workspace_on_commit(void *ctx, struct event *const *events, size_t n,
                         bool is_all_told);
/* Part of closing: ends in workspace_part_closed(). NULL is allowed. */
void following_close(struct workspace *w);
