#pragma once
/* Which file's hovers are asked for next. */
#include "base/base.h"
#include "base/str.h"
#include "enrich/enrich.h"
#include "query/query.h"
#include "workspace/asks.h"

#define WORKSPACE_ENRICH_AHEAD                                                           \
    6 // files of a language between their look-up and their commit
#define WORKSPACE_TYPING_MS 1000 // a buffer changed this lately is not asked about

struct workspace;

void asking_init(struct workspace *w);
void asking_open(struct workspace *w);
void asking_finish(struct workspace *w);
void asking_from_store(struct workspace *w);            // what the store says is unknown
void asking_file(struct workspace *w, struct str path); // it changed: before the rest
void asking_opened(struct workspace *w, struct str path); // it and its folder come first
bool asking_is_idle(const struct workspace *w);
void asking_trust(struct workspace *w); // from now on servers may be started
/* Every file's hovers may be asked for once more. */
void asking_forget(struct workspace *w);

/* asking_text.c: on its way to enrich. False when there is nothing to ask; else one of the two below
 * follows. */
bool asking_text(struct workspace *w, const struct query_result *result,
                 enum ask_rank rank);
void asking_texts_finish(struct workspace *w);
/* Takes both; told, which may be NULL: what others knew, the job has the rest. */
void asking_has_text(struct workspace *w, struct enrich_job *job,
                     struct hover_batch *told);
void asking_has_no_text(struct workspace *w, struct str path);
