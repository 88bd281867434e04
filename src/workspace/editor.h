#pragma once
/* While an editor asks, who works behind its back leaves one processor to what it waits for. */
#include "workspace/workspace.h"

#define WORKSPACES_EDITOR_MS 10000 // after its last request

void editor_on_rest(void *all);             // the timer's
void editor_make_room(struct workspace *w); // its writer and servers are there now
