#pragma once
/* Which engine and which workspace of it `gloss push` feeds: out of its options, GLOSS_TOKEN and engine.json. What is
 * wrong is told to the user, and the result is the command's exit code. */
#include "base/base.h"

struct push_where {
    const char *token_file; // --token-file, or NULL
    uint16_t to_port;       // of --to; 0: the engine says it
    char *name;             // of the workspace; its own, as the token
    uint16_t port;
    char *token;
};

/* Of a zeroed one; to and token_file may be NULL. Nothing is looked up yet. */
int push_where_init(struct push_where *w, const char *to, const char *token_file,
                    const char *root);
/* Port and token as they are now; unchanged when something is wrong. */
int push_where_find(struct push_where *w);
void push_where_finish(struct push_where *w);
