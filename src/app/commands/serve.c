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

/* The engine that is there, or one started the way an editor would. */
static int
reach(const struct command_line *line, struct control **ret_control, bool *ret_is_ours,
      char **ret_why)
{
    int r = control_open(false, ret_control, ret_why);

    *ret_is_ours = false;
    if (r != -ENOENT)
        return r;
    free(steal(*ret_why));
    *ret_is_ours = true;
    hand_down(line);
    return control_open(true, ret_control, ret_why);
}

/* Which engine it is: one that ran before keeps the settings it was started with. */
static int
tell(const struct command_line *line, struct control *c, bool is_ours)
{
    AUTO(free) char *why = NULL;
    AUTO(json_decref_) json_t *status = NULL;
    const json_t *engine;
    int64_t pid = 0, port = 0;

    if (control_request(c, "gloss/status", NULL, NULL, NULL, &status, &why) < 0)
        return fail("%s", why);
    engine = codec_object(status, "engine");
    codec_get_int(engine, "pid", 1, INT32_MAX, &pid);
    codec_get_int(engine, "port", 1, UINT16_MAX, &port);
    if (line->is_json)
        out_line("{\"started\":%s,\"pid\":%" PRId64 ",\"url\":\"ws://127.0.0.1:%" PRId64
                 "/v1/ws\"}",
                 is_ours ? "true" : "false", pid, port);
    else
        out_line("%s, pid %" PRId64 ", ws://127.0.0.1:%" PRId64 "/v1/ws",
                 is_ours ? "started" : "already running", pid, port);
    return EXIT_OK;
}

/* Has the engine hold the roots. */
static int
detach(const struct command_line *line)
{
    AUTO(free) char *why = NULL;
    struct control *c = NULL;
    bool is_ours;
    int code = EXIT_OK;

    if (reach(line, &c, &is_ours, &why) < 0)
        return fail("%s", why);
    for (size_t i = 0; i < line->n_arguments && code == EXIT_OK; i++) {
        AUTO(free) char *root = line_root(line, i), *answer_why = NULL;
        AUTO(json_decref_) json_t *result = NULL;

        if (!root || control_request(c, "gloss/hold", json_pack("{s:s}", "root", root),
                                     NULL, NULL, &result, &answer_why) < 0)
            code = root ? fail("%s: %s", root, answer_why) : EXIT_FAILED;
    }
    if (code == EXIT_OK)
        code = tell(line, c, is_ours);
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
    .details =
        "One engine serves all editors, commands and WebSocket clients of a user. "
        "Its port and token are in\n"
        "engine.json in the runtime folder (`gloss doctor` names it). When one runs "
        "already: --detach has it\n"
        "hold the folders, says \"already running, pid N, ws://…\" and gives 0, and "
        "its options stay as they\n"
        "are; without --detach that is an error (1).",
    .options = options,
    .max_arguments = COMMAND_ARGUMENTS_MAX,
    .run = run,
};
