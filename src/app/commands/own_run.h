#pragma once
/* A folder indexed in this process, by commands that do so when no engine holds it. */
#include "app/commands/commands.h"
#include "workspace/workspace.h"

struct own_run_options {
    bool with_enrich;
    /* After the walk, may be NULL: something more with the open workspace; calls done once. */
    void (*then)(void *ctx, struct workspace *w, void (*done)(void *done_ctx),
                 void *done_ctx);
    void *ctx;
};
/* Runs to its end. Returns an exit code, EXIT_FAILED with one line said; *ret_summary is a reference. */
int own_run(const struct command_line *line, const char *root,
            const struct own_run_options *options, json_t **ret_summary);
/* A connection to the engine if one runs and holds this root in the line's index, else NULL. */
struct control *own_run_engine(const struct command_line *line, const char *root);
/* Of a run's progress. */
void own_run_show(int64_t done, int64_t total, int64_t hover_done, int64_t hover_total);
