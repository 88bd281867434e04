/* gloss serve */
#include "app/commands/commands.h"
#include "base/mem.h"
#include "codec/codec.h"

static const struct command_option options[] = {
    {"port", OPTION_NUMBER, "N", "port of the hub on 127.0.0.1 (default: any free one)"},
    {"idle-exit", OPTION_NUMBER, "SECONDS",
     "end after this long without a session or hub client; 0: never (default 30)"},
    {"jobs", OPTION_NUMBER, "N", "worker threads (default: one per core)"},
    {"detach", OPTION_FLAG, NULL,
     "start it in the background and return when it listens"},
    {"ready-fd", OPTION_NUMBER, "FD", "write \"ready\" there when it listens"},
    {0},
};

/* What was asked for here, for the engine that is started: its settings come from the environment,
 * which it inherits. */
static void
hand_down(const struct command_line *line)
{
    static const char *const names[][2] = {
        {"port", "GLOSS_HUB_PORT"},       {"idle-exit", "GLOSS_ENGINE_IDLE_EXIT_S"},
        {"jobs", "GLOSS_INDEX_JOBS"},     {"db", "GLOSS_DB"},
        {"log-level", "GLOSS_LOG_LEVEL"}, {"log-format", "GLOSS_LOG_FORMAT"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (line_has(line, names[i][0]))
            setenv(names[i][1], line_text(line, names[i][0]), 1);
}

/* Starts an engine the way an editor would, then has it hold the roots. */
static int
detach(const struct command_line *line)
{
    AUTO(free) char *why = NULL;
    struct control *c = NULL;
    int code = EXIT_OK;

    hand_down(line);
    if (control_open(true, &c, &why) < 0)
        return fail("%s", why);
    for (size_t i = 0; i < line->n_arguments && code == EXIT_OK; i++) {
        AUTO(free) char *root = line_root(line, i), *answer_why = NULL;
        AUTO(json_decref_) json_t *result = NULL;

        if (!root || control_request(c, "gloss/hold", json_pack("{s:s}", "root", root),
                                     NULL, NULL, &result, &answer_why) < 0)
            code = root ? fail("%s: %s", root, answer_why) : EXIT_FAILED;
    }
    control_close(c);
    return code;
}

static int
run(const struct command_line *line)
{
    struct engine_options engine = {
        .config = line->config,
        .db_url = line->db_url,
        .roots = line->arguments,
        .ready_fd = (int)line_number(line, "ready-fd", -1),
        .idle_exit_s = (int64_t)line->config->idle_exit_s,
    };

    if (line_has(line, "detach"))
        return detach(line);
    for (size_t i = 0; i < line->n_arguments; i++) {
        AUTO(free) char *root = line_root(line, i);
        if (!root)
            return EXIT_FAILED;
    }
    return engine_run(&engine);
}

const struct command command_serve = {
    .name = "serve",
    .arguments = "[DIR...]",
    .summary = "Run the engine in the foreground, holding these workspaces",
    .details = "One engine serves all editors, commands and WebSocket clients of a user. "
               "Its port and token are in\n"
               "engine.json in the runtime folder (`gloss doctor` names it).",
    .options = options,
    .max_arguments = COMMAND_ARGUMENTS_MAX,
    .run = run,
};
