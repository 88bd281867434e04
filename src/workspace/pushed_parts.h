#pragma once
/* What workspaces without a folder have of workspace.c, and it of them. Nobody outside includes it. Loop thread. */
#include "base/base.h"

struct workspace;
struct workspaces;

/* ---- workspace.c ---- */

const char *workspace_maker(const struct workspace *w);      // writer_open()'s
const char *workspace_index_path(const struct workspace *w); // NULL: it is no file
/* The index of this name, as far as that can be said without opening it. */
bool workspace_pushed_is_there(const struct workspaces *all, const char *name);

/* ---- pushed.c ---- */

void pushed_open(struct workspace *w);        // the index is open, or no longer another's
void pushed_drop(struct workspace *w, int r); // it is not to be had
/* Of one that is closed: its files go. False: it was not deleted. */
bool pushed_gone(struct workspace *w);
