/* gloss lsp */
#include "app/commands/commands.h"

static const struct command_option options[] = {
    {"stdio", OPTION_FLAG, NULL, "accepted: stdio is the only way"},
    {"clientProcessId", OPTION_NUMBER, "N", "accepted: the end of stdin tells the same"},
    {"in-process", OPTION_FLAG, NULL,
     "host the engine in this process instead of connecting to one"},
    {0},
};

static int
run(const struct command_line *line)
{
    const struct engine_options in_process = {
        .config = line->config, .db_url = line->db_url, .ready_fd = -1};

    return line_has(line, "in-process") ? engine_run_in_process(&in_process)
                                        : bridge_run();
}

const struct command command_lsp = {
    .name = "lsp",
    .arguments = "",
    .summary = "Speak LSP over stdio; this is what an editor starts",
    .details = "A bridge to the engine (`gloss serve`), which is started when there is "
               "none. When the engine dies\n"
               "the bridge ends with code 1, so that the editor starts both again.",
    .options = options,
    .run = run,
};
