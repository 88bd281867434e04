#pragma once
/* Which file's hovers are asked for next. */
#include "base/base.h"
#include "base/str.h"

#define WORKSPACE_ENRICH_AHEAD                                                           \
    6 // files of a language between their look-up and their commit
#define WORKSPACE_TYPING_MS 1000 // a buffer changed this lately is not asked about

struct workspace;

void asking_init(struct workspace *w);
void asking_open(struct workspace *w);
void asking_finish(struct workspace *w);
void asking_from_store(struct workspace *w);            // what the store says is unknown
void asking_file(struct workspace *w, struct str path); // it changed: before the rest
bool asking_is_idle(const struct workspace *w);
void asking_trust(struct workspace *w); // from now on servers may be started
/* Every file's hovers may be asked for once more. */
void asking_forget(struct workspace *w);
