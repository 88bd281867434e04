/* gloss version */
#include "app/commands/commands.h"

static int
run(const struct command_line *line)
{
    if (line->is_json)
        out_line("{\"name\":\"gloss\",\"version\":\"%s\"}", GLOSS_VERSION);
    else
        out_line("gloss %s", GLOSS_VERSION);
    return EXIT_OK;
}

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "Print the version",
    .run = run,
};
